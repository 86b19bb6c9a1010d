/** The values of a dimension with the number of views that carry each, closed or not, placed by their start. */
import type { Page } from './breakdown.ts';
import { allOf, filterConditions, placeConditions, type Scope } from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export interface DimensionValueRow {
  readonly value: string;
  readonly total_count: number;
  readonly total_rows: number;
}

export function planDimensionValues(dimension: string, scope: Scope, page: Page): Statement {
  const binder = createBinder();
  const conditions = [
    ...placeConditions(scope, { bucketedBy: 'start', countsOpenViews: true }, binder),
    ...filterConditions(scope, binder),
  ];
  const limit = binder.bind('Int64', page.limit);
  const offset = binder.bind('Int64', (page.page - 1) * page.limit);
  const sql = `SELECT value, total_count, count() OVER () AS total_rows FROM (
  SELECT ${dimension} AS value, count() AS total_count FROM views FINAL WHERE ${allOf(conditions)} GROUP BY value)
ORDER BY total_count DESC, value ASC LIMIT ${limit} OFFSET ${offset} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
