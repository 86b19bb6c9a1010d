/** `/data/v1/metrics/{id}/…`: every figure of the catalogue, overall, over time, and by the values of a dimension. */
import Type, { type TSchema } from 'typebox';
import { refuse } from '../errors.ts';
import { parseDimension } from '../parameters/names.ts';
import {
  BREAKDOWN_ORDERS,
  type BreakdownQuestion,
  type BreakdownRow,
  type Page,
  planBreakdown,
} from '../planner/breakdown.ts';
import { answerValue, type Figure } from '../planner/figure.ts';
import { type OverallRow, planOverall } from '../planner/overall.ts';
import type { Scope } from '../planner/scope.ts';
import {
  bucketCount,
  bucketsOf,
  defaultGranularity,
  GRANULARITIES,
  type Granularity,
  planTimeseries,
  type SeriesRow,
} from '../planner/timeseries.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import * as example from './examples/metrics.ts';
import { integer, number, withUnit } from './quantities.ts';
import { askPage, figureMeta, figureOf, pageOf, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

const CODES = ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES] as const;
const TAGS = ['Metrics'];

export function registerMetrics(fastify: ApiScope, deps: RouteDeps): void {
  registerOverall(fastify, deps);
  registerTimeseries(fastify, deps);
  registerBreakdown(fastify, deps);
}

const overallData = Type.Object({
  value: schema.value,
  total_views: integer('Views that take part in the metric.', 'count'),
  ...schema.totals,
  global_value: schema.value,
});

function registerOverall(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'One figure',
      description:
        'The figure over all views that meet the filters; `global_value` is the same over all views of the project.',
      params: schema.metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.measurement,
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(overallData, 'The figure.', example.overall),
        CODES,
      ),
    },
  };
  fastify.get('/metrics/:id/overall', options, async (request, reply) => {
    const figure = figureOf(request.params.id, request.query.measurement);
    const scope = scopeOf(request, request.query, deps);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const [row] = await deps.runner.run<OverallRow>(planOverall(figure, scope), signal);
    const data = {
      value: answerValue(figure, row?.value),
      total_views: row?.views ?? 0,
      total_playing_time: row?.playing ?? 0,
      total_watch_time: row?.watch ?? 0,
      global_value: answerValue(figure, row?.global_value),
    };
    const sums = row ?? { received: 0, expected: 0 };
    return envelope(data, scope.timeframe, 1, figureMeta(figure, through, sums));
  });
}

const seriesMember = Type.Number({
  description: withUnit('The value, then the views (unit: count).', 'what `meta.unit` names'),
});
/** Points as arrays. */
export const seriesData = (description: string, member: TSchema = seriesMember) =>
  Type.Array(Type.Array(Type.Union([Type.String(), member, Type.Null()]), { description }));

function registerTimeseries(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'One figure over time',
      description:
        'A point for each bucket that the timeframe touches, empty ones too. Buckets are aligned to UTC; the first and the last hold only views within the timeframe.',
      params: schema.metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.measurement,
        ...schema.direction,
        ...schema.explain,
        group_by: schema.choice(
          GRANULARITIES,
          'Length of a bucket. Default by timeframe: minute below 90 minutes, ten_minutes up to 6 hours, hour up to 15 days, day beyond.',
        ),
      }),
      response: schema.answers(
        schema.envelopeOf(
          seriesData(
            'Begin of the bucket (ISO 8601), value (null without views), views that take part.',
          ),
          'Points, oldest first.',
          example.timeseries,
        ),
        CODES,
      ),
    },
  };
  fastify.get('/metrics/:id/timeseries', options, async (request, reply) => {
    const figure = figureOf(request.params.id, request.query.measurement);
    const scope = scopeOf(request, request.query, deps);
    const granularity = granularityOf(scope, request.query.group_by, deps);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const statement = planTimeseries(figure, scope, granularity);
    const rows = await deps.runner.run<SeriesRow>(statement, signal);
    const points = pointsOf(figure, scope, granularity, rows);
    if (request.query.order_direction === 'desc') points.reverse();
    const meta = { ...figureMeta(figure, through, sumsOf(rows)), granularity };
    return envelope(points, scope.timeframe, points.length, meta);
  });
}

export function granularityOf(
  { timeframe }: Pick<Scope, 'timeframe'>,
  asked: Granularity | undefined,
  { limits }: RouteDeps,
): Granularity {
  const granularity = asked ?? defaultGranularity(timeframe);
  const count = bucketCount(timeframe, granularity);
  if (count > limits.seriesPointsMax) {
    const detail = `group_by ${granularity} makes ${count} points; ${limits.seriesPointsMax} are allowed (seriesPointsMax). Take a longer bucket or a shorter timeframe`;
    throw refuse('parameter_invalid', { detail });
  }
  return granularity;
}

type Point = [at: string, value: number | null, views: number];

function pointsOf(
  figure: Figure,
  { timeframe }: Scope,
  granularity: Granularity,
  rows: readonly SeriesRow[],
): Point[] {
  const byBucket = new Map(rows.map((row) => [row.bucket, row]));
  return Array.from(bucketsOf(timeframe, granularity), (at): Point => {
    const row = byBucket.get(at);
    const value = row === undefined ? null : answerValue(figure, row.value);
    return [isoSeconds(at), value, row?.views ?? 0];
  });
}

export const isoSeconds = (timeMs: number): string =>
  new Date(timeMs).toISOString().replace('.000Z', 'Z');

function sumsOf(rows: readonly SeriesRow[]): { received: number; expected: number } {
  return {
    received: rows.reduce((sum, row) => sum + row.received, 0),
    expected: rows.reduce((sum, row) => sum + row.expected, 0),
  };
}

const breakdownData = Type.Array(
  Type.Object({
    field: Type.String({ description: 'Value of the dimension; empty when unknown.' }),
    value: schema.value,
    views: integer('Views that take part in the metric.', 'count'),
    ...schema.totals,
    negative_impact: number(
      "(the value's figure − the figure of all other views) × its share of views, turned so that more is worse. 0 for counts and where neither direction is good.",
      'what `meta.unit` names',
    ),
  }),
);

function registerBreakdown(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'One figure by the values of a dimension',
      description:
        'Values without a view that takes part are left out. Ties are in the order of `field`.',
      params: schema.metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.measurement,
        group_by: schema.dimensionName('Name of the dimension.'),
        order_by: schema.choice(BREAKDOWN_ORDERS, 'What to sort by. Default: views.'),
        ...schema.direction,
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(breakdownData, 'A page of values.', example.breakdown),
        CODES,
      ),
    },
  };
  fastify.get('/metrics/:id/breakdown', options, async (request, reply) => {
    const { query } = request;
    const figure = figureOf(request.params.id, query.measurement);
    const scope = scopeOf(request, query, deps);
    const orderBy = query.order_by ?? 'views';
    const question: BreakdownQuestion = {
      ...pageOf(query, deps.limits),
      dimension: parseDimension(query.group_by).name,
      orderBy,
      descending: (query.order_direction ?? (orderBy === 'field' ? 'asc' : 'desc')) === 'desc',
    };
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const ask = (page: Page): Promise<BreakdownRow[]> =>
      deps.runner.run<BreakdownRow>(planBreakdown(figure, scope, { ...question, ...page }), signal);
    const [rows, totals] = await askPage(ask, { page: question.page, limit: question.limit });
    const meta = figureMeta(figure, through, totals ?? { received: 0, expected: 0 });
    return envelope(
      rows.map(breakdownItem(figure)),
      scope.timeframe,
      totals?.total_rows ?? 0,
      meta,
    );
  });
}

const breakdownItem = (figure: Figure) => (row: BreakdownRow) => ({
  field: row.field,
  value: answerValue(figure, row.value),
  views: row.views,
  total_playing_time: row.playing,
  total_watch_time: row.watch,
  negative_impact: row.negative_impact,
});
