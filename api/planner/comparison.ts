/**
 * Many figures of one scope in one query: each over the views that its own placement puts into the timeframe.
 *
 * Guarantee: every figure is what its own question would answer, to the bit.
 */
import type { ViewMetric } from '../../schemas/catalogue/metrics.ts';
import { aggregate, type Figure, valueColumns } from './figure.ts';
import {
  allOf,
  filterConditions,
  projectCondition,
  type Scope,
  startDayCondition,
  withinFrame,
} from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

/** Values of the figures, `f0`, `f1`, …, in their order. */
export type ComparisonRow = Readonly<Record<string, number | null>>;

export const figureName = (index: number): string => `f${index}`;

export function planComparison(figures: readonly Figure[], scope: Scope): Statement {
  const binder = createBinder();
  const metrics = [...new Set(figures.map(({ metric }) => metric))];
  const columns = metrics.flatMap((metric) => valueColumns(metric, prefixOf(metric)));
  const ended = allOf(withinFrame(scope.timeframe, 'view_end', binder));
  const begun = allOf(withinFrame(scope.timeframe, 'view_start', binder));
  const conditions = [
    projectCondition(scope, binder),
    startDayCondition(scope.timeframe, binder),
    `((${ended}) AND closed = 1) OR (${begun})`,
    ...filterConditions(scope, binder),
  ];
  const views = `SELECT ${columns.join(', ')}, closed AS q_closed, ${ended} AS q_ended, ${begun} AS q_begun
FROM views FINAL WHERE ${allOf(conditions)}`;
  const values = figures.map(
    (figure, index) =>
      `${aggregate(figure, takesPart(figure), prefixOf(figure.metric))} AS ${figureName(index)}`,
  );
  const sql = `SELECT ${values.join(', ')} FROM (${views}) ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

const prefixOf = ({ id }: ViewMetric): string => `m_${id}`;

function takesPart({ metric }: Figure): string {
  return allOf([
    metric.bucketedBy === 'start' ? 'q_begun' : 'q_ended',
    ...(metric.countsOpenViews ? [] : ['q_closed = 1']),
    `${prefixOf(metric)}_value IS NOT NULL`,
  ]);
}
