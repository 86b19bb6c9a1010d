/** `metric_filters[]`: views by a metric's value, such as `video_startup_time>=1000`, in answer units. */
import type { ViewMetric } from '../../schemas/catalogue/metrics.ts';
import { refuse } from '../errors.ts';
import { checkFilterCount, type FilterLimits } from './filters.ts';
import { parseMetric, shown } from './names.ts';

const OPERATORS = ['>=', '<=', '!=', '>', '<', '='] as const;
export type ComparisonOperator = (typeof OPERATORS)[number];

export interface MetricFilter {
  readonly metric: ViewMetric;
  readonly operator: ComparisonOperator;
  /** In answer units. */
  readonly value: number;
}

/** Parses the values of `metric_filters[]`. A view without a value for the metric does not meet any. */
export function parseMetricFilters(
  values: readonly string[],
  limits: FilterLimits,
): MetricFilter[] {
  checkFilterCount('metric_filters[]', values, limits);
  return values.map(parseMetricFilter);
}

function parseMetricFilter(text: string): MetricFilter {
  const match = /^([^<>=!]+)(>=|<=|!=|>|<|=)(-?\d{1,15}(?:\.\d{1,15})?)$/.exec(text);
  const [, id, sign, number] = match ?? [];
  const operator = OPERATORS.find((candidate) => candidate === sign);
  if (id === undefined || operator === undefined) {
    throw refuse('parameter_invalid', {
      detail: `metric_filters[] takes a metric, one of ${OPERATORS.join(' ')} and a number, such as video_startup_time>=1000, not ${shown(text)}`,
    });
  }
  const metric = parseMetric(id);
  if (metric.distinct === true) {
    const detail = `metric_filters[] cannot compare ${metric.id}: it has no number for one view`;
    throw refuse('parameter_invalid', { detail });
  }
  return { metric, operator, value: Number(number) };
}
