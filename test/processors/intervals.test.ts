import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tuples } from '../../processors/tuples.ts';
import { type BeatEvent, PLAYER_STATES, part } from '../../schemas/beat.ts';
import { sketchBucket, sketchValue } from '../../schemas/sketch.ts';
import { beat, event, state, states, T0 } from '../support/beats.ts';
import { type Concluded, type Delivery, foldDeliveries } from '../support/fold.ts';

function sum(result: Concluded, column: string): number {
  return result.playbackRows.reduce((total, row) => total + Number(row[column]), 0);
}

/** Sum of a column by window, as seconds after T0. */
function byWindow(result: Concluded, column: string): Record<number, number> {
  const totals: Record<number, number> = {};
  for (const row of result.playbackRows) {
    const second = Number(row.window) - T0 / 1_000;
    totals[second] = (totals[second] ?? 0) + Number(row[column]);
  }
  return Object.fromEntries(Object.entries(totals).filter(([, total]) => total !== 0));
}

function deliver(events: readonly BeatEvent[], view = 'v'): Delivery {
  const lastAt = Math.max(...events.map(({ at }) => at));
  return { atMs: lastAt, beat: beat(events, { view }) };
}

describe('windows of 5 s', () => {
  const watched = states(
    [0, 'starting'],
    [1_000, 'playing'],
    [7_000, 'rebuffering'],
    [11_000, 'playing'],
    [12_000, 'ended'],
  );

  it('share out the time of a view by when it happened', () => {
    const result = foldDeliveries([deliver(watched)]);
    expect(byWindow(result, 'playing_ms')).toEqual({ 0: 4_000, 5: 2_000, 10: 1_000 });
    expect(byWindow(result, 'rebuffer_ms')).toEqual({ 5: 3_000, 10: 1_000 });
    expect(byWindow(result, 'viewing_ms')).toEqual({ 0: 5_000, 5: 5_000, 10: 2_000 });
  });

  it('count a view once each while it is watched', () => {
    const result = foldDeliveries([deliver(watched), deliver(watched, 'other')]);
    expect(byWindow(result, 'viewers')).toEqual({ 0: 2, 5: 2, 10: 2 });
    expect(byWindow(result, 'starting_viewers')).toEqual({ 0: 2 });
    expect(byWindow(result, 'rebuffer_starts')).toEqual({ 5: 2 });
  });

  it('leave out paused time and what is unknown', () => {
    const events = states(
      [0, 'starting'],
      [1_000, 'playing'],
      [2_000, 'paused'],
      [22_000, 'playing'],
      [100_000, 'ended'],
    );
    const result = foldDeliveries([deliver(events)]);
    expect(sum(result, 'viewing_ms')).toBe(1_000 + 1_000 + 60_000);
    expect(byWindow(result, 'viewers')).not.toHaveProperty('5');
  });

  it('know the outcome of a view, and take it back when it was reopened', () => {
    const events = [
      ...states([0, 'starting']),
      event(1, 500, 'error', part.error({ fatal: 'yes' })),
    ];
    const failed = foldDeliveries([deliver(events)]);
    expect([
      sum(failed, 'startup_failures'),
      sum(failed, 'failures'),
      sum(failed, 'views_decided'),
    ]).toEqual([1, 1, 1]);

    const again = foldDeliveries([
      deliver(events),
      { atMs: T0 + 10_000 },
      { atMs: T0 + 20_000 },
      deliver([state(2, 30_000, 'playing'), state(3, 31_000, 'ended')]),
    ]);
    expect(again.playbackRows.some((row) => Number(row.failures) < 0)).toBe(true);
    expect([
      sum(again, 'startup_failures'),
      sum(again, 'failures'),
      sum(again, 'views_ended'),
    ]).toEqual([0, 0, 1]);
    expect(sum(again, 'views_started')).toBe(1);
  });

  it('tell exits before start from failures', () => {
    const result = foldDeliveries([deliver(states([0, 'starting'], [2_000, 'quit']))]);
    expect([sum(result, 'exits_before_start'), sum(result, 'failures')]).toEqual([1, 0]);
  });

  it('weigh bitrate and live latency by playing time', () => {
    const events = [
      event(0, 0, 'rendition', part.rendition({ bitrate: 1_000_000 })),
      state(1, 0, 'starting'),
      state(2, 1_000, 'playing'),
      event(3, 3_000, 'rendition', part.rendition({ bitrate: 3_000_000 })),
      event(4, 3_000, 'status', part.status({ liveLatency: 4_000 })),
      state(5, 4_000, 'ended'),
    ];
    const result = foldDeliveries([deliver(events)]);
    expect(sum(result, 'bitrate_bit_ms')).toBe(2_000 * 1e6 + 1_000 * 3e6);
    expect(sum(result, 'latency_ms_ms')).toBe(4_000 * 1_000);
    expect(sum(result, 'latency_known_ms')).toBe(1_000);
  });
});

describe('playing time', () => {
  const anyState = fc.record({
    gapMs: fc.oneof(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: -2_000, max: 100_000 })),
    state: fc.constantFrom(...PLAYER_STATES),
  });
  const anyView = fc.array(anyState, { minLength: 1, maxLength: 12 });

  it('is the same over windows and over views, also after late beats, recovery and reopening', () => {
    fc.assert(
      fc.property(
        fc.array(anyView, { minLength: 1, maxLength: 4 }),
        fc.array(fc.boolean()),
        (list, cuts) => {
          const deliveries = list.flatMap((steps, index) => {
            let ms = 0;
            const events = steps.map((step, seq) => {
              ms += step.gapMs;
              return state(seq, ms, step.state);
            });
            const beats: BeatEvent[][] = [[]];
            events.forEach((item, at) => {
              if (cuts[at % Math.max(1, cuts.length)] === true) beats.push([]);
              beats.at(-1)?.push(item);
            });
            return beats
              .filter((part_) => part_.length > 0)
              .map((part_, at) => ({
                atMs: T0 + 600_000 + at * 13_000,
                beat: beat(part_, { view: `v${index}` }),
              }));
          });
          const result = foldDeliveries(deliveries.sort((a, b) => a.atMs - b.atMs));
          const ids = [...new Set(result.viewRows.map(({ view_id }) => String(view_id)))];
          const total = (column: string) =>
            ids.reduce((all, id) => all + Number(result.view(id)[column]), 0);
          expect(sum(result, 'playing_ms')).toBe(total('playing_ms'));
          expect(sum(result, 'rebuffer_ms')).toBe(total('rebuffer_ms'));
          expect(sum(result, 'rebuffer_starts')).toBe(total('rebuffer_count'));
          expect(sum(result, 'views_started')).toBe(total('started'));
          expect(sum(result, 'failures')).toBe(total('failed'));
          expect(sum(result, 'views_ended')).toBe(ids.length);
        },
      ),
      { seed: 21, numRuns: 500 },
    );
  });
});

describe('viewers now', () => {
  function atEnd(result: Concluded): Record<string, number> {
    const newest = Math.max(...result.nowRows.map(({ _epoch }) => Number(_epoch)));
    const rows = result.nowRows.filter(({ _epoch }) => _epoch === newest);
    const count = (name: string) => rows.reduce((all, row) => all + Number(row[name]), 0);
    return {
      playing: count('playing'),
      paused: count('paused'),
      rebuffering: count('rebuffering'),
    };
  }

  it('counts views by their state at the end of each epoch', () => {
    const result = foldDeliveries(
      [
        deliver(states([0, 'starting'], [100, 'playing']), 'a'),
        deliver(states([0, 'starting'], [100, 'playing'], [200, 'rebuffering']), 'b'),
        deliver(states([0, 'starting'], [100, 'playing'], [200, 'paused']), 'c'),
        deliver(states([0, 'starting'], [100, 'playing'], [200, 'ended']), 'd'),
      ],
      { quietMs: 10_000 },
    );
    expect(atEnd(result)).toEqual({ playing: 1, paused: 1, rebuffering: 1 });
  });

  it('leaves out a view that has been silent for over 45 s, and counts it again when it speaks', () => {
    const first = deliver(states([0, 'starting'], [100, 'playing']));
    const silent = foldDeliveries([first], { quietMs: 60_000 });
    const newest = Math.max(...silent.nowRows.map(({ at }) => Number(at)));
    expect(newest).toBeLessThanOrEqual(T0 + 50_000);
    const back = foldDeliveries(
      [first, { atMs: T0 + 30_000 }, { atMs: T0 + 60_000 }, deliver([event(2, 70_000, 'status')])],
      { quietMs: 4_000 },
    );
    expect(atEnd(back)).toMatchObject({ playing: 1 });
  });
});

describe('the number of tuples in a window', () => {
  it('is limited: beyond it video_id becomes (other), then asn, and nothing is lost', () => {
    const deliveries = Array.from({ length: 30 }, (_, index) => {
      const context = [
        { name: 'asn', value: `as${index}` },
        { name: 'video_id', value: `movie-${index}` },
      ];
      const events = states([0, 'starting'], [100, 'playing'], [1_100, 'ended']);
      return { atMs: T0 + 1_100, beat: beat(events, { view: `v${index}`, context }) };
    });
    const result = foldDeliveries(deliveries, { settings: { intervalTuplesMax: 5 } });
    expect(sum(result, 'playing_ms')).toBe(30_000);
    const videos = new Set(result.playbackRows.map(({ video_id }) => video_id));
    expect([...videos].filter((video) => video !== '(other)')).toHaveLength(5);
    expect(
      result.playbackRows.some(({ asn, video_id }) => asn === '(other)' && video_id === '(other)'),
    ).toBe(true);
    expect(result.fold.beats.intervals.tuplesCut).toBeGreaterThan(0);
  });

  it('is one for one combination, whoever asks', () => {
    const tuples = new Tuples();
    const context = new Array(60).fill('');
    expect(tuples.ofView('p', context)).toBe(tuples.ofView('p', [...context]));
    expect(tuples.ofView('q', context)).not.toBe(tuples.ofView('p', context));
  });
});

describe('sketches', () => {
  it('give back a value within 1 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (value) => {
        const back = sketchValue(sketchBucket(value));
        expect(Math.abs(back - value) / value).toBeLessThanOrEqual(0.01);
      }),
      { seed: 31, numRuns: 1_000 },
    );
    expect(sketchValue(sketchBucket(0))).toBe(0);
  });
});
