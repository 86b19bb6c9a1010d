/** Names in questions about delivery. A wrong one is answered with the nearest that these routes have. */
import { nearestHint } from '../../platform/nearest.ts';
import {
  type DeliveryDimension,
  deliveryDimensions,
  findDeliveryDimension,
} from '../../schemas/catalogue/delivery-dimensions.ts';
import { type DeliveryMetric, deliveryMetrics } from '../../schemas/catalogue/delivery-metrics.ts';
import { type SideMetric, sideMetrics } from '../../schemas/catalogue/delivery-side-metrics.ts';
import { dimensionAliases } from '../../schemas/catalogue/dimensions.ts';
import type { Measure } from '../../schemas/catalogue/metrics.ts';
import type { RequestSource } from '../../schemas/tables/delivery.ts';
import { refuse } from '../errors.ts';
import { shown } from '../parameters/names.ts';

/** A metric of one source, or of both sides. */
export type AnyMetric =
  | { readonly of: 'source'; readonly metric: DeliveryMetric }
  | { readonly of: 'both'; readonly metric: SideMetric };

export const deliveryMetricIds = [...deliveryMetrics, ...sideMetrics].map(({ id }) => id);
export const deliveryDimensionNames = [
  ...deliveryDimensions.map(({ name }) => name),
  ...Object.keys(dimensionAliases),
];

export function parseDeliveryMetric(id: string): AnyMetric {
  const metric = deliveryMetrics.find((each) => each.id === id);
  if (metric !== undefined) return { of: 'source', metric };
  const side = sideMetrics.find((each) => each.id === id);
  if (side !== undefined) return { of: 'both', metric: side };
  const hint = nearestHint(id, deliveryMetricIds);
  throw refuse('metric_unknown', { detail: `there is no delivery metric ${shown(id)}${hint}` });
}

export function parseDeliveryDimension(name: string): DeliveryDimension {
  const dimension = findDeliveryDimension(name);
  if (dimension !== undefined) return dimension;
  const hint = nearestHint(name, deliveryDimensionNames);
  throw refuse('dimension_unknown', { detail: `there is no dimension ${shown(name)}${hint}` });
}

/** The measure asked for, or the metric's own. */
export function parseDeliveryMeasure(
  { id, measures, defaultMeasure }: AnyMetric['metric'],
  name: string | undefined,
): Measure {
  if (name === undefined) return defaultMeasure;
  const measure = measures.find((candidate) => candidate === name);
  if (measure !== undefined) return measure;
  const detail = `${id} has no measurement ${shown(name)}; it has ${measures.join(', ')}${nearestHint(name, measures)}`;
  throw refuse('parameter_invalid', { detail });
}

/** Who is asked. Metrics of both sides have no source to choose, and some only edges can tell. */
export function sourceOf(
  { of, metric }: AnyMetric,
  asked: RequestSource | undefined,
): RequestSource | 'both' {
  if (of === 'both') {
    if (asked === undefined) return 'both';
    const detail = `${metric.id} is of both sides together; leave source out`;
    throw refuse('parameter_invalid', { detail });
  }
  if (asked === 'player' && metric.edgeOnly) {
    const detail = `players do not tell ${metric.id}; ask with source=edge`;
    throw refuse('parameter_invalid', { detail });
  }
  return asked ?? 'edge';
}
