/** Names in questions to the monitoring routes. A wrong one is answered with the nearest that these routes have. */
import { nearestHint } from '../../platform/nearest.ts';
import type { Project } from '../../platform/projects.ts';
import { type Dimension, dimensions, findDimension } from '../../schemas/catalogue/dimensions.ts';
import {
  findIntervalMetric,
  type IntervalMetric,
  type IntervalSketch,
  intervalMetrics,
} from '../../schemas/catalogue/interval-metrics.ts';
import { refuse } from '../errors.ts';
import type { QueryLimits } from '../limits.ts';
import { type Filter, parseFilters } from '../parameters/filters.ts';
import { shown } from '../parameters/names.ts';

/** The dimensions that interval figures carry. */
export const intervalDimensions: readonly Dimension[] = dimensions.filter(
  ({ interval }) => interval,
);
/** What `parseIntervalDimension` takes. */
export const dimensionNames = intervalDimensions.map(({ name }) => name);
/** What `parseIntervalMetric` takes. */
export const metricIds = intervalMetrics.map(({ id }) => id);

export type SketchMetric = IntervalMetric & { readonly sketch: IntervalSketch };
const hasSketch = (metric: IntervalMetric): metric is SketchMetric => metric.sketch !== undefined;
/** The metrics that have a distribution. */
export const sketchMetrics: readonly SketchMetric[] = intervalMetrics.filter(hasSketch);

export function parseIntervalMetric(id: string): IntervalMetric {
  const metric = findIntervalMetric(id);
  if (metric !== undefined) return metric;
  const detail = `there is no monitoring metric ${shown(id)}${nearestHint(id, metricIds)}`;
  throw refuse('metric_unknown', { detail });
}

/** A metric that has a distribution. */
export function parseSketchMetric(id: string): SketchMetric {
  const metric = parseIntervalMetric(id);
  if (hasSketch(metric)) return metric;
  const ids = sketchMetrics.map((one) => one.id);
  const detail = `${metric.id} has no histogram; those that have one: ${ids.join(', ')}`;
  throw refuse('metric_unknown', { detail });
}

export function parseIntervalDimension(name: string): Dimension {
  const dimension = findDimension(name);
  if (dimension?.interval === true) return dimension;
  const reason =
    dimension === undefined
      ? `there is no dimension ${shown(name)}`
      : `interval figures do not carry ${dimension.name}; they carry ${dimensionNames.join(', ')}`;
  throw refuse('dimension_unknown', { detail: reason + nearestHint(name, dimensionNames) });
}

/** `filters[]` over the dimensions that interval figures carry. */
export function parseIntervalFilters(
  values: readonly string[],
  project: Project,
  limits: QueryLimits,
): Filter[] {
  for (const value of values) {
    const colon = value.indexOf(':');
    if (colon >= 0) parseIntervalDimension(value.slice(value.startsWith('!') ? 1 : 0, colon));
  }
  return parseFilters(values, project, limits);
}
