/**
 * A content cut into buckets of equal length, and what its seconds say of them.
 *
 * One bucket for each five seconds, at least 10 and at most 1000. A bucket's bounds are whole milliseconds, and a second
 * that a bound cuts counts to both sides by its share.
 */

const BUCKET_MS = 5_000;
export const BUCKETS_MIN = 10;
export const BUCKETS_MAX = 1_000;
const SECOND_MS = 1_000;

export interface Bucket {
  readonly startMs: number;
  /** Not in it. */
  readonly endMs: number;
}

/** Buckets of a content of so many ms; none of one that has no length. */
export function bucketsFor(contentMs: number): Bucket[] {
  if (contentMs <= 0) return [];
  const wanted = Math.ceil(contentMs / BUCKET_MS);
  const count = Math.min(BUCKETS_MAX, Math.max(BUCKETS_MIN, wanted));
  const boundAt = (index: number): number => Math.round((index * contentMs) / count);
  return Array.from({ length: count }, (_, index) => ({
    startMs: boundAt(index),
    endMs: boundAt(index + 1),
  }));
}

/**
 * Played time in each bucket, ms of all views together. `changes` says how many views more play from a second on, in the
 * order of the seconds.
 */
export function playedIn(
  buckets: readonly Bucket[],
  changes: readonly { readonly second: number; readonly change: number }[],
): number[] {
  let next = 0;
  let playing = 0;
  return buckets.map(({ startMs, endMs }) => {
    let playedMs = 0;
    let fromMs = startMs;
    while (fromMs < endMs) {
      for (; (changes[next]?.second ?? Number.NaN) * SECOND_MS <= fromMs; next++)
        playing += changes[next]?.change ?? 0;
      const untilMs = Math.min(
        endMs,
        (changes[next]?.second ?? Number.POSITIVE_INFINITY) * SECOND_MS,
      );
      playedMs += playing * (untilMs - fromMs);
      fromMs = untilMs;
    }
    return playedMs;
  });
}

/** Place of the bucket that a second begins in; what lies beyond the end is in the last. */
export function bucketOf(buckets: readonly Bucket[], second: number): number {
  let [low, high] = [0, buckets.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((buckets[middle]?.endMs ?? 0) <= second * SECOND_MS) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface Hotspot {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly score: number;
}

/**
 * Runs of buckets that stand out from the mean by more than half a standard deviation: above it, or below it where
 * `coldest` is asked for. The score of one is the mean of its buckets; ties are in the order of the content.
 */
export function hotspotsOf(
  buckets: readonly Bucket[],
  values: readonly number[],
  coldest: boolean,
): Hotspot[] {
  const mean = meanOf(values);
  const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
  const standsOut = (value: number): boolean =>
    coldest ? value < mean - deviation / 2 : value > mean + deviation / 2;
  const spots: Hotspot[] = [];
  for (let first = 0; first < values.length; first++) {
    let after = first;
    while (after < values.length && standsOut(values[after] ?? mean)) after++;
    if (after === first) continue;
    spots.push({
      start_ms: buckets[first]?.startMs ?? 0,
      end_ms: buckets[after - 1]?.endMs ?? 0,
      score: meanOf(values.slice(first, after)),
    });
    first = after;
  }
  const sign = coldest ? 1 : -1;
  return spots.sort((a, b) => sign * (a.score - b.score) || a.start_ms - b.start_ms);
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
