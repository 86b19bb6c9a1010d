/** Each wire form of a recording alone gives the same view, within what the form can carry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeCmcdBody } from '../ingest/formats/cmcd.ts';
import { readNginxLine } from '../ingest/formats/edge-nginx.ts';
import { createEpasFormat } from '../ingest/formats/epas.ts';
import type { FormatBeat } from '../ingest/formats/format.ts';
import { clientDimensions } from '../schemas/catalogue/dimensions.ts';
import { CORPUS, epasSession, eventSid, type Recording, readRecordings } from './support/corpus.ts';
import { type Delivery, foldDeliveries } from './support/fold.ts';
import type { Row } from './support/row-reader.ts';

const limits = { beatsPerBodyMax: 10, eventsPerBeatMax: 100, stringLengthMax: 1_000 };
const decodeEpas = createEpasFormat({ limits, dimensions: clientDimensions });

function delivery(atMs: number, beat: FormatBeat): Delivery {
  return { atMs, beat: { project: 'p', trustedClock: false, ...beat } };
}

function posted(
  { posts }: Recording,
  path: string,
  decode: (body: Buffer) => readonly FormatBeat[],
): Delivery[] {
  return posts
    .filter(({ method, url }) => method === 'POST' && url.startsWith(path))
    .flatMap(({ t, body }) => decode(Buffer.from(body)).map((beat) => delivery(t, beat)));
}

function edgeLines({ name }: Recording): Delivery[] {
  const lines = readFileSync(join(CORPUS, name, 'access.ndjson'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const scope = { stringLengthMax: 1_000, note: () => undefined };
    const read = readNginxLine(Buffer.from(line), scope);
    if (read.kind !== 'request') return [];
    const { view, request } = read;
    const edge = { project: 'p', view, format: 'nginx', requests: [request] };
    return [{ atMs: request.endAt, edge }];
  });
}

function rowOf(id: string, deliveries: readonly Delivery[]): Row {
  return foldDeliveries([...deliveries].sort((a, b) => a.atMs - b.atMs)).view(id);
}

function formsOf(recording: Recording, sid: string): { cmcd: Row; epas: Row; edge: Row } {
  return {
    cmcd: rowOf(
      sid,
      posted(recording, '/cmcd/', (body) => decodeCmcdBody(body, '').beats),
    ),
    epas: rowOf(
      epasSession(recording),
      posted(recording, '/epas', (body) => decodeEpas(body).beats),
    ),
    edge: rowOf(sid, edgeLines(recording)),
  };
}

/** Bits per second of two columns; undefined where there are none. */
function rate(row: Row, bits: string, ms: string): number | undefined {
  const knownMs = Number(row[ms]);
  return knownMs === 0 ? undefined : Number(row[bits]) / knownMs;
}

function expectNear(one: Row, other: Row, column: string, withinMs: number): void {
  const difference = Math.abs(Number(one[column]) - Number(other[column]));
  expect(difference, column).toBeLessThanOrEqual(withinMs);
}

const all = readRecordings().flatMap((recording) => {
  const sid = eventSid(recording);
  // Of a failure EPAS is told when the player gives up, CMCD when it recovers or not: they end apart.
  const comparable = sid !== undefined && recording.truth.summary.fatal_errors === 0;
  return comparable ? [{ name: recording.name, recording, sid }] : [];
});

describe.each(all)('$name', ({ recording, sid }) => {
  const { cmcd, epas, edge } = formsOf(recording, sid);

  it('has the same stalls, seeks and pauses by CMCD and by EPAS', () => {
    expect(epas.rebuffer_count).toBe(cmcd.rebuffer_count);
    expect(epas.seek_count).toBe(cmcd.seek_count);
    expectNear(epas, cmcd, 'rebuffer_ms', 50);
    expectNear(epas, cmcd, 'paused_ms', 1_000);
    // hls.js says `preloading` first, and by that begins later.
    expectNear(epas, cmcd, 'startup_ms', 500);
  });

  it('plays as long by both, where both say the end', () => {
    if (epas.outcome === 'ended') expect(cmcd.outcome).toBe('ended');
    if (epas.outcome === 'ended') expectNear(epas, cmcd, 'playing_ms', 1_000);
  });

  it('has about the same bitrate by all three', () => {
    const byCmcd = rate(cmcd, 'bitrate_bit_ms', 'bitrate_known_ms') ?? 0;
    const byEpas = rate(epas, 'bitrate_bit_ms', 'bitrate_known_ms') ?? 0;
    const byEdge = rate(edge, 'edge_bitrate_bit_ms', 'edge_media_ms') ?? 0;
    // Audio is in some and not in others; what is downloaded is not all played.
    for (const other of [byEpas, byEdge]) {
      expect(other).toBeGreaterThan(0.8 * byCmcd);
      expect(other).toBeLessThan(1.2 * byCmcd);
    }
  });

  it('has the requests that its player reports in the log of the edge', () => {
    expect(edge).toMatchObject({ source: 'cmcd1', started: 0 });
    expect(Number(edge.edge_request_count)).toBeGreaterThanOrEqual(Number(cmcd.request_count));
    // dash.js reports each; the others batch, and lose the last batch with the tab.
    if (recording.name.startsWith('dash')) {
      expect(edge.edge_request_count).toBe(cmcd.request_count);
    }
  });
});

describe('what a player counts by itself', () => {
  const named = (name: string) => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no recording ${name}`);
    return formsOf(found.recording, found.sid).cmcd;
  };

  it('agrees with the fold where the player counts right', () => {
    const shaka = named('shaka-v2q-throttled');
    expectNear({ ...shaka, startup_ms: shaka.claimed_startup_ms ?? -1 }, shaka, 'startup_ms', 100);
    // dash.js counts the wait before the first frame among its stalls.
    const dash = named('dash-v2q-throttled');
    const claimed = { rebuffer_ms: dash.claimed_rebuffer_ms ?? -1 };
    expectNear(claimed, dash, 'rebuffer_ms', 1_000);
  });

  it('shows where it does not', () => {
    const { claimed_startup_ms: claimedMs, startup_ms: startupMs } = named('dash-v2q-throttled');
    expect(Number(startupMs) - Number(claimedMs)).toBeGreaterThan(1_000);
  });
});
