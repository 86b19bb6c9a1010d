/**
 * Windows as rows: one for each 5 s and each value of a dimension, with the sums that a metric needs.
 *
 * Guarantee: signed rows are always summed, so corrections count. For windows that are still filling, counts of
 * `viewers_now` stand for sums: each partition by its last epoch that ended by the window's end, and a partition whose
 * epoch left no rows by nothing.
 */
import { playbackSums } from '../../schemas/tables/tables.ts';
import { GAUGE_KEPT_MS, WINDOW_MS } from '../monitoring/windows.ts';
import type { Filter } from '../parameters/filters.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import { NEWEST_TOPIC } from './monitoring-watermark.ts';
import { allOf, filterConditions, projectCondition } from './scope.ts';
import { type Binder, bindTime } from './statement.ts';

export interface IntervalScope {
  readonly project: string;
  /** Whole windows. */
  readonly frame: Timeframe;
  readonly filters: readonly Filter[];
  /** The windows of the frame that the gauge answers for: its last ones. */
  readonly gauge: Timeframe | undefined;
}

const sumNames: ReadonlySet<string> = new Set(playbackSums.map(({ name }) => name));

/** What every answer says beside its value. */
const ALWAYS = ['viewers', 'starting_viewers'];

/** The columns of sums that an expression over `sum(…)` speaks of. */
export function sumsIn(...expressions: readonly string[]): string[] {
  const words = expressions.flatMap((expression) => expression.match(/[a-z_]+/g) ?? []);
  return [...new Set([...ALWAYS, ...words.filter((word) => sumNames.has(word))])];
}

const VIEWING = '(starting + playing + rebuffering + seeking)';

/** A gauge's counts as what a window of that state throughout would hold. */
const gaugeColumns: Readonly<Record<string, string>> = {
  viewers: VIEWING,
  starting_viewers: 'starting',
  viewing_ms: `${VIEWING} * ${WINDOW_MS}`,
  playing_ms: `playing * ${WINDOW_MS}`,
  rebuffer_ms: `rebuffering * ${WINDOW_MS}`,
};

function gaugeColumn(name: string): string {
  const column = gaugeColumns[name];
  if (column === undefined) throw new Error(`viewers_now cannot tell ${name}`);
  return column;
}

export interface WindowsSelect {
  /** Columns of `playbackSums`. */
  readonly sums: readonly string[];
  /** Column of a sketch, summed as `sketch`. Not with a gauge. */
  readonly sketch?: string | undefined;
  /** Column of a dimension that windows are divided by; `field` is empty without. */
  readonly dimension?: string | undefined;
}

/** SELECT of `at_ms`, `field` and the sums, one row for each window and value. Sums are floats: a day's may pass 2^63. */
export function selectWindows(scope: IntervalScope, binder: Binder, select: WindowsSelect): string {
  const { gauge, frame } = scope;
  const playedTo = gauge === undefined ? frame.toMs : gauge.fromMs;
  const parts = [
    ...(gauge === undefined || frame.fromMs < playedTo
      ? [playbackRows(scope, binder, select, { fromMs: frame.fromMs, toMs: playedTo })]
      : []),
    ...(gauge === undefined ? [] : [gaugeRows(scope, binder, select, gauge)]),
  ];
  const columns = [
    'at_ms',
    'field',
    ...select.sums.map((name) => `toFloat64(sum(${name})) AS ${name}`),
    ...(select.sketch === undefined ? [] : ['sumMap(sketch) AS sketch']),
  ];
  return `SELECT ${columns.join(', ')} FROM (${parts.join('\nUNION ALL\n')}) GROUP BY at_ms, field`;
}

const fieldOf = ({ dimension }: WindowsSelect): string =>
  `${dimension === undefined ? "''" : `toString(${dimension})`} AS field`;

function playbackRows(
  scope: IntervalScope,
  binder: Binder,
  select: WindowsSelect,
  { fromMs, toMs }: Timeframe,
): string {
  const conditions = [
    projectCondition(scope, binder),
    `window >= ${bindSeconds(binder, fromMs)}`,
    `window < ${bindSeconds(binder, toMs)}`,
    ...filtersOf(scope, binder),
  ];
  const columns = [
    'toInt64(toUnixTimestamp(window)) * 1000 AS at_ms',
    fieldOf(select),
    ...select.sums,
    ...(select.sketch === undefined ? [] : [`${select.sketch} AS sketch`]),
  ];
  return `SELECT ${columns.join(', ')} FROM playback_5s WHERE ${allOf(conditions)}`;
}

function gaugeRows(
  scope: IntervalScope,
  binder: Binder,
  select: WindowsSelect,
  span: Timeframe,
): string {
  const columns = select.sums.map((name) => `${gaugeColumn(name)} AS as_${name}`);
  const conditions = [
    projectCondition(scope, binder),
    ...keptConditions('at', span, binder),
    ...filtersOf(scope, binder),
  ];
  const rows = `SELECT _partition, _epoch, ${[fieldOf(select), ...columns].join(', ')}
FROM viewers_now WHERE ${allOf(conditions)}`;
  const taken = select.sums.map((name) => `now.as_${name} AS ${name}`);
  return `SELECT last.at_ms AS at_ms, now.field AS field, ${taken.join(', ')}
FROM (${lastEpochs(span, binder)}) AS last
INNER JOIN (${rows}) AS now ON last._partition = now._partition AND last.epoch = now._epoch`;
}

/**
 * For each window and partition the last epoch that ended by the window's end. Taken from `epochs`, not from
 * `viewers_now`: an epoch that held no viewers has no rows there, and an older one must not speak for it.
 */
function lastEpochs(span: Timeframe, binder: Binder): string {
  const kept = allOf([`topic = ${NEWEST_TOPIC}`, ...keptConditions('log_time', span, binder)]);
  const count = (span.toMs - span.fromMs) / WINDOW_MS;
  const windows = `SELECT ${binder.bind('Int64', span.fromMs)} + toInt64(number) * ${WINDOW_MS} AS at_ms
FROM numbers(toUInt64(${binder.bind('Int64', count)}))`;
  return `SELECT due.at_ms AS at_ms, done._partition AS _partition, done.epoch AS epoch FROM (
  SELECT at_ms, at_ms + ${WINDOW_MS} AS end_ms, _partition
  FROM (${windows}) AS w CROSS JOIN (SELECT DISTINCT _partition FROM epochs WHERE ${kept}) AS p) AS due
ASOF JOIN (
  SELECT _partition, toUnixTimestamp64Milli(log_time) AS ended_ms, max(_epoch) AS epoch
  FROM epochs WHERE ${kept} GROUP BY _partition, ended_ms) AS done
ON due._partition = done._partition AND due.end_ms >= done.ended_ms`;
}

/** Rows that a span may need: the gauge keeps an hour. */
function keptConditions(column: string, span: Timeframe, binder: Binder): string[] {
  return [
    `${column} >= ${bindTime(binder, span.fromMs - GAUGE_KEPT_MS)}`,
    `${column} <= ${bindTime(binder, span.toMs)}`,
  ];
}

function filtersOf({ project, frame, filters }: IntervalScope, binder: Binder): string[] {
  return filterConditions({ project, timeframe: frame, filters, metricFilters: [] }, binder);
}

const bindSeconds = (binder: Binder, timeMs: number): string =>
  `toDateTime(${binder.bind('Int64', timeMs / 1_000)}, 'UTC')`;
