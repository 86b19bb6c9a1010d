/** Names that a client may send: metrics, dimensions, measures. A wrong one is answered with the nearest valid one. */
import { nearestHint } from '../../platform/nearest.ts';
import {
  type Dimension,
  dimensionAliases,
  dimensions,
  findDimension,
} from '../../schemas/catalogue/dimensions.ts';
import {
  findViewMetric,
  type Measure,
  measures,
  type ViewMetric,
  viewMetrics,
} from '../../schemas/catalogue/metrics.ts';
import { refuse } from '../errors.ts';
import { measuresOf } from '../planner/figure.ts';

const NAME_SHOWN_MAX = 64;

/** What `parseMetric` takes. */
export const metricIds = viewMetrics.map(({ id }) => id);
/** What `parseDimension` takes. */
export const dimensionNames = [
  ...dimensions.map(({ name }) => name),
  ...Object.keys(dimensionAliases),
];

/** A name as a message may repeat it. */
export const shown = (name: string): string => JSON.stringify(name.slice(0, NAME_SHOWN_MAX));

export function parseMetric(id: string): ViewMetric {
  const metric = findViewMetric(id);
  if (metric !== undefined) return metric;
  const detail = `there is no metric ${shown(id)}${nearestHint(id, metricIds)}`;
  throw refuse('metric_unknown', { detail });
}

export function parseDimension(name: string): Dimension {
  const dimension = findDimension(name);
  if (dimension !== undefined) return dimension;
  const detail = `there is no dimension ${shown(name)}${nearestHint(name, dimensionNames)}`;
  throw refuse('dimension_unknown', { detail });
}

/** The measure asked for, or the metric's own. */
export function parseMeasure(metric: ViewMetric, name: string | undefined): Measure {
  if (name === undefined) return metric.defaultMeasure;
  const valid = measuresOf(metric, measures);
  const measure = valid.find((candidate) => candidate === name);
  if (measure !== undefined) return measure;
  const hint = nearestHint(name, valid);
  throw refuse('parameter_invalid', {
    detail: `${metric.id} has no measurement ${shown(name)}; it has ${valid.join(', ')}${hint}`,
  });
}
