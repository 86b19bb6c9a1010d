/** From parameters to questions about spans: the parts that the routes of subviews share. */
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { known } from '../../platform/http/reference.ts';
import { nearestHint } from '../../platform/nearest.ts';
import { refuse } from '../errors.ts';
import { projectOf } from '../guards/token.ts';
import { checkFilterCount, parseFilters } from '../parameters/filters.ts';
import { dimensionNames, parseDimension, shown } from '../parameters/names.ts';
import {
  attributesOf,
  type SpanFilter,
  type SpanQuestion,
  type SpanRow,
  SUBVIEW_METRICS,
  SUBVIEW_TYPES,
  type SubviewMetric,
  type SubviewType,
  viewMetricOf,
} from '../planner/subviews.ts';
import { bucketCount, granularityMs } from '../planner/timeseries.ts';
import type { RouteDeps } from './deps.ts';
import { number } from './quantities.ts';
import { type ScopeQuery, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

/** Stands for the unknown value where a parameter names one. */
export const EMPTY = '__empty__';
/** Longer timeframes have a bucket for each day, ms. */
const HOURS_UP_TO_MS = 15 * granularityMs.day;

const allAttributes = SUBVIEW_TYPES.flatMap(attributesOf);
/** A parameter that names what `dimensionOf` takes. */
export const dimensionName = (description: string) =>
  Type.String({
    ...known([...allAttributes, ...dimensionNames]),
    description,
    examples: ['country'],
  });

export const typeParams = {
  type: Type.String({ ...known(SUBVIEW_TYPES), description: 'Kind of span.' }),
};
export const metricParams = Type.Object({
  id: Type.String({ ...known(SUBVIEW_METRICS), description: 'Metric.' }),
  ...typeParams,
});

export const filters = {
  'filters[]': Type.Optional(
    Type.Array(Type.String(), {
      description: `As everywhere, by dimensions of the view, and by attributes of its spans (/subview-metrics/{type}/dimensions lists both). \`${EMPTY}\` is the unknown value.`,
    }),
  ),
  'metric_filters[]': schema.filters['metric_filters[]'],
};

export const groupBy = {
  'group_by[]': Type.Optional(
    Type.Array(Type.String(known(allAttributes)), {
      description: 'Attributes of the spans. Default: all of their kind.',
    }),
  ),
};

/** Parses a name of a path. */
function oneOf<Name extends string>(
  name: string,
  known: readonly Name[],
  code: 'metric_unknown' | 'parameter_invalid',
  what: string,
): Name {
  const found = known.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  const detail = `there is no ${what} ${shown(name)}${nearestHint(name, known)}; there are ${known.join(', ')}`;
  throw refuse(code, { detail });
}

export const typeOf = (name: string): SubviewType =>
  oneOf(name, SUBVIEW_TYPES, 'parameter_invalid', 'kind of subview');
export const metricOf = (name: string): SubviewMetric =>
  oneOf(name, SUBVIEW_METRICS, 'metric_unknown', 'subview metric');

/** Filters by attributes of spans, apart from those by dimensions of the view. */
export function questionOf(
  request: FastifyRequest,
  query: ScopeQuery,
  deps: RouteDeps,
  [metric, type]: readonly [SubviewMetric, SubviewType],
): SpanQuestion {
  const all = query['filters[]'] ?? [];
  checkFilterCount('filters[]', all, deps.limits);
  const attributes = attributesOf(type);
  const spans = new Map<string, SpanFilter & { values: string[] }>();
  const ofViews: string[] = [];
  for (const text of all) {
    const [, bang = '', name = '', given = ''] = /^(!?)([^:]*):([\s\S]*)$/.exec(text) ?? [];
    const value = given === EMPTY ? '' : given;
    if (!attributes.includes(name)) {
      ofViews.push(name === '' ? text : `${bang}${name}:${value}`);
      continue;
    }
    const filter = spans.get(bang + name) ?? { attribute: name, exclude: bang !== '', values: [] };
    filter.values.push(value);
    spans.set(bang + name, filter);
  }
  const scope = scopeOf(request, { ...query, 'filters[]': ofViews }, deps);
  return { metric, type, scope, spans: [...spans.values()] };
}

export function groupsOf(type: SubviewType, asked: readonly string[] | undefined): string[] {
  const attributes = attributesOf(type);
  if (asked === undefined || asked.length === 0) return attributes;
  for (const name of asked) {
    if (!attributes.includes(name)) throw unknownDimension(name, attributes);
  }
  return [...new Set(asked)];
}

function unknownDimension(name: string, known: readonly string[]): Error {
  const detail = `there is no attribute ${shown(name)}${nearestHint(name, known)}; there are ${known.join(', ')}`;
  return refuse('dimension_unknown', { detail });
}

/** A dimension of the view or an attribute of its spans. */
export function dimensionOf(type: SubviewType, name: string): string {
  return attributesOf(type).includes(name) ? name : parseDimension(name).name;
}

export function metaOf({ metric, type }: SpanQuestion, through: string | null) {
  const { unit, bucketedBy } = viewMetricOf(metric);
  return {
    metric,
    subview_type: type,
    unit,
    aggregation: bucketedBy === 'start' ? 'view_start' : 'view_end',
    complete_through: through,
  };
}

export const values = Type.Array(
  Type.Object({
    breakdown_value: Type.String({
      description: 'Values of `group_by`, with ` / ` between them; empty where unknown.',
    }),
    attributes: Type.Record(Type.String(), Type.String(), {
      description: 'The same by name.',
    }),
    metric_value: number('The sum.', 'what `meta.unit` names'),
  }),
);

export const itemOf =
  (groups: readonly string[]) =>
  ({ fields, value }: Pick<SpanRow, 'fields' | 'value'>) => ({
    breakdown_value: fields.join(' / '),
    attributes: Object.fromEntries(groups.map((name, index) => [name, fields[index] ?? ''])),
    metric_value: value,
  });

/** The question of one value of a dimension: what was asked of it already holds too. */
export function narrowed(
  question: SpanQuestion,
  [dimension, given]: readonly [string, string],
  request: FastifyRequest,
  { limits }: RouteDeps,
): SpanQuestion {
  const value = given === EMPTY ? '' : given;
  const { scope, spans, type } = question;
  if (attributesOf(type).includes(dimension)) {
    return {
      ...question,
      spans: [...spans, { attribute: dimension, exclude: false, values: [value] }],
    };
  }
  const chosen = parseFilters([`${dimension}:${value}`], projectOf(request), limits);
  return { ...question, scope: { ...scope, filters: [...scope.filters, ...chosen] } };
}

export function granularityOf(
  { scope: { timeframe } }: SpanQuestion,
  asked: 'hour' | 'day' | undefined,
  { limits }: RouteDeps,
): 'hour' | 'day' {
  const isLong = timeframe.toMs - timeframe.fromMs > HOURS_UP_TO_MS;
  const granularity = asked ?? (isLong ? 'day' : 'hour');
  const count = bucketCount(timeframe, granularity);
  if (count <= limits.seriesPointsMax) return granularity;
  const detail = `time_granularity ${granularity} makes ${count} points; ${limits.seriesPointsMax} are allowed (seriesPointsMax). Take day, or a shorter timeframe`;
  throw refuse('parameter_invalid', { detail });
}
