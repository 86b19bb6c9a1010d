/** Which views a question is about: project, time, filters; as SQL conditions over `views`. */
import type { Filter } from '../parameters/filters.ts';
import type { MetricFilter } from '../parameters/metric-filters.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import { type Binder, bindTime } from './statement.ts';

export interface Scope {
  readonly project: string;
  readonly timeframe: Timeframe;
  readonly filters: readonly Filter[];
  readonly metricFilters: readonly MetricFilter[];
}

/** Which time of a view places it, and whether views that have not closed count. */
export interface Placement {
  readonly bucketedBy: 'end' | 'start';
  readonly countsOpenViews: boolean;
}

export const timeColumn = ({ bucketedBy }: Pick<Placement, 'bucketedBy'>): string =>
  bucketedBy === 'start' ? 'view_start' : 'view_end';

/** Conditions of project and time, without filters. */
export function placeConditions(scope: Scope, placement: Placement, binder: Binder): string[] {
  return [
    projectCondition(scope, binder),
    ...(placement.countsOpenViews ? [] : ['closed = 1']),
    ...withinFrame(scope.timeframe, timeColumn(placement), binder),
    startDayCondition(scope.timeframe, binder),
  ];
}

export function projectCondition({ project }: Pick<Scope, 'project'>, binder: Binder): string {
  return `project = ${binder.bind('String', project)}`;
}

/** The timeframe is half-open: from belongs to it, to does not. */
export function withinFrame(frame: Timeframe, column: string, binder: Binder): string[] {
  return [
    `${column} >= ${bindTime(binder, frame.fromMs)}`,
    `${column} < ${bindTime(binder, frame.toMs)}`,
  ];
}

/**
 * Skips table partitions of later days. There is no bound from below: a view may run for days and ends, or has its
 * first `starting`, any time after the day of its first row. One day of slack covers clocks fixed after that row.
 */
export function startDayCondition({ toMs }: Timeframe, binder: Binder): string {
  return `start_day <= toDate(${bindTime(binder, toMs)}, 'UTC') + 1`;
}

/** Conditions of the filters: values of one dimension are alternatives, different dimensions must all hold. */
export function filterConditions(scope: Scope, binder: Binder): string[] {
  return [
    ...scope.filters.map(({ dimension, exclude, values }) => {
      const list = binder.bind('Array(String)', values);
      return exclude ? `NOT has(${list}, ${dimension})` : `has(${list}, ${dimension})`;
    }),
    ...scope.metricFilters.map(({ metric, operator, value }) => {
      const bound = binder.bind('Float64', value);
      return `ifNull((${metric.value}) / ${metric.scale} ${operator} ${bound}, 0)`;
    }),
  ];
}

export const allOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '1' : conditions.map((condition) => `(${condition})`).join(' AND ');
