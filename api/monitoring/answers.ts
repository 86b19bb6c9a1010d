/**
 * Rows of the planner as answers, in Mux Data's shapes.
 *
 * Guarantee: every bucket of the frame has its point, in order, whether or not anything happened in it.
 */
import type { IntervalMetric } from '../../schemas/catalogue/interval-metrics.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import type { IntervalBreakdownRow, IntervalSeriesRow } from '../planner/monitoring.ts';
import type { HistogramRow } from '../planner/monitoring-sketch.ts';
import type { SketchMetric } from './names.ts';
import { type Bucket, isoSeconds, WINDOW_MS } from './windows.ts';

/** A count over nothing is 0; of all else nothing is known. A mean is over all windows, empty ones too. */
function figureOf(
  { unit, joined }: IntervalMetric,
  value: number | null | undefined,
  windows: number,
): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return unit === 'count' ? 0 : null;
  return joined === 'mean' ? value / windows : value;
}

export interface SeriesPoint {
  readonly date: string;
  readonly value: number | null;
  readonly concurrent_viewers: number;
}

export function seriesPoints(
  metric: IntervalMetric,
  buckets: readonly Bucket[],
  rows: readonly IntervalSeriesRow[],
): SeriesPoint[] {
  const byBucket = new Map(rows.map((row) => [row.bucket, row]));
  return buckets.map(({ atMs, windows }) => {
    const row = byBucket.get(atMs);
    return {
      date: isoSeconds(atMs),
      value: figureOf(metric, row?.value, windows),
      concurrent_viewers: row?.concurrent ?? 0,
    };
  });
}

/** A value of a breakdown, over all windows of a frame. */
export function breakdownItem(
  metric: IntervalMetric,
  dimension: string,
  { fromMs, toMs }: Timeframe,
  row: IntervalBreakdownRow,
) {
  return {
    value: row.field,
    display_value: displayValue(dimension, row.field),
    metric_value: figureOf(metric, row.value, (toMs - fromMs) / WINDOW_MS),
    concurrent_viewers: row.concurrent,
    starting_up_viewers: row.starting,
    negative_impact: row.negative_impact,
  };
}

export function breakdownSeriesPoints(
  metric: IntervalMetric,
  buckets: readonly Bucket[],
  rows: readonly IntervalBreakdownRow[],
) {
  const byBucket = new Map<number, IntervalBreakdownRow[]>();
  for (const row of rows) {
    const found = byBucket.get(row.bucket);
    if (found === undefined) byBucket.set(row.bucket, [row]);
    else found.push(row);
  }
  return buckets.map(({ atMs, windows }) => ({
    date: isoSeconds(atMs),
    values: (byBucket.get(atMs) ?? []).map((row) => ({
      value: row.field,
      metric_value: figureOf(metric, row.value, windows),
      concurrent_viewers: row.concurrent,
      starting_up_viewers: row.starting,
    })),
  }));
}

const regionNames = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });

/** A value for people. Only countries have codes that are not names. */
export function displayValue(dimension: string, value: string): string {
  if (dimension !== 'country' || !/^[A-Z]{2}$/.test(value)) return value;
  return regionNames.of(value) ?? value;
}

export function histogramPoints(
  { sketch }: SketchMetric,
  buckets: readonly Bucket[],
  rows: readonly HistogramRow[],
) {
  const byBucket = new Map(rows.map((row) => [row.bucket, row]));
  const empty = sketch.bars.map(() => 0);
  return buckets.map(({ atMs }) => {
    const row = byBucket.get(atMs);
    const total = row?.total ?? 0;
    const values = (row?.counts ?? empty).map((count) => ({
      count,
      percentage: total > 0 ? count / total : 0,
    }));
    return {
      timestamp: isoSeconds(atMs),
      sum: total,
      median: row?.median ?? null,
      p95: row?.p95 ?? null,
      average: row?.average ?? null,
      max_percentage: Math.max(...values.map(({ percentage }) => percentage)),
      bucket_values: values,
    };
  });
}

const UNIT_NAMES: Readonly<Record<string, string>> = {
  ms: 'milliseconds',
  'bit/s': 'bits_per_second',
};

/** What the bars of a histogram are. */
export function histogramMeta({ unit, sketch }: SketchMetric) {
  return {
    bucket_unit: UNIT_NAMES[unit] ?? unit,
    buckets: sketch.bars.map((start, index) => ({ start, end: sketch.bars[index + 1] ?? null })),
    counts: sketch.counts,
  };
}
