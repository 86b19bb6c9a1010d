/**
 * The view metrics: what each figure means and how it is read from `views`.
 *
 * Declared once; SQL, validation, documentation and dashboards come from here. `value` is the value of one view as
 * SQL over its columns, null when the view takes no part. A ratio is sum over sum, never a mean of ratios.
 */
import type { Measure, ViewMetric } from './metric.ts';
import { metricGroups } from './metric-groups.ts';

export type { Measure, Unit, ViewMetric } from './metric.ts';

export const measures: readonly Measure[] = [
  '5th',
  '25th',
  'median',
  '75th',
  '90th',
  '95th',
  '99th',
  'avg',
  'count',
  'sum',
  'ratio',
];

/** Quantile level of a percentile measure; undefined for the others. */
export const measureLevels: Readonly<Partial<Record<Measure, number>>> = {
  '5th': 0.05,
  '25th': 0.25,
  median: 0.5,
  '75th': 0.75,
  '90th': 0.9,
  '95th': 0.95,
  '99th': 0.99,
};

export const viewMetrics: readonly ViewMetric[] = metricGroups;

const byId = new Map(viewMetrics.map((metric) => [metric.id, metric]));

/** The metric of an id; undefined when there is none. */
export function findViewMetric(id: string): ViewMetric | undefined {
  return byId.get(id);
}
