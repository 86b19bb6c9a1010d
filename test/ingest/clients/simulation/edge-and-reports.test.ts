/** What is sent of one view agrees: edge lines with the player's requests, CMCD with native, the sums with a recount. */
import { describe, expect, it } from 'vitest';
import type { SimulationItem } from '../../../../ingest/clients/simulation/reports.ts';
import type { ViewTruth } from '../../../../ingest/clients/simulation/view-figures.ts';
import { decodeCmcdQuery, textOf } from '../../../../ingest/formats/cmcd-record.ts';
import { play, START_AT_MS } from './played.ts';

interface Line {
  /** Of the request in its view. */
  readonly number: number;
  readonly msec: string;
  readonly host: string;
  readonly request_uri: string;
  readonly status: number;
  readonly body_bytes_sent: number;
  readonly request_time: string;
  readonly upstream_header_time: string;
  readonly request_completion: string;
}

interface Event {
  readonly at: number;
  readonly type: string;
  readonly state?: string;
  readonly bitrate?: number;
  readonly liveLatency?: number;
  readonly status?: number;
  readonly bytes?: number;
  readonly ttfb?: number;
  readonly ttlb?: number;
  readonly kind?: string;
  readonly url?: string;
  readonly host?: string;
}

function linesByView(items: readonly SimulationItem[]): Map<string, Line[]> {
  const views = new Map<string, Line[]>();
  for (const { kind, payload } of items) {
    if (kind !== 'edge') continue;
    for (const text of payload.trimEnd().split('\n')) {
      const line = JSON.parse(text) as Line;
      const read = decodeCmcdQuery(line.request_uri.slice(line.request_uri.indexOf('?') + 1));
      if (read === undefined || !('record' in read)) throw new Error(`no CMCD in ${text}`);
      expect(read.dropped).toEqual([]);
      const sid = textOf(read.record, 'sid');
      const number = Number(/sn%3D(\d+)/.exec(line.request_uri)?.[1]);
      views.set(sid, [...(views.get(sid) ?? []), { ...line, number }]);
    }
  }
  // A player that changes its CDN is served by two edges, which hand over on their own.
  for (const lines of views.values()) lines.sort((one, other) => one.number - other.number);
  return views;
}

function eventsByView(items: readonly SimulationItem[]): Map<string, Event[]> {
  const views = new Map<string, Event[]>();
  for (const { kind, payload } of items) {
    if (kind !== 'native') continue;
    const { view, events } = JSON.parse(payload) as { view: string; events: Event[] };
    views.set(view, [...(views.get(view) ?? []), ...events]);
  }
  return views;
}

const ms = (seconds: string): number => Math.round(Number(seconds) * 1_000);

/** METRICS "A view", once more and plainly, for what native beats say. */
function recount(events: readonly Event[]) {
  const sums = { startup_ms: 0, playing_ms: 0, rebuffer_ms: 0, seek_ms: 0, paused_ms: 0 };
  const counts = { rebuffer_count: 0, seek_count: 0, bitrate_bit_ms: 0, rendition_changes: 0 };
  const first = events.findIndex(({ state }) => state === 'starting');
  let started = false;
  let state = '';
  let seeking = false;
  let stalled = false;
  let bitrate = 0;
  let played = 0;
  for (const [index, event] of events.slice(Math.max(0, first)).entries()) {
    const all = events.slice(Math.max(0, first));
    const passedMs = event.at - (all[index - 1]?.at ?? event.at);
    if (state === 'paused') sums.paused_ms += passedMs;
    else if (!started) sums.startup_ms += passedMs;
    else if (state === 'playing') {
      sums.playing_ms += passedMs;
      counts.bitrate_bit_ms += bitrate * passedMs;
      if (passedMs > 0 && played > 0 && played !== bitrate) counts.rendition_changes++;
      if (passedMs > 0) played = bitrate;
    } else if (seeking) sums.seek_ms += passedMs;
    else if (state === 'rebuffering') sums.rebuffer_ms += passedMs;
    if (event.bitrate !== undefined) bitrate = event.bitrate;
    if (event.state === undefined) continue;
    const entersStall =
      event.state === 'rebuffering' && (state === 'playing' || state === 'paused');
    if (started && entersStall && !seeking && !stalled) {
      counts.rebuffer_count++;
      stalled = true;
    }
    if (event.state === 'seeking') seeking = started;
    if (event.state === 'playing') {
      started = true;
      if (seeking) counts.seek_count++;
      seeking = false;
      stalled = false;
    }
    state = event.state;
  }
  return { ...sums, ...counts };
}

function pick(view: ViewTruth, names: readonly string[]): Record<string, unknown> {
  const figures: Record<string, unknown> = { ...view.figures };
  return Object.fromEntries(names.map((name) => [name, figures[name]]));
}

describe('native beats', { timeout: 60_000 }, () => {
  it('come to the truth of each view when they are counted once more by hand', () => {
    const { items, views } = play({ seed: 4, viewers: 150, durationMs: 300_000 });
    const events = eventsByView(items);
    const native = views.filter(({ source }) => source === 'native');
    expect(native.length).toBeGreaterThan(150);
    for (const view of native) {
      const counted = recount(events.get(view.view_id) ?? []);
      expect([view.view_id, counted]).toEqual([view.view_id, pick(view, Object.keys(counted))]);
    }
  });
});

describe('edge lines', { timeout: 60_000 }, () => {
  const { items, views, truth } = play({ seed: 4, viewers: 100, durationMs: 300_000 });
  const lines = linesByView(items);

  it('are one for each request, of players that said goodbye as many as they report', () => {
    for (const { view_id, outcome, figures } of views) {
      const count = (lines.get(view_id) ?? []).length;
      if (outcome === 'dropped' || outcome === 'exit_before_start')
        expect(count).toBeGreaterThanOrEqual(figures.request_count ?? 0);
      else expect([view_id, count]).toEqual([view_id, figures.request_count]);
    }
  });

  it('say the same of each request as its player: bytes, answer and times less the way', () => {
    let compared = 0;
    for (const [view, events] of eventsByView(items)) {
      const requests = events.filter(({ type }) => type === 'request');
      const logged = lines.get(view) ?? [];
      for (const [index, request] of requests.entries()) {
        const line = logged[index];
        if (line === undefined) throw new Error(`no line for request ${index} of ${view}`);
        expect(`https://${line.host}${line.request_uri.split('?')[0]}`).toBe(request.url);
        expect(line.body_bytes_sent).toBe(request.bytes);
        const { status = 0, ttlb = 0, ttfb = -1 } = request;
        if (line.request_completion === 'OK') expect(line.status).toBe(status);
        else expect([200, 499]).toContain(line.status);
        expect(ms(line.request_time)).toBeLessThanOrEqual(ttlb);
        if (ttfb >= 0) expect(ms(line.upstream_header_time)).toBeLessThan(ttfb);
        else expect(line.upstream_header_time).toBe('');
        expect(Math.abs(ms(line.msec) - request.at)).toBeLessThanOrEqual(ttlb + 1_000);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(1_000);
  });

  it('come to the truth of what was delivered', () => {
    const delivered = Object.values(truth.delivered);
    const all = [...lines.values()].flat();
    expect(delivered.reduce((sum, { requests }) => sum + requests, 0)).toBe(all.length);
    expect(delivered.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
      all.reduce((sum, line) => sum + line.body_bytes_sent, 0),
    );
  });
});

describe('CMCD viewers', { timeout: 60_000 }, () => {
  it('come to the same truth as native ones of the same seed, where both have words for it', () => {
    const base = { seed: 6, viewers: 60, durationMs: 200_000 };
    const native = play({ ...base, cmcdShare: 0 });
    const cmcd = play({ ...base, cmcdShare: 1 });
    expect(new Set(cmcd.views.map(({ source }) => source))).toEqual(new Set(['cmcd']));
    const names = ['startup_ms', 'playing_ms', 'rebuffer_ms', 'rebuffer_count', 'bitrate_bit_ms'];
    const others = new Map(cmcd.views.map((view) => [view.view_id, view]));
    // A business failure has no words in CMCD: such a viewer watches instead, and those after it come later.
    const refused = new Set(native.views.filter((view) => view.failed_business));
    expect(refused.size).toBeLessThan(5);
    let compared = 0;
    for (const view of native.views) {
      const other = others.get(view.view_id);
      if (other === undefined || other.view_start !== view.view_start || refused.has(view))
        continue;
      if (view.outcome === 'dropped' || other.outcome === 'dropped') continue;
      expect(pick(other, names)).toEqual(pick(view, names));
      compared++;
    }
    expect(compared).toBeGreaterThan(native.views.length / 2);
  });
});

describe('concurrent viewers of the truth', { timeout: 60_000 }, () => {
  it('are those whose events say that they were active in the window', () => {
    const { items, truth } = play({ seed: 8, viewers: 40, durationMs: 120_000, cmcdShare: 0 });
    const windows = new Map<number, Set<string>>();
    for (const [view, events] of eventsByView(items)) {
      let state = '';
      for (const [index, event] of events.entries()) {
        const before = events[index - 1]?.at ?? event.at;
        const active = ['starting', 'playing', 'rebuffering', 'seeking'].includes(state);
        for (let at = before; active && at < event.at; at++) {
          const window = at - (at % 5_000);
          windows.set(window, (windows.get(window) ?? new Set()).add(view));
          at = window + 4_999;
        }
        state = event.state ?? state;
      }
    }
    const counted = [...windows].sort(([one], [other]) => one - other);
    expect(Object.entries(truth.concurrent_viewers)).toEqual(
      counted.map(([window, viewers]) => [String(window), viewers.size]),
    );
    expect(Number(Object.keys(truth.concurrent_viewers)[0])).toBe(START_AT_MS);
  });
});
