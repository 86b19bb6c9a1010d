/**
 * Groups of a breakdown by a percentile, each with the percentile of all views outside of it: exactly, and from one look
 * at the views.
 *
 * Views are laid into cells by group and by a coarse bucket of their value. The sizes of the cells say in which buckets
 * a percentile falls. Only those are opened and their views counted by value; all others stand as one value each,
 * which changes no rank. So what follows the look is about as much for bit rates, of which hardly two are the same, as
 * for scores. The k-th smallest of a group's outside stands at k + (the group's own views before it) among all: no
 * group is compared with another.
 */
import { type Figure, selectViews } from './figure.ts';
import type { Scope } from './scope.ts';
import type { Binder } from './statement.ts';

/** Bits of a Float32 that are dropped: 2^20 of them leave 8 buckets from a value to its double. */
const BUCKET_BITS = 20;

/** What a percentile of the rest is looked for as, in the rows that `marked` adds. */
const LOW = 1;
const HIGH = 2;

export interface PercentileQuestion {
  /** Column name of a dimension of the catalogue. */
  readonly dimension: string;
  /** Above 0, below 1. */
  readonly level: number;
}

export function percentileGroups(
  figure: Figure,
  scope: Scope,
  binder: Binder,
  { dimension, level }: PercentileQuestion,
): string {
  const views = selectViews(figure, scope, binder, {
    columns: [`${dimension} AS q_field`],
    filtered: true,
  });
  return answered(marked(counted(opened(cells(views), level)), 'sums', level), {
    level,
    scale: figure.metric.scale,
  });
}

/** Groups × buckets, with the values of each. Sums are one array, so that they are carried along as one column. */
function cells(views: string): string {
  const sums = ['q_playing', 'q_watch', 'q_received', 'q_expected'];
  // The bits of a Float32 have the order of the numbers; below zero it is turned, and turned back here.
  const bits = 'reinterpretAsInt32(toFloat32(assumeNotNull(q_value)))';
  return `SELECT q_field AS field, bitShiftRight(if(${bits} < 0, bitXor(${bits}, 2147483647), ${bits}), ${BUCKET_BITS}) AS at,
  toInt64(count()) AS c, groupArray(assumeNotNull(q_value)) AS vs,
  [${sums.map((sum) => `toInt64(ifNull(sum(${sum}), 0))`).join(', ')}] AS sums
FROM (${views}) GROUP BY q_field, at`;
}

/**
 * Adds where a row (`c` views of a group at `at`) stands, and for each group two rows that ask, at the places among all
 * where the two values stand that the percentile of its rest lies between. `asks` is 0 for the rows that were there.
 */
function marked(rows: string, carried: string, level: number): string {
  const others = 'total - own';
  const high = `least(low + 1, ${others} - 1)`;
  const restBefore = 'all_upto - same - own_upto + c';
  const ranked = `SELECT field, at, c, ${carried}, sum(c) OVER () AS total, sum(c) OVER (PARTITION BY field) AS own,
  sum(c) OVER (PARTITION BY field ORDER BY at ROWS UNBOUNDED PRECEDING) AS own_upto,
  sum(c) OVER (ORDER BY at RANGE UNBOUNDED PRECEDING) AS all_upto,
  sum(c) OVER (ORDER BY at RANGE CURRENT ROW) AS same
FROM (${rows})`;
  const placed = `SELECT field, at, c, ${carried}, total, own, own_upto, all_upto, same,
  toInt64(floor(${level} * (${others} - 1))) AS low,
  low + (sum(if(${restBefore} <= low, c, 0)) OVER (PARTITION BY field)) AS low_place,
  ${high} + (sum(if(${restBefore} <= ${high}, c, 0)) OVER (PARTITION BY field)) AS high_place
FROM (${ranked})`;
  return `SELECT field, at, c, ${carried}, total, own, own_upto, all_upto, low, mark.1 AS place, mark.2 AS asks
FROM (${placed}) ARRAY JOIN if(own_upto = c,
  [(all_upto - same, 0), (low_place, ${LOW}), (high_place, ${HIGH})], [(all_upto - same, 0)]) AS mark`;
}

/** The rank, from 1, of the lower of the two values that a group's own percentile lies between. */
const ownRank = (level: number): string => `floor(${level} * (own - 1) + 1)`;

/** Says of each cell whether its values matter: a percentile falls into it, and its values differ. */
function opened(rows: string, level: number): string {
  const rank = ownRank(level);
  const next = `min(if(asks > 0, place, NULL)) OVER (ORDER BY place DESC, asks DESC ROWS UNBOUNDED PRECEDING)`;
  return `SELECT field, c, vs, sums, arrayMin(vs) != arrayMax(vs) AND (
  (own_upto >= ${rank} AND own_upto - c <= ${rank}) OR (total > own AND next < all_upto)) AS opened
FROM (SELECT field, c, vs, sums, total, own, own_upto, all_upto, asks, ${next} AS next
  FROM (${marked(rows, 'vs, sums', level)}))
WHERE asks = 0`;
}

/** Views by group and value. A cell that stays closed is one value: whichever of its own. */
function counted(rows: string): string {
  const values = 'if(opened, vs, [vs[1]])';
  return `SELECT field, toFloat64(v) AS at, toInt64(sum(if(opened, 1, c))) AS c, sumForEachIf(sums, nth = 1) AS sums
FROM (${rows}) ARRAY JOIN ${values} AS v, arrayEnumerate(${values}) AS nth
GROUP BY field, at`;
}

/** Both percentiles lie between neighbours in a straight line; a group's own as quantileExactInclusive computes it. */
function answered(rows: string, { level, scale }: { level: number; scale: number }): string {
  const rank = ownRank(level);
  const found = 'max(if(asks = 0, at, NULL)) OVER (ORDER BY place, asks ROWS UNBOUNDED PRECEDING)';
  return `SELECT field, own AS views, s[1] AS playing, s[2] AS watch, s[3] AS received, s[4] AS expected,
  (own_low + (${level} * (own - 1) + 1 - ${rank}) * (own_high - own_low)) / ${scale} AS value,
  if(total = own, NULL, (rest_low + (rest_high - rest_low) * (${level} * (total - own - 1) - low)) / ${scale}) AS rest
FROM (SELECT field, total, own, low, sumForEachIf(sums, asks = 0) AS s,
    minIf(at, own_there >= ${rank}) AS own_low,
    minIf(at, own_there >= least(${rank} + 1, toFloat64(own))) AS own_high,
    anyIf(found, asks = ${LOW}) AS rest_low, anyIf(found, asks = ${HIGH}) AS rest_high
  FROM (SELECT field, at, sums, total, own, if(asks = 0, own_upto, 0) AS own_there, low, asks, ${found} AS found FROM (${rows}))
  GROUP BY field, total, own, low)`;
}
