/** A view is a function of the set of its reports: order, repetition and packing change nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BeatEvent, PLAYBACK_MODES, PLAYER_STATES, part } from '../../schemas/beat.ts';
import { beat, event, response, T0 } from '../support/beats.ts';
import { type Concluded, type Delivery, foldDeliveries } from '../support/fold.ts';
import type { Row } from '../support/row-reader.ts';

/** What may differ when the same reports arrive otherwise: how often they came, and where the clock is placed. */
const BY_ARRIVAL = new Set(['reports_duplicate', 'clock_skew_ms', '_epoch']);
const PLACEMENT = new Set(['view_start', 'view_end', 'start_day']);

const mainEvent = fc.record({
  gapMs: fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: -500, max: 90_000 })),
  part: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...PLAYER_STATES).map((state) => part.state(state)) },
    fc
      .integer({ min: 1, max: 5 })
      .map((step) =>
        part.rendition({ bitrate: step * 500_000, width: step * 320, height: step * 180 }),
      ),
    fc.integer({ min: 0, max: 20_000 }).map((liveLatency) => part.status({ liveLatency })),
    fc.integer({ min: 0, max: 60_000 }).map((playhead) => part.status({ playhead })),
    fc.constantFrom(...PLAYBACK_MODES).map(part.playbackMode),
    fc.constantFrom(640, 1280, 1920).map((playerWidth) =>
      part.status({
        playerWidth,
        playerHeight: (playerWidth * 9) / 16,
        droppedFrames: 3,
        shownFrames: playerWidth,
      }),
    ),
    fc
      .record({
        code: fc.constantFrom('a', 'b'),
        fatal: fc.constantFrom('no' as const, 'yes' as const, 'unknown' as const),
      })
      .map(part.error),
    fc
      .integer({ min: 1, max: 900 })
      .map((ttfb) =>
        part.request({ kind: 'segment', status: 200, bytes: 1_000 * ttfb, ttfb, ttlb: 2 * ttfb }),
      ),
    fc.constantFrom('x', 'y').map((value) => part.context([{ name: 'video_id', value }])),
  ),
});

const responseEvent = fc.record({
  gapMs: fc.integer({ min: 0, max: 3_000 }),
  ttlb: fc.integer({ min: 0, max: 2_000 }),
  liveLatency: fc.integer({ min: 0, max: 20_000 }),
  bitrate: fc.integer({ min: 1, max: 3 }),
});

/** The reports of one view: numbered, on the client's clock, about requests apart from the rest. */
const reports: fc.Arbitrary<BeatEvent[]> = fc
  .tuple(
    fc.array(mainEvent, { minLength: 1, maxLength: 14 }),
    fc.array(responseEvent, { maxLength: 5 }),
  )
  .map(([main, responses]) => {
    let ms = 0;
    const events = main.map(({ gapMs, part: said }, seq) => {
      ms += gapMs;
      return event(seq, ms, 'x', said);
    });
    let requestMs = 0;
    responses.forEach(({ gapMs, ttlb, liveLatency, bitrate }, seq) => {
      requestMs += gapMs;
      events.push(
        response(
          seq,
          requestMs,
          part.request({ kind: 'segment', status: 200, ttfb: ttlb >> 1, ttlb }),
          part.status({ liveLatency }),
          part.rendition({ bitrate: bitrate * 1e6 }),
        ),
      );
    });
    return events;
  });

/** An order, repetitions and cuts: how the same reports may arrive. */
const arrival = fc.record({
  order: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20 }),
  repeats: fc.array(fc.nat(1_000), { maxLength: 6 }),
  cuts: fc.array(fc.boolean(), { minLength: 26, maxLength: 26 }),
});

type Arrival = typeof arrival extends fc.Arbitrary<infer Value> ? Value : never;

function arrange(events: readonly BeatEvent[], how: Arrival): BeatEvent[][] {
  const keyed = events.map((item, index) => ({
    item,
    key: how.order[index % how.order.length] ?? 0,
  }));
  const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
  for (const repeat of how.repeats) {
    const again = shuffled[repeat % shuffled.length];
    if (again !== undefined) shuffled.splice(repeat % (shuffled.length + 1), 0, again);
  }
  const beats: BeatEvent[][] = [[]];
  shuffled.forEach((item, index) => {
    if (how.cuts[index] === true) beats.push([]);
    beats.at(-1)?.push(item);
  });
  return beats.filter((list) => list.length > 0);
}

function deliver(beats: readonly BeatEvent[][], stepMs: number): Delivery[] {
  return beats.map((events, index) => ({
    atMs: T0 + 3_600_000 + index * stepMs,
    beat: beat(events, { source: 'cmcd' }),
  }));
}

function standing(result: Concluded, left: ReadonlySet<string>): Row {
  const row = result.viewRows.at(-1) ?? {};
  return Object.fromEntries(Object.entries(row).filter(([name]) => !left.has(name)));
}

/** Timelines without what depends on arrival: running totals stand beside the report that was applied. */
function timeline(result: Concluded): string[] {
  return result.eventRows
    .map(({ lane, seq, client_at, state, taken, playing_ms, rebuffer_ms }) =>
      lane === 'main'
        ? [seq, client_at, state, taken, playing_ms, rebuffer_ms].join()
        : `rr ${seq}`,
    )
    .sort();
}

describe('a view', () => {
  it('has the same figures and timeline however its reports arrive within the reorder wait', () => {
    fc.assert(
      fc.property(reports, arrival, (events, how) => {
        const beats = arrange(events, how);
        // All arrivals lie within the wait of the first.
        const other = foldDeliveries(deliver(beats, Math.floor(4_900 / beats.length)));
        const plain = foldDeliveries(deliver([events], 0));
        const left = new Set([...BY_ARRIVAL, ...PLACEMENT]);
        expect(standing(other, left)).toEqual(standing(plain, left));
        expect(timeline(other)).toEqual(timeline(plain));
      }),
      { seed: 11, numRuns: 1_000 },
    );
  });

  it('has the same place in time when the append times are the same', () => {
    fc.assert(
      fc.property(reports, arrival, (events, how) => {
        const other = foldDeliveries(deliver(arrange(events, how), 0));
        const plain = foldDeliveries(deliver([events], 0));
        expect(standing(other, BY_ARRIVAL)).toEqual(standing(plain, BY_ARRIVAL));
      }),
      { seed: 12, numRuns: 300 },
    );
  });

  it('never has a negative or impossible figure', () => {
    fc.assert(
      fc.property(reports, (events) => {
        const row = foldDeliveries(deliver([events], 0)).viewRows.at(-1) ?? {};
        for (const [name, value] of Object.entries(row)) {
          if (typeof value === 'number' && name !== 'clock_skew_ms')
            expect([name, value >= 0]).toEqual([name, true]);
        }
        const span = Number(row.view_end) - Number(row.view_start);
        const known =
          Number(row.startup_ms) +
          Number(row.playing_ms) +
          Number(row.rebuffer_ms) +
          Number(row.seek_ms);
        expect(known).toBeLessThanOrEqual(span);
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it('gives the same bytes each time', () => {
    fc.assert(
      fc.property(reports, arrival, (events, how) => {
        const deliveries = deliver(arrange(events, how), 700);
        const once = foldDeliveries(deliveries);
        const twice = foldDeliveries(deliveries);
        expect(twice.viewRows).toEqual(once.viewRows);
        expect(twice.eventRows).toEqual(once.eventRows);
      }),
      { seed: 14, numRuns: 100 },
    );
  });
});
