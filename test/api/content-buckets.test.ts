import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BUCKETS_MAX,
  BUCKETS_MIN,
  bucketOf,
  bucketsFor,
  hotspotsOf,
  playedIn,
} from '../../api/views/content-buckets.ts';

const DAY_MS = 86_400_000;

describe('buckets', () => {
  it('cover the content without gaps, 10 to 1000 of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: DAY_MS }), (contentMs) => {
        const buckets = bucketsFor(contentMs);
        expect(buckets.length).toBeGreaterThanOrEqual(BUCKETS_MIN);
        expect(buckets.length).toBeLessThanOrEqual(BUCKETS_MAX);
        expect([buckets[0]?.startMs, buckets.at(-1)?.endMs]).toEqual([0, contentMs]);
        for (const [index, { startMs }] of buckets.entries())
          if (index > 0) expect(startMs).toBe(buckets[index - 1]?.endMs);
      }),
      { seed: 51 },
    );
    expect(bucketsFor(0)).toEqual([]);
    expect(bucketsFor(600_000)).toHaveLength(120);
  });

  it('find the one that a second begins in', () => {
    const buckets = bucketsFor(100_000);
    for (let second = 0; second < 100; second++)
      expect(bucketOf(buckets, second)).toBe(Math.floor(second / 5));
    expect(bucketOf(buckets, 5_000)).toBe(19);
  });

  it('share out what was played, to the millisecond', () => {
    const ranges = fc.array(fc.tuple(fc.nat(90), fc.integer({ min: 1, max: 30 })), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 130_000 }), (list, contentMs) => {
        const changes = new Map<number, number>();
        const add = (second: number, change: number): void => {
          changes.set(second, (changes.get(second) ?? 0) + change);
        };
        for (const [from, length] of list) {
          add(from, 1);
          add(from + length, -1);
        }
        const sorted = [...changes].sort(([a], [b]) => a - b);
        const rows = sorted.map(([second, change]) => ({ second, change }));
        const buckets = bucketsFor(contentMs);
        const plain = buckets.map(({ startMs, endMs }) =>
          list.reduce((sum, [from, length]) => {
            const shared =
              Math.min(endMs, 1_000 * (from + length)) - Math.max(startMs, 1_000 * from);
            return sum + Math.max(0, shared);
          }, 0),
        );
        expect(playedIn(buckets, rows)).toEqual(plain);
      }),
      { seed: 52, numRuns: 500 },
    );
  });
});

describe('hotspots', () => {
  const buckets = bucketsFor(50_000);

  it('are the stretches that stand out, most first, and the coldest where asked', () => {
    const values = [0.5, 1, 0.9, 0.5, 0.5, 0, 0.5, 1, 0.5, 0.5];
    expect(hotspotsOf(buckets, values, false)).toEqual([
      { start_ms: 35_000, end_ms: 40_000, score: 1 },
      { start_ms: 5_000, end_ms: 15_000, score: 0.95 },
    ]);
    expect(hotspotsOf(buckets, values, true)).toEqual([
      { start_ms: 25_000, end_ms: 30_000, score: 0 },
    ]);
  });

  it('are none where all is watched alike', () => {
    expect(hotspotsOf(buckets, Array<number>(10).fill(0.4), false)).toEqual([]);
    expect(hotspotsOf([], [], false)).toEqual([]);
  });
});
