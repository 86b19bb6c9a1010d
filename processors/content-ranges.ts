/**
 * Parts of a content, in whole seconds: half-open, apart from each other, in their order.
 *
 * Guarantee: never more than so many. Beyond, the two that are nearest to each other become one, with what lies between.
 */

const SECOND_MS = 1_000;

export function secondOf(contentMs: number): number {
  return Math.floor(contentMs / SECOND_MS);
}

/**
 * Adds a part to `ranges`, which holds from and to of each in turn. Returns how many gaps were closed to make room.
 *
 * Both ends are cut to the second that they lie in, so that parts that follow on each other still do.
 */
export function addRange(
  ranges: number[],
  fromMs: number,
  toMs: number,
  rangesMax: number,
): number {
  let from = secondOf(fromMs);
  let to = secondOf(toMs);
  // Where a position is not known there is no part.
  if (!(to > from)) return 0;
  let first = 0;
  while (first < ranges.length && (ranges[first + 1] as number) < from) first += 2;
  let after = first;
  while (after < ranges.length && (ranges[after] as number) <= to) {
    from = Math.min(from, ranges[after] as number);
    to = Math.max(to, ranges[after + 1] as number);
    after += 2;
  }
  ranges.splice(first, after - first, from, to);
  let closed = 0;
  for (; ranges.length > 2 * rangesMax; closed++) closeNearest(ranges);
  return closed;
}

/** Joins the first two parts that have the least between them. */
function closeNearest(ranges: number[]): void {
  let nearest = 1;
  for (let gap = 3; gap + 1 < ranges.length; gap += 2) {
    if (gapAt(ranges, gap) < gapAt(ranges, nearest)) nearest = gap;
  }
  ranges.splice(nearest, 2);
}

function gapAt(ranges: readonly number[], gap: number): number {
  return (ranges[gap + 1] as number) - (ranges[gap] as number);
}
