/** What comes late falls where the client says that it was, or is refused and counted; nothing is told twice. */
import { describe, expect, it } from 'vitest';
import { type BeatEvent, part } from '../../schemas/beat.ts';
import { type BeatOptions, beat, event, response, state, states, T0 } from '../support/beats.ts';
import { type Concluded, type Delivery, foldDeliveries } from '../support/fold.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

/** Starts, plays from 1 s to 12 s with a stall from 6 s to 8 s, ends. */
const watched = states(
  [0, 'starting'],
  [1_000, 'playing'],
  [6_000, 'rebuffering'],
  [8_000, 'playing'],
  [12_000, 'ended'],
);
const FIGURES = { startup_ms: 1_000, playing_ms: 9_000, rebuffer_ms: 2_000, rebuffer_count: 1 };
const PLAYED = { 0: 4_000, 5: 3_000, 10: 2_000 };

/** A beat that reaches the log at `atMs` after T0. */
function delivery(atMs: number, events: readonly BeatEvent[], options: BeatOptions = {}): Delivery {
  return { atMs: T0 + atMs, beat: beat(events, options) };
}

/** Seconds after T0 of each window, with the sum of a column. */
function byWindow({ playbackRows }: Concluded, column: string): Record<number, number> {
  const totals: Record<number, number> = {};
  for (const row of playbackRows) {
    const second = Number(row.window) - T0 / SECOND_MS;
    totals[second] = (totals[second] ?? 0) + Number(row[column]);
  }
  return Object.fromEntries(Object.entries(totals).filter(([, total]) => total !== 0));
}

/** The same totals told by the windows and by the rows of views that stand. */
function expectSumsAgree(result: Concluded): void {
  const ids = [...new Set(result.viewRows.map(({ view_id }) => String(view_id)))];
  const inWindows = (column: string) =>
    result.playbackRows.reduce((sum, row) => sum + Number(row[column]), 0);
  const inViews = (column: string) =>
    ids.reduce((sum, id) => sum + Number(result.view(id)[column]), 0);
  for (const [window, view] of [
    ['playing_ms', 'playing_ms'],
    ['rebuffer_ms', 'rebuffer_ms'],
    ['rebuffer_starts', 'rebuffer_count'],
    ['views_started', 'started'],
    ['views_ended', 'closed'],
  ] as const) {
    expect([window, inWindows(window)]).toEqual([window, inViews(view)]);
  }
}

function eventsRefused({ rejects }: Concluded, code: string): number {
  return rejects
    .filter((row) => row.code === code)
    .reduce((sum, { events }) => sum + Number(events), 0);
}

describe('a view of which nothing came before', () => {
  for (const [name, lateMs] of [
    ['minutes', 10 * MINUTE_MS],
    ['an hour', HOUR_MS],
    ['a day', DAY_MS],
    ['34 days', 34 * DAY_MS],
  ] as const) {
    it(`that comes ${name} late falls where its client says, to the millisecond`, () => {
      const result = foldDeliveries([delivery(lateMs, watched, { sentMs: lateMs })]);
      const row = result.view('v');
      expect(row).toMatchObject({ ...FIGURES, view_start: T0, view_end: T0 + 12_000 });
      expect(row).toMatchObject({ outcome: 'ended', reports_late: 0, reports_lost: 0 });
      expect(byWindow(result, 'playing_ms')).toEqual(PLAYED);
      expect(byWindow(result, 'viewers')).toEqual({ 0: 1, 5: 1, 10: 1 });
      expect(result.rejects).toEqual([]);
      expectSumsAgree(result);
    });

    it(`and a clock wrong by a year falls there too when it comes ${name} late`, () => {
      const wrong = watched.map((item) => ({ ...item, at: item.at - YEAR_MS }));
      const result = foldDeliveries([delivery(lateMs, wrong, { sentMs: lateMs - YEAR_MS })]);
      expect(result.view('v')).toMatchObject({ ...FIGURES, view_start: T0 });
      expect(byWindow(result, 'playing_ms')).toEqual(PLAYED);
      expectSumsAgree(result);
    });
  }

  it('that comes 36 days late is refused event by event, and leaves no trace in any sum', () => {
    const late = { sentMs: 36 * DAY_MS };
    const result = foldDeliveries([delivery(36 * DAY_MS, watched, late)]);
    expect(result.rejects.map(({ code, event: place }) => [code, place])).toEqual(
      watched.map((_, place) => ['time_out_of_range', place]),
    );
    expect(eventsRefused(result, 'time_out_of_range')).toBe(watched.length);
    expect([result.viewRows, result.eventRows, result.playbackRows]).toEqual([[], [], []]);
    expect(result.fold.beats.life.audit()).toMatchObject({ eventsInViews: 0, viewsPlayingMs: 0 });
    expect(result.fold.gauges().views).toBe(0);
  });

  it('on a trusted clock is refused after the retention of the log', () => {
    const trusted = { trustedClock: true };
    const inside = foldDeliveries([delivery(29 * DAY_MS, watched, trusted)]);
    expect(inside.view('v')).toMatchObject({ ...FIGURES, view_start: T0 });
    const outside = foldDeliveries([delivery(31 * DAY_MS, watched, trusted)]);
    expect(eventsRefused(outside, 'time_out_of_range')).toBe(watched.length);
  });

  it('that does not say when it was sent falls where its last event meets its arrival', () => {
    const result = foldDeliveries([delivery(HOUR_MS, watched)]);
    expect(result.view('v')).toMatchObject({ ...FIGURES, view_end: T0 + HOUR_MS });
    expectSumsAgree(result);
  });

  it('that comes in many pieces at once, an hour late, is one view in its own hour', () => {
    const sent = { sentMs: HOUR_MS };
    const result = foldDeliveries(
      watched.map((item, index) => delivery(HOUR_MS + 100 * index, [item], sent)),
    );
    expect(result.view('v')).toMatchObject({ ...FIGURES, reports_received: 5 });
    expect(byWindow(result, 'viewers')).toMatchObject({ 0: 1, 5: 1 });
    expectSumsAgree(result);
  });

  it('whose later pieces say a time beyond what may be said keeps the place of the first', () => {
    // The second would move the first 34 and 34 days back: its clock has stepped.
    const first = [...watched.slice(0, 1), ...watched.slice(1, 2)];
    const stepped = watched.slice(2).map((item) => ({ ...item, at: item.at + 60 * DAY_MS }));
    const result = foldDeliveries([
      delivery(34 * DAY_MS, first, { sentMs: 34 * DAY_MS }),
      delivery(34 * DAY_MS + 1_000, stepped),
    ]);
    expect(result.view('v')).toMatchObject({ view_start: T0, playing_ms: 4_000 });
    expect(result.rejects).toEqual([]);
    expectSumsAgree(result);
  });
});

describe('a beat of a view that is open', () => {
  const request = part.request({ kind: 'segment', status: 200, ttfb: 30, ttlb: 60, bytes: 900 });
  const starting = state(0, 0, 'starting');
  const playing = state(1, 1_000, 'playing');
  const requested = event(2, 11_000, 'request', request);
  const stalled = state(3, 12_000, 'rebuffering');
  const again = state(4, 14_000, 'playing');
  const onward = state(5, 60_000, 'playing');

  it('that comes a minute after its successors gives its request, in its window, and no state', () => {
    const result = foldDeliveries([
      delivery(1_000, [starting, playing]),
      delivery(14_000, [again]),
      delivery(60_000, [onward]),
      delivery(74_000, [requested, stalled]),
    ]);
    expect(result.view('v')).toMatchObject({
      playing_ms: 59_000,
      rebuffer_count: 0,
      reports_late: 2,
      reports_lost: 0,
      reports_received: 6,
      request_count: 1,
      media_bytes: 900,
    });
    const sketches = result.playbackRows
      .filter((row) => (row.ttfb_sketch as unknown[]).length > 0)
      .map(({ window }) => Number(window) - T0 / SECOND_MS);
    expect(sketches).toEqual([10]);
    expect(result.eventRows.filter(({ taken }) => taken === 'late').map(({ at }) => at)).toEqual([
      T0 + 11_000,
      T0 + 12_000,
    ]);
    expectSumsAgree(result);
  });

  it('that never comes is lost, and the time around it belongs to the state held', () => {
    const result = foldDeliveries([
      delivery(1_000, [starting, playing]),
      delivery(14_000, [again]),
      delivery(60_000, [onward]),
    ]);
    expect(result.view('v')).toMatchObject({
      playing_ms: 59_000,
      reports_late: 0,
      reports_lost: 2,
      reports_received: 4,
    });
    expectSumsAgree(result);
  });

  it('that stands still for half an hour between two events has 60 s of them, the rest unknown', () => {
    const result = foldDeliveries([
      delivery(1_000, [starting, playing]),
      delivery(100_000, [event(2, 100_000, 'status')]),
    ]);
    expect(result.view('v')).toMatchObject({ playing_ms: 60_000, unknown_ms: 39_000 });
    expectSumsAgree(result);
  });
});

describe('a beat of a view that has closed by silence', () => {
  const before = states([0, 'starting'], [1_000, 'playing'], [11_000, 'playing']);
  const onward = [
    state(3, 21_000, 'playing'),
    state(4, 31_000, 'rebuffering'),
    state(5, 33_000, 'playing'),
    state(6, 43_000, 'ended'),
  ];

  it('opens it again within 30 minutes: its time falls where it was, its end is told once', () => {
    const result = foldDeliveries([
      delivery(11_000, before),
      { atMs: T0 + 5 * MINUTE_MS },
      { atMs: T0 + 6 * MINUTE_MS },
      delivery(20 * MINUTE_MS, onward),
    ]);
    const outcomes = result.viewRows.map(({ outcome }) => outcome);
    expect(outcomes).toContain('dropped');
    expect(result.view('v')).toMatchObject({
      outcome: 'ended',
      playing_ms: 40_000,
      rebuffer_ms: 2_000,
      reports_received: 7,
      view_end: T0 + 43_000,
    });
    expect(Object.keys(byWindow(result, 'playing_ms'))).toEqual(
      [0, 5, 10, 15, 20, 25, 30, 35, 40].map(String),
    );
    expect(byWindow(result, 'views_ended')).toEqual({ 40: 1 });
    expectSumsAgree(result);
  });

  for (const [name, lateMs] of [
    ['an hour', HOUR_MS],
    ['a day', DAY_MS],
  ] as const) {
    it(`is refused whole ${name} later: it is in no sum, and its events are counted`, () => {
      const result = foldDeliveries([
        delivery(11_000, before),
        { atMs: T0 + 5 * MINUTE_MS },
        { atMs: T0 + 40 * MINUTE_MS },
        delivery(lateMs, onward, { sentMs: lateMs }),
      ]);
      expect(result.rejects.map(({ code, view_id, events }) => [code, view_id, events])).toEqual([
        ['view_closed', 'v', 4],
      ]);
      expect(result.view('v')).toMatchObject({ outcome: 'dropped', playing_ms: 10_000 });
      expect(result.fold.counters().rejectsViewClosed).toBe(1);
      expectSumsAgree(result);
    });
  }

  it('begins another life once its id is forgotten, a day after that: no time is told twice', () => {
    const lateMs = 2 * DAY_MS;
    const result = foldDeliveries([
      delivery(11_000, before),
      { atMs: T0 + 5 * MINUTE_MS },
      { atMs: T0 + 40 * MINUTE_MS },
      delivery(lateMs, onward, { sentMs: lateMs }),
    ]);
    expect(result.rejects).toEqual([]);
    expect(result.fold.counters().viewsOpened).toBe(2);
    const [first] = result.viewRows.filter(({ outcome }) => outcome === 'dropped');
    expect(first).toMatchObject({ playing_ms: 10_000 });
    expect(result.view('v')).toMatchObject({ playing_ms: 20_000, reports_lost: 3 });
    const played = Object.values(byWindow(result, 'playing_ms'));
    expect(played.reduce((sum, ms) => sum + ms, 0)).toBe(30_000);
  });
});

describe('reports about requests', () => {
  const segment = part.request({ kind: 'segment', status: 200, ttfb: 20, ttlb: 50 });

  it('that lie 36 days back are refused, and those beside them are taken', () => {
    const result = foldDeliveries([
      delivery(12_000, watched, { source: 'cmcd' }),
      delivery(13_000, [response(0, -36 * DAY_MS, segment), response(1, 2_000, segment)], {
        source: 'cmcd',
      }),
    ]);
    expect(eventsRefused(result, 'time_out_of_range')).toBe(1);
    expect(result.view('v')).toMatchObject({ ...FIGURES, request_count: 1, reports_received: 6 });
  });

  it('that lie in the future are shown at most 10 minutes after they came', () => {
    const result = foldDeliveries([
      delivery(12_000, watched, { source: 'cmcd' }),
      { atMs: T0 + 20_000 },
      delivery(20_000, [response(0, 20 * YEAR_MS, segment)], { source: 'cmcd' }),
    ]);
    const [row] = result.eventRows.filter(({ lane }) => lane === 'response');
    expect(row).toMatchObject({ at: T0 + 20_000 + 10 * MINUTE_MS, client_at: T0 + 20 * YEAR_MS });
    expect(
      Math.max(...result.playbackRows.map(({ window }) => Number(window))),
    ).toBeLessThanOrEqual((T0 + 20_000 + 10 * MINUTE_MS) / SECOND_MS);
    expect(result.view('v')).toMatchObject({ request_count: 1, media_ttfb_sum_ms: 20 });
  });
});
