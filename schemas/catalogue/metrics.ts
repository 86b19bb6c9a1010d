/**
 * The view metrics: what each figure means and how it is read from `views`.
 *
 * Declared once; SQL, validation, documentation and dashboards come from here. `value` is the value of one view as
 * SQL over its columns, null when the view takes no part. A ratio is sum over sum, never a mean of ratios.
 */
import { metricGroups } from './metric-groups.ts';

export type Unit = 'ms' | 'bit/s' | 'fraction' | 'count' | 'score' | 'per minute';
export type Measure =
  | '5th'
  | '25th'
  | 'median'
  | '75th'
  | '90th'
  | '95th'
  | '99th'
  | 'avg'
  | 'count'
  | 'sum'
  | 'ratio';

export interface ViewMetric {
  readonly id: string;
  readonly title: string;
  readonly definition: string;
  readonly unit: Unit;
  /** Direction that is good for the viewer; none where more is neither. */
  readonly good: 'low' | 'high' | 'none';
  readonly defaultMeasure: Measure;
  /** Value of one view in stored units, or null. */
  readonly value: string;
  /** What a stored unit is divided by for the answer: 1000 for thousandths, 10⁶ for ppm. */
  readonly scale: number;
  /** For `ratio`: sums over the views that take part; the result is numerator / denominator × factor. */
  readonly ratio?: {
    readonly numerator: string;
    readonly denominator: string;
    readonly factor: number;
  };
  /** Counts distinct values instead of views. */
  readonly distinct?: boolean;
  /** Which time of a view places it: its end, or its start. */
  readonly bucketedBy: 'end' | 'start';
  /** True: a view counts from its first row on, before it has closed. */
  readonly countsOpenViews: boolean;
}

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
