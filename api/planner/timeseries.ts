/** One figure in each bucket of a timeframe. Buckets are half-open and aligned to the epoch, so days are UTC days. */
import type { Timeframe } from '../parameters/timeframe.ts';
import { type Figure, type FigureRow, figureColumns, selectViews } from './figure.ts';
import { type Scope, timeColumn } from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export const GRANULARITIES = ['minute', 'ten_minutes', 'hour', 'day'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const granularityMs: Readonly<Record<Granularity, number>> = {
  minute: MINUTE_MS,
  ten_minutes: 10 * MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
};

/** The default for a timeframe, as Mux Data chooses it. */
export function defaultGranularity({ fromMs, toMs }: Timeframe): Granularity {
  const lengthMs = toMs - fromMs;
  if (lengthMs < 90 * MINUTE_MS) return 'minute';
  if (lengthMs <= 6 * HOUR_MS) return 'ten_minutes';
  return lengthMs <= 15 * DAY_MS ? 'hour' : 'day';
}

/** Begin of each bucket that the timeframe touches, ms since 1970. The first and the last may be cut by it. */
export function* bucketsOf(
  { fromMs, toMs }: Timeframe,
  granularity: Granularity,
): Iterable<number> {
  const sizeMs = granularityMs[granularity];
  for (let at = Math.floor(fromMs / sizeMs) * sizeMs; at < toMs; at += sizeMs) yield at;
}

export function bucketCount({ fromMs, toMs }: Timeframe, granularity: Granularity): number {
  const sizeMs = granularityMs[granularity];
  return Math.ceil(toMs / sizeMs) - Math.floor(fromMs / sizeMs);
}

export interface SeriesRow extends FigureRow {
  /** Begin of the bucket, ms since 1970. */
  readonly bucket: number;
}

export function planTimeseries(figure: Figure, scope: Scope, granularity: Granularity): Statement {
  const binder = createBinder();
  const sizeMs = granularityMs[granularity];
  const time = `toUnixTimestamp64Milli(${timeColumn(figure.metric)})`;
  const bucket = `intDiv(${time}, ${sizeMs}) * ${sizeMs} AS q_bucket`;
  const views = selectViews(figure, scope, binder, { columns: [bucket], filtered: true });
  const columns = ['q_bucket AS bucket', ...figureColumns(figure)];
  const sql = `SELECT ${columns.join(', ')} FROM (${views}) GROUP BY q_bucket ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
