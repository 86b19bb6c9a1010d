/**
 * Percentiles and histograms of a sketch, as SQL over a map from bucket to weight.
 *
 * Guarantee: a percentile is the smallest value that its share of the weight does not exceed (nearest rank), to 1 %.
 * Buckets whose total is not positive are left out: a correction may come before what it corrects.
 */
import type { IntervalSketch } from '../../schemas/catalogue/interval-metrics.ts';
import { sketchValue, sketchValueSql } from '../../schemas/sketch.ts';
import { type IntervalScope, selectWindows } from './monitoring-rows.ts';
import { createBinder, type Statement } from './statement.ts';

/** Pairs of bucket and weight, by bucket, as SQL. */
export const sketchPairs = (map: string): string =>
  `arraySort(pair -> pair.1, arrayFilter(pair -> pair.2 > 0, arrayZip(mapKeys(${map}), mapValues(${map}))))`;

/** A percentile of pairs; null without any. Both arguments are SQL; `pairs` is repeated, so give it a name. */
export function sketchPercentile(pairs: string, level: number, { factor }: IntervalSketch): string {
  const running = `arrayCumSum(pair -> pair.2, ${pairs})`;
  const place = `arrayFirstIndex(sum -> sum >= ${level} * ${running}[-1], ${running})`;
  const bucket = `${pairs}[${place}].1`;
  return `if(empty(${pairs}), NULL, ${sketchValueSql(bucket)} * ${factor})`;
}

/** First bucket of each bar, so that a bar holds the buckets whose value lies in it. */
export function barBuckets({ bars, factor }: IntervalSketch): number[] {
  let bucket = 0;
  return bars.map((begin) => {
    while (sketchValue(bucket) * factor < begin) bucket += 1;
    return bucket;
  });
}

export interface HistogramRow {
  /** Begin of the bucket of time, ms since 1970. */
  readonly bucket: number;
  /** Weight of all bars. */
  readonly total: number;
  readonly median: number | null;
  readonly p95: number | null;
  readonly average: number | null;
  /** Weight of each bar. */
  readonly counts: readonly number[];
}

/** The distribution in each bucket of time. */
export function planHistogram(
  scope: IntervalScope,
  sketch: IntervalSketch,
  sizeMs: number,
): Statement {
  const binder = createBinder();
  const windows = selectWindows(scope, binder, { sums: [], sketch: sketch.column });
  const begins = barBuckets(sketch);
  const counts = begins.map((begin, index) => {
    const end = begins[index + 1];
    const within = end === undefined ? `p.1 >= ${begin}` : `p.1 >= ${begin} AND p.1 < ${end}`;
    return `arraySum(p -> if(${within}, p.2, 0), pairs)`;
  });
  const value = sketchValueSql('p.1');
  const sql = `SELECT bucket, arraySum(p -> p.2, pairs) AS total,
  ${sketchPercentile('pairs', 0.5, sketch)} AS median, ${sketchPercentile('pairs', 0.95, sketch)} AS p95,
  if(total = 0, NULL, arraySum(p -> ${value} * p.2, pairs) / total * ${sketch.factor}) AS average,
  [${counts.join(', ')}] AS counts
FROM (SELECT bucket, ${sketchPairs('sketch')} AS pairs FROM (
  SELECT intDiv(at_ms, ${sizeMs}) * ${sizeMs} AS bucket, sumMap(sketch) AS sketch
  FROM (${windows}) GROUP BY bucket))`;
  return { sql, params: binder.params };
}
