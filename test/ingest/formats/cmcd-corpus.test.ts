import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  createCmcdCounters,
  decodeCmcdBody,
  decodeCmcdHeaders,
  decodeCmcdQuery,
} from '../../../ingest/formats/cmcd.ts';
import { responseMsMax } from '../../../ingest/formats/cmcd-request.ts';
import type { BeatEvent } from '../../../schemas/beat.ts';
import { encodeRecord, recordVersionOf } from '../../../schemas/records.ts';

const corpus = new URL('../../corpus/', import.meta.url);
const recordings = readdirSync(corpus, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

interface Post {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

function linesOf(recording: string, file: string): string[] {
  const text = readFileSync(new URL(`${recording}/${file}`, corpus), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Event-mode posts of a recording. */
function posts(recording: string): Post[] {
  return linesOf(recording, 'posts.ndjson')
    .map((line): Post => JSON.parse(line))
    .filter(({ method, url }) => method === 'POST' && url.startsWith('/cmcd'));
}

function decode(post: Post) {
  const type = post.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  return decodeCmcdBody(Buffer.from(post.body), type);
}

function eventsOf(recording: string): BeatEvent[] {
  return posts(recording).flatMap((post) => decode(post).beats.flatMap((beat) => beat.events));
}

function statesOf(recording: string): string[] {
  const seen: string[] = [];
  for (const event of eventsOf(recording).filter(({ name }) => name === 'ps')) {
    for (const part of event.parts) {
      if ('streamgauge.v1.State' in part) seen.push(part['streamgauge.v1.State'].state);
    }
  }
  return seen;
}

/** What a line says of a key, read by the plainest means there is. */
function said(line: string, key: string): string {
  return new RegExp(`(?:^|,)${key}=([^,]*)`).exec(line)?.[1] ?? '';
}

function numberOf(text: string): number {
  return text === '' ? -1 : Number(text);
}

describe.each(recordings)('recording %s', (recording) => {
  it('has every line as an event, in its order, with its name, number and time', () => {
    for (const post of posts(recording)) {
      const lines = post.body.split('\n').filter((line) => line !== '');
      const { beats, malformed } = decode(post);
      expect(malformed).toBeUndefined();
      const events = beats.flatMap((beat) => beat.events);
      expect(events.map(({ name, seq, at }) => [name, seq, at])).toEqual(
        lines.map((line) => [
          said(line, 'e'),
          numberOf(said(line, 'sn')),
          numberOf(said(line, 'ts')),
        ]),
      );
    }
  });

  it('loses no value, and no key to a limit', () => {
    const counters = createCmcdCounters();
    for (const { body } of posts(recording)) {
      decodeCmcdBody(Buffer.from(body), '', undefined, counters);
    }
    expect(counters).toMatchObject({ valuesDropped: 0, keysCut: 0 });
  });

  it('has requests with a host, a kind, and times that can be', () => {
    for (const { parts, lane } of eventsOf(recording)) {
      const request = parts.find((part) => 'streamgauge.v1.Request' in part);
      expect(request !== undefined).toBe(lane === 'response');
      if (request === undefined || !('streamgauge.v1.Request' in request)) continue;
      const { host, kind, ttfb, ttlb, status, url } = request['streamgauge.v1.Request'];
      // A response without a URL has no host; dash.js sends none with its default keys.
      expect(host).toBe(url === '' ? '' : 'localhost');
      expect(kind === 'other' && url.endsWith('.m4s')).toBe(false);
      expect(Math.max(ttfb, ttlb)).toBeLessThanOrEqual(responseMsMax);
      expect(status).toBeGreaterThanOrEqual(url === '' ? -1 : 0);
    }
  });

  it('fits the log', () => {
    for (const post of posts(recording)) {
      for (const beat of decode(post).beats) {
        const body = { project: 'p', trustedClock: false, ...beat };
        expect(recordVersionOf(encodeRecord('beat', body))?.kind).toBe('beat');
      }
    }
  });

  it('has readable CMCD in its requests', () => {
    const { origin } = new URL('http://cdn');
    for (const line of linesOf(recording, 'access.ndjson')) {
      const entry: Record<string, string> = JSON.parse(line);
      const headers = Object.fromEntries(
        ['object', 'request', 'session', 'status'].map((name) => [
          `cmcd-${name}`,
          entry[`http_cmcd_${name}`],
        ]),
      );
      const query = new URL(entry.request_uri ?? '/', origin).search;
      for (const parsed of [decodeCmcdQuery(query), decodeCmcdHeaders(headers)]) {
        if (parsed !== undefined) expect(parsed).toMatchObject({ dropped: [] });
      }
    }
  });
});

describe('the players', () => {
  it('dash.js with its default keys names no view: its lines are of the one without a name', () => {
    const results = posts('dash-v2q-clean').map(decode);
    expect(results.flatMap(({ rejects }) => rejects)).toEqual([]);
    const views = results.flatMap(({ beats }) => beats.map(({ view }) => view));
    expect(new Set(views)).toEqual(new Set(['']));
  });

  it('dash.js sends an epoch for a time to first byte: dropped alone, seen among the keys', () => {
    const requests = eventsOf('dash-v2q-throttled').flatMap(({ parts }) =>
      parts.flatMap((part) =>
        'streamgauge.v1.Request' in part ? [part['streamgauge.v1.Request']] : [],
      ),
    );
    expect(requests.some(({ ttfb, ttlb }) => ttfb === -1 && ttlb > 0)).toBe(true);
  });

  it('hls.js goes from starting over a stall to the end', () => {
    expect(statesOf('hls-v2q-throttled')).toEqual([
      'preloading',
      'starting',
      'playing',
      'rebuffering',
      'playing',
      'ended',
    ]);
  });

  it('hls.js names its error when the start fails', () => {
    const errors = eventsOf('hls-v2q-startfail').flatMap(({ parts }) =>
      parts.flatMap((part) =>
        'streamgauge.v1.PlayerError' in part ? [part['streamgauge.v1.PlayerError']] : [],
      ),
    );
    expect(errors).toEqual([
      { code: 'manifestLoadError', message: '', fatal: 'unknown', business: false },
    ]);
  });

  it('Shaka calls a live stream on-demand in its events, and is passed on as it says', () => {
    const contexts = posts('shaka-v2q-live-throttled').flatMap((post) =>
      decode(post).beats.flatMap(({ context }) =>
        context.filter(({ name }) => name === 'stream_type').map(({ value }) => value),
      ),
    );
    expect(new Set(contexts)).toContain('on-demand');
  });

  it('a Latin-1 byte and escaped quotes in a header are read', () => {
    const entry: Record<string, string> = JSON.parse(
      linesOf('dash-v1h-throttled', 'access.ndjson').find((line) => line.includes('\u00fc')) ??
        '{}',
    );
    const parsed = decodeCmcdHeaders({ 'CMCD-Session': entry.http_cmcd_session });
    expect(parsed !== undefined && 'record' in parsed && parsed.record.get('cid')).toMatchObject({
      value: 'evt/2024 "final", \u00fc=1',
    });
  });
});
