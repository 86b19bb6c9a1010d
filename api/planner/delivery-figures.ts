/**
 * A figure of delivery overall, over time, and by the values of a dimension.
 *
 * Guarantee: sums are exact whole numbers, corrections in them; a ratio is sum over sum. Percentiles interpolate between
 * neighbours: exact over single requests, at most 1 % off over the sketches of windows.
 *
 * `negative_impact` of a value: how much better the whole would be if its requests had the figure of all others; 0 for
 * sums, counts, where neither direction is good, and for a value without others; null for percentiles.
 */
import type { DeliveryMetric } from '../../schemas/catalogue/delivery-metrics.ts';
import { type Measure, measureLevels } from '../../schemas/catalogue/metrics.ts';
import { sketchValueSql } from '../../schemas/sketch.ts';
import type { Page } from './breakdown.ts';
import { type DeliveryScope, type DeliveryTable, deliveryRows } from './delivery-rows.ts';
import { sketchPairs } from './monitoring-sketch.ts';
import { type Binder, createBinder, type Statement } from './statement.ts';

/** How a figure follows from the columns of its rows. */
export type FigureValue =
  | { readonly kind: 'percentile'; readonly level: number; readonly from: 'sketch' | 'times' }
  | { readonly kind: 'ratio'; readonly factor: number }
  | { readonly kind: 'sum'; readonly scale: number }
  | { readonly kind: 'count' };

/** Rows that a figure is taken over, as parts of a statement. */
export interface FigureRows {
  /** `WITH …`, or nothing. */
  readonly with: string;
  /** What follows the columns. */
  readonly from: string;
  readonly settings: string;
  readonly value: FigureValue;
  readonly good: 'low' | 'high' | 'none';
  /** When a row is, ms since 1970. */
  readonly atMs: string;
  readonly dimension: (name: string) => string;
  /** `… AS q_…`: q_top, q_bottom, q_count, q_requests, q_bytes, and q_times for percentiles. */
  readonly columns: readonly string[];
}

/** A metric under a measure. */
export interface DeliveryFigure {
  readonly metric: DeliveryMetric;
  readonly measure: Measure;
}

export function deliveryFigureRows(
  { metric, measure }: DeliveryFigure,
  scope: DeliveryScope,
  names: readonly string[],
  table: DeliveryTable,
  binder: Binder,
): FigureRows {
  const rows = deliveryRows(scope, names, binder, table);
  const value = figureValue({ ...metric, measure }, table === 'delivery_5s' ? 'sketch' : 'times');
  const top = metric.top.map(rows.sum).join(' + ');
  const columns = [
    `${top} AS q_top`,
    `${rows.sum(metric.bottom)} AS q_bottom`,
    `${rows.sum(metric.count)} AS q_count`,
    `${rows.sum('requests')} AS q_requests`,
    `${rows.sum('bytes')} AS q_bytes`,
  ];
  if (value.kind === 'percentile' && metric.sketch !== undefined) {
    columns.push(`${rows.times(metric.sketch)} AS q_times`);
  }
  return {
    with: '',
    from: `FROM ${rows.from} WHERE ${rows.where}`,
    settings: rows.settings,
    value,
    good: metric.good,
    atMs: rows.atMs,
    dimension: rows.dimension,
    columns,
  };
}

/** How a measure of a metric is computed. */
export function figureValue(
  { measure, factor, scale }: { measure: Measure; factor: number; scale: number },
  from: 'sketch' | 'times',
): FigureValue {
  const level = measureLevels[measure];
  if (level !== undefined) return { kind: 'percentile', level, from };
  if (measure === 'sum') return { kind: 'sum', scale };
  return measure === 'count' ? { kind: 'count' } : { kind: 'ratio', factor };
}

export interface DeliveryRow {
  readonly value: number | null;
  readonly requests: number;
  readonly bytes: number;
}

export interface DeliverySeriesRow extends DeliveryRow {
  /** Begin of the bucket, ms since 1970. */
  readonly bucket: number;
}

export interface DeliveryBreakdownRow extends DeliveryRow {
  readonly field: string;
  readonly negative_impact: number | null;
  readonly total_rows: number;
}

/** Builds the rows of a figure on the binder of its statement. */
export type RowsOn = (binder: Binder) => FigureRows;

export function planDeliveryOverall(rowsOn: RowsOn): Statement {
  const binder = createBinder();
  const rows = rowsOn(binder);
  const sql = `${rows.with} SELECT ${FIGURE} FROM (${valued(rows, [])}) ${rows.settings}`;
  return { sql, params: binder.params };
}

export function planDeliverySeries(rowsOn: RowsOn, sizeMs: number): Statement {
  const binder = createBinder();
  const rows = rowsOn(binder);
  const bucket = `intDiv(${rows.atMs}, ${sizeMs}) * ${sizeMs} AS q_bucket`;
  const sql = `${rows.with} SELECT q_bucket AS bucket, ${FIGURE}
FROM (${valued(rows, [bucket])}) WHERE requests > 0 ${rows.settings}`;
  return { sql, params: binder.params };
}

export const DELIVERY_ORDERS = ['value', 'requests', 'field', 'negative_impact'] as const;
export type DeliveryOrder = (typeof DELIVERY_ORDERS)[number];

export interface DeliveryBreakdown extends Page {
  readonly dimension: string;
  readonly orderBy: DeliveryOrder;
  readonly descending: boolean;
}

export function planDeliveryBreakdown(rowsOn: RowsOn, question: DeliveryBreakdown): Statement {
  const binder = createBinder();
  const rows = rowsOn(binder);
  const field = `${rows.dimension(question.dimension)} AS q_field`;
  const direction = question.descending ? 'DESC' : 'ASC';
  const last = question.orderBy === 'field' ? '' : ', field ASC';
  const limit = binder.bind('Int64', question.limit);
  const offset = binder.bind('Int64', (question.page - 1) * question.limit);
  const sql = `${rows.with} SELECT q_field AS field, ${FIGURE}, ${impactOf(rows)} AS negative_impact,
  count() OVER () AS total_rows
FROM (SELECT *, sum(top) OVER () AS all_top, sum(bottom) OVER () AS all_bottom
  FROM (${valued(rows, [field])}) WHERE requests > 0)
ORDER BY ${question.orderBy} ${direction} NULLS LAST${last} LIMIT ${limit} OFFSET ${offset} ${rows.settings}`;
  return { sql, params: binder.params };
}

const FIGURE = 'value, requests, bytes';

function impactOf({ value, good }: FigureRows): string {
  if (value.kind === 'percentile') return 'NULL';
  if (value.kind !== 'ratio' || good === 'none') return '0';
  const sign = good === 'low' ? 1 : -1;
  const rest = `(all_top - top) / (all_bottom - bottom) * ${value.factor}`;
  const impact = `${sign} * (value - ${rest}) * bottom / all_bottom`;
  return `if(all_bottom > bottom AND bottom > 0, ifNull(${impact}, 0), 0)`;
}

/** Adds up in 128 bits: bits × ms of a day may pass 2^63. */
const summed = (column: string, name: string): string =>
  `toFloat64(sum(toInt128(q_${column}))) AS ${name}`;

/** SELECT of the keys, `value`, and the sums that it came from, one row for each combination of the keys. */
function valued(rows: FigureRows, keys: readonly string[]): string {
  const names = keys.map((key) => key.slice(key.lastIndexOf(' ') + 1));
  const grouped = names.length === 0 ? '' : ` GROUP BY ${names.join(', ')}`;
  const sums = [
    ...names,
    summed('top', 'top'),
    summed('bottom', 'bottom'),
    summed('count', 'counted'),
    summed('requests', 'requests'),
    summed('bytes', 'bytes'),
    ...timesColumn(rows.value),
  ];
  const inner = `SELECT ${[...keys, ...rows.columns].join(', ')} ${rows.from}`;
  const totals = `SELECT ${sums.join(', ')} FROM (${inner})${grouped}`;
  return withValue(rows.value, totals);
}

function timesColumn(value: FigureValue): string[] {
  if (value.kind !== 'percentile') return [];
  return value.from === 'sketch'
    ? ['sumMap(q_times) AS sketch']
    : [`quantileExactInclusive(${value.level})(q_times) AS found`];
}

function withValue(value: FigureValue, totals: string): string {
  switch (value.kind) {
    case 'percentile':
      return value.from === 'sketch'
        ? sketched(value.level, totals)
        : `SELECT *, if(isFinite(ifNull(found, nan)), found, NULL) AS value FROM (${totals})`;
    case 'ratio':
      return `SELECT *, if(bottom > 0, top / bottom * ${value.factor}, NULL) AS value FROM (${totals})`;
    case 'sum':
      return `SELECT *, top / ${value.scale} AS value FROM (${totals})`;
    case 'count':
      return `SELECT *, counted AS value FROM (${totals})`;
  }
}

/** The same percentile over buckets as over values: neighbours at both sides of its place, interpolated. */
function sketched(level: number, totals: string): string {
  const at = (place: string): string =>
    sketchValueSql(`pairs[arrayFirstIndex(upto -> upto > ${place}, running)].1`);
  const pairs = `SELECT *, ${sketchPairs('sketch')} AS pairs FROM (${totals})`;
  const running = `SELECT *, arrayCumSum(pair -> pair.2, pairs) AS running FROM (${pairs})`;
  const placed = `SELECT *, if(empty(running), 0, toFloat64(running[-1])) AS held, ${level} * (held - 1) AS place,
  floor(place) AS low, least(low + 1, held - 1) AS high FROM (${running})`;
  const ends = `SELECT *, ${at('low')} AS low_value, ${at('high')} AS high_value FROM (${placed})`;
  return `SELECT *, if(held > 0, low_value + (high_value - low_value) * (place - low), NULL) AS value FROM (${ends})`;
}
