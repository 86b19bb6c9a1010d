/** One figure over all views of a scope, and the same over all views of the project, in one query. */
import { aggregate, type Figure, type FigureRow, figureColumns, selectViews } from './figure.ts';
import { allOf, filterConditions, type Scope } from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export interface OverallRow extends FigureRow {
  /** The figure without the filters. */
  readonly global_value: number | null;
}

export function planOverall(figure: Figure, scope: Scope): Statement {
  const binder = createBinder();
  if (scope.filters.length === 0 && scope.metricFilters.length === 0) {
    // Every view meets no filter: one pass says both.
    const all = selectViews(figure, scope, binder, { filtered: false });
    const sql = `SELECT ${figureColumns(figure).join(', ')}, value AS global_value FROM (${all}) ${VIEWS_SETTINGS}`;
    return { sql, params: binder.params };
  }
  const matches = `${allOf(filterConditions(scope, binder))} AS q_match`;
  const views = selectViews(figure, scope, binder, { columns: [matches], filtered: false });
  const columns = [...figureColumns(figure, 'q_match'), `${aggregate(figure)} AS global_value`];
  const sql = `SELECT ${columns.join(', ')} FROM (${views}) ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
