/**
 * An interval metric over time, and by the values of a dimension.
 *
 * Guarantee: a value is the metric's expression over sums of all rows of its windows; a peak is the largest window's.
 * `negative_impact` of a value: (its figure − the figure of all others) × its share of the viewers, turned where high is
 * good, so that more is worse; 0 for counts, for metrics without a good direction, and for a value without others.
 */
import type { IntervalMetric } from '../../schemas/catalogue/interval-metrics.ts';
import { type IntervalScope, selectWindows, sumsIn } from './monitoring-rows.ts';
import { sketchPairs, sketchPercentile } from './monitoring-sketch.ts';
import { type Binder, createBinder, type Statement } from './statement.ts';

export const INTERVAL_ORDERS = ['negative_impact', 'value', 'views', 'field'] as const;
export type IntervalOrder = (typeof INTERVAL_ORDERS)[number];

export interface IntervalSeriesRow {
  /** Begin of the bucket, ms since 1970. */
  readonly bucket: number;
  /** Of a `mean`: the sum over its windows. */
  readonly value: number | null;
  readonly concurrent: number;
  readonly starting: number;
}

export interface IntervalBreakdownRow extends IntervalSeriesRow {
  readonly field: string;
  readonly negative_impact: number;
  /** Values of the dimension in the bucket, beyond the limit too. */
  readonly total_rows: number;
}

export interface IntervalBreakdown {
  readonly dimension: string;
  readonly orderBy: IntervalOrder;
  readonly descending: boolean;
  /** Values in each bucket. */
  readonly limit: number;
}

/** Begin of the bucket that a window is joined into; one bucket for all without a size. */
type Joined = { readonly sizeMs: number } | { readonly whole: true };

const bucketOf = (joined: Joined): string =>
  'whole' in joined ? 'toInt64(0)' : `intDiv(at_ms, ${joined.sizeMs}) * ${joined.sizeMs}`;

export function planIntervalSeries(
  metric: IntervalMetric,
  scope: IntervalScope,
  sizeMs: number,
): Statement {
  const binder = createBinder();
  const figures = selectFigures(metric, scope, binder, { sizeMs }, undefined);
  return {
    sql: `SELECT bucket, value, concurrent, starting FROM (${figures})`,
    params: binder.params,
  };
}

export function planIntervalBreakdown(
  metric: IntervalMetric,
  scope: IntervalScope,
  joined: Joined,
  question: IntervalBreakdown,
): Statement {
  const binder = createBinder();
  const figures = selectFigures(metric, scope, binder, joined, question.dimension);
  const columns: Readonly<Record<IntervalOrder, string>> = {
    negative_impact: 'negative_impact',
    value: 'value',
    views: 'concurrent',
    field: 'field',
  };
  const direction = question.descending ? 'DESC' : 'ASC';
  const order = `${columns[question.orderBy]} ${direction} NULLS LAST`;
  const sql = `SELECT *, count() OVER (PARTITION BY bucket) AS total_rows
FROM (${figures}) WHERE concurrent > 0 OR starting > 0 OR weight > 0
ORDER BY bucket, ${order}, field ASC LIMIT ${binder.bind('Int64', question.limit)} BY bucket`;
  return { sql, params: binder.params };
}

/** SELECT of bucket, field, value, weight, concurrent, starting, negative_impact. */
function selectFigures(
  metric: IntervalMetric,
  scope: IntervalScope,
  binder: Binder,
  joined: Joined,
  dimension: string | undefined,
): string {
  const sums = sumsIn(metric.value, metric.weight);
  const sketch = metric.value === '' ? metric.sketch?.column : undefined;
  const windows = selectWindows(scope, binder, { sums, sketch, dimension });
  const bucket = bucketOf(joined);
  return metric.joined === 'peak'
    ? selectPeaks(metric, windows, bucket)
    : selectSums(metric, windows, bucket, sums);
}

function selectPeaks(metric: IntervalMetric, windows: string, bucket: string): string {
  return `SELECT ${bucket} AS bucket, field, max(found) AS value, sum(weighs) AS weight,
  max(viewing) AS concurrent, max(beginning) AS starting, 0 AS negative_impact
FROM (SELECT at_ms, field, ${metric.value} AS found, ${metric.weight} AS weighs,
  max(viewers) AS viewing, max(starting_viewers) AS beginning FROM (${windows}) GROUP BY at_ms, field)
GROUP BY bucket, field`;
}

/**
 * Each value of a bucket twice: by itself (kind 0), and all others together (kind 1), whose sums are the bucket's less
 * its own. So one expression gives both figures.
 */
function selectSums(
  metric: IntervalMetric,
  windows: string,
  bucket: string,
  sums: readonly string[],
): string {
  const sketched = metric.value === '';
  const joinedSums = [
    ...sums.map((name) => `sum(${name}) AS own_${name}`),
    ...(sketched ? ['sumMap(sketch) AS own_sketch'] : []),
  ];
  const buckets = `SELECT ${bucket} AS bucket, field, max(viewers) AS viewing, max(starting_viewers) AS beginning,
  ${joinedSums.join(', ')} FROM (${windows}) GROUP BY bucket, field`;
  const over = 'OVER (PARTITION BY bucket)';
  const totals = [
    ...sums.map((name) => `sum(own_${name}) ${over} AS all_${name}`),
    ...(sketched ? [`sumMap(own_sketch) ${over} AS all_sketch`] : []),
  ];
  const sides = [
    ...sums.map((name) => `if(kind = 0, own_${name}, all_${name} - own_${name}) AS ${name}`),
    ...(sketched ? [`if(kind = 0, own_sketch, ${othersSketch}) AS sketch`] : []),
  ];
  const both = `SELECT bucket, field, kind, viewing, beginning, ${sides.join(', ')}
FROM (SELECT *, ${totals.join(', ')} FROM (${buckets})) ARRAY JOIN [0, 1] AS kind`;
  return `SELECT bucket, field, anyIf(figure, kind = 0) AS value, anyIf(figure, kind = 1) AS others,
  anyIf(weighs, kind = 0) AS weight, max(viewing_most) AS concurrent, max(beginning_most) AS starting,
  ${impactOf(metric)} AS negative_impact
FROM (${valued(metric, both)}) GROUP BY bucket, field`;
}

const othersSketch =
  'mapFromArrays(mapKeys(all_sketch), arrayMap(key -> all_sketch[key] - own_sketch[key], mapKeys(all_sketch)))';

/** The figure and the weight of each side. */
function valued(metric: IntervalMetric, both: string): string {
  const common = `bucket, field, kind, ${metric.weight} AS weighs,
  max(viewing) AS viewing_most, max(beginning) AS beginning_most`;
  const grouped = 'GROUP BY bucket, field, kind';
  if (metric.value !== '' || metric.sketch === undefined) {
    return `SELECT ${common}, toNullable(${metric.value}) AS figure FROM (${both}) ${grouped}`;
  }
  const figure = sketchPercentile('pairs', 0.5, metric.sketch);
  return `SELECT *, ${figure} AS figure
FROM (SELECT ${common}, ${sketchPairs('sumMap(sketch)')} AS pairs FROM (${both}) ${grouped})`;
}

function impactOf({ unit, good }: IntervalMetric): string {
  if (unit === 'count' || good === 'none') return '0';
  const sign = good === 'low' ? 1 : -1;
  const impact = `${sign} * (value - others) * weight / sum(weighs)`;
  return `if(isFinite(ifNull(${impact}, 0)), ifNull(${impact}, 0), 0)`;
}
