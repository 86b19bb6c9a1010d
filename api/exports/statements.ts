/**
 * The statements of an export: closed views whose end lies in the timeframe, as the figures count them.
 *
 * `views` is ordered by project and view id within each start day. So an export goes from day to day, and within a day
 * from one view id on to the next page's: each page is a read of a narrow range of the key, and all pages together read
 * each row a fixed number of times, however many there are.
 */
import { allOf, filterConditions, placeConditions, type Scope } from '../planner/scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from '../planner/statement.ts';
import { readColumns, writtenColumns } from './columns.ts';
import type { ExportFormat } from './formats.ts';

const PLACEMENT = { bucketedBy: 'end', countsOpenViews: false } as const;

function conditionsOf(scope: Scope, binder: Binder): string[] {
  return [...placeConditions(scope, PLACEMENT, binder), ...filterConditions(scope, binder)];
}

export interface ExportDayRow {
  /** `2026-03-09`, UTC. */
  readonly day: string;
  readonly views: number;
}

/** Days on which views ended, newest first. */
export function planEndDays(scope: Scope): Statement {
  return planDays(scope, "toDate(view_end, 'UTC')", 'DESC');
}

/** Start days of the views, oldest first: the table partitions that hold them. */
export function planStartDays(scope: Scope): Statement {
  return planDays(scope, 'start_day', 'ASC');
}

function planDays(scope: Scope, day: string, direction: 'ASC' | 'DESC'): Statement {
  const binder = createBinder();
  const where = allOf(conditionsOf(scope, binder));
  const sql = `SELECT toString(${day}) AS day, count() AS views
FROM views FINAL WHERE ${where} GROUP BY day ORDER BY day ${direction} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export function planCount(scope: Scope): Statement {
  const binder = createBinder();
  const where = allOf(conditionsOf(scope, binder));
  const sql = `SELECT count() AS views FROM views FINAL WHERE ${where} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

/** Views of one start day, those after a view id, in the order of ids. */
export interface ExportPlace {
  readonly startDay: string;
  /** Undefined at the begin of the day. */
  readonly after: string | undefined;
}

function placeOf({ startDay, after }: ExportPlace, binder: Binder): string[] {
  return [
    `start_day = toDate(${binder.bind('String', startDay)})`,
    ...(after === undefined ? [] : [`view_id > ${binder.bind('String', after)}`]),
  ];
}

export interface PageEndRow {
  /** Id of the last view of the page; empty without views. */
  readonly last: string;
  readonly views: number;
}

/** Where the page that begins at a place ends. */
export function planPageEnd(scope: Scope, place: ExportPlace, rowsMax: number): Statement {
  const binder = createBinder();
  const where = allOf([...conditionsOf(scope, binder), ...placeOf(place, binder)]);
  const sql = `SELECT max(view_id) AS last, count() AS views FROM (
  SELECT view_id FROM views FINAL WHERE ${where} ORDER BY view_id LIMIT ${binder.bind('Int64', rowsMax)})
${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

/** The views from a place up to and with the one that ends the page. */
export function planPage(
  scope: Scope,
  place: ExportPlace,
  last: string,
  format: ExportFormat,
): Statement {
  const binder = createBinder();
  const ends = `view_id <= ${binder.bind('String', last)}`;
  const where = allOf([...conditionsOf(scope, binder), ...placeOf(place, binder), ends]);
  return { sql: written(where, format), params: binder.params };
}

/** All views at once. */
export function planWhole(scope: Scope, format: ExportFormat): Statement {
  const binder = createBinder();
  const where = allOf(conditionsOf(scope, binder));
  return { sql: written(where, format), params: binder.params };
}

/** Settings that make files the same from every engine, whatever its profile. */
const FORMAT_SETTINGS: Readonly<Record<ExportFormat, string>> = {
  csv: "date_time_output_format = 'iso', format_csv_delimiter = ',', format_csv_null_representation = '', output_format_csv_crlf_end_of_line = 1",
  ndjson: "date_time_output_format = 'iso', output_format_json_escape_forward_slashes = 0",
  parquet:
    "output_format_parquet_string_as_string = 1, output_format_parquet_compression_method = 'zstd'",
};

function written(where: string, format: ExportFormat): string {
  return `SELECT ${writtenColumns(format).join(', ')} FROM (
  SELECT ${readColumns.join(', ')} FROM views FINAL WHERE ${where} ORDER BY start_day, view_id)
${VIEWS_SETTINGS}, ${FORMAT_SETTINGS[format]}`;
}
