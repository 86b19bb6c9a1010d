/** Errors that views ended up with, by code, and what such an error says. */
import type { Page } from './breakdown.ts';
import { allOf, filterConditions, placeConditions, type Scope } from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export interface ErrorRow {
  readonly code: string;
  /** Views whose last error that counted has the code. */
  readonly count: number;
  /** Closed views of the scope, with and without an error. */
  readonly all_views: number;
  readonly last_seen_ms: number;
  /** A view that has it, the last one, and its start day. */
  readonly view_id: string;
  readonly start_day: string;
  readonly total_rows: number;
}

export function planErrors(scope: Scope, page: Page): Statement {
  const binder = createBinder();
  const conditions = [
    ...placeConditions(scope, { bucketedBy: 'end', countsOpenViews: false }, binder),
    ...filterConditions(scope, binder),
  ];
  const limit = binder.bind('Int64', page.limit);
  const offset = binder.bind('Int64', (page.page - 1) * page.limit);
  const sql = `SELECT code, count, all_views, last_seen_ms,
  last_view AS view_id, last_day AS start_day, count() OVER () AS total_rows
FROM (
  SELECT player_error_code AS code, count() AS count, sum(count()) OVER () AS all_views,
    toUnixTimestamp64Milli(max(view_end)) AS last_seen_ms,
    argMax(view_id, (view_end, view_id)) AS last_view,
    toString(argMax(start_day, (view_end, view_id))) AS last_day
  FROM views FINAL WHERE ${allOf(conditions)} GROUP BY code)
WHERE code != '' ORDER BY count DESC, code ASC LIMIT ${limit} OFFSET ${offset} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export interface ErrorEventRow {
  readonly view_id: string;
  readonly schema_version: number;
  readonly parts_hex: string;
}

/** The error events of some views, newest first. */
export function planErrorEvents(
  project: string,
  views: readonly { readonly view_id: string; readonly start_day: string }[],
): Statement {
  const binder = createBinder();
  const ids = binder.bind(
    'Array(String)',
    views.map(({ view_id }) => view_id),
  );
  const days = binder.bind('Array(String)', [...new Set(views.map(({ start_day }) => start_day))]);
  const conditions = [
    `project = ${binder.bind('String', project)}`,
    `has(${ids}, view_id)`,
    `has(${days}, toString(start_day))`,
    "name IN ('error', 'e')",
  ];
  const sql = `SELECT view_id, schema_version, hex(parts) AS parts_hex
FROM view_events WHERE ${allOf(conditions)} ORDER BY at DESC, seq DESC LIMIT 20 BY view_id`;
  return { sql, params: binder.params };
}
