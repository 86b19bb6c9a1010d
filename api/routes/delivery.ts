/** `/data/v1/delivery/…`: every figure of delivery overall, over time, and by the values of a dimension; and their names. */
import Type from 'typebox';
import { deliveryDimensions } from '../../schemas/catalogue/delivery-dimensions.ts';
import { deliveryMetrics } from '../../schemas/catalogue/delivery-metrics.ts';
import { sideMetrics } from '../../schemas/catalogue/delivery-side-metrics.ts';
import { parseDeliveryDimension } from '../delivery/names.ts';
import {
  deliveryScopeOf,
  type Question,
  questionOf,
  readDeliveredThrough,
} from '../delivery/questions.ts';
import { parseTimeframe } from '../parameters/timeframe.ts';
import type { Page } from '../planner/breakdown.ts';
import {
  DELIVERY_ORDERS,
  type DeliveryBreakdown,
  type DeliveryBreakdownRow,
  type DeliveryRow,
  type DeliverySeriesRow,
  planDeliveryBreakdown,
  planDeliveryOverall,
  planDeliverySeries,
} from '../planner/delivery-figures.ts';
import { DELIVERY_READS } from '../planner/delivery-rows.ts';
import { bucketsOf, GRANULARITIES, granularityMs } from '../planner/timeseries.ts';
import * as own from './delivery-schemas.ts';
import { type ApiScope, envelope, type RouteDeps, signalOf } from './deps.ts';
import * as example from './examples/delivery.ts';
import { granularityOf, isoSeconds, seriesData } from './metrics.ts';
import { withUnit } from './quantities.ts';
import { askPage, pageOf } from './questions.ts';
import * as schema from './schemas.ts';

export function registerDelivery(fastify: ApiScope, deps: RouteDeps): void {
  registerNames(fastify, deps);
  registerOverall(fastify, deps);
  registerTimeseries(fastify, deps);
  registerBreakdown(fastify, deps);
}

const listed = [
  ...deliveryMetrics.map((metric) => ({
    metric,
    sources: metric.edgeOnly ? ['edge'] : ['edge', 'player'],
  })),
  ...sideMetrics.map((metric) => ({ metric, sources: ['both'] })),
].map(({ metric, sources }) => ({
  name: metric.id,
  display_name: metric.title,
  definition: metric.definition,
  unit: metric.unit,
  good: metric.good,
  default_measurement: metric.defaultMeasure,
  measurements: metric.measures,
  sources,
}));

const namesOf = (windowed: boolean): string[] =>
  deliveryDimensions.filter((each) => each.windowed === windowed).map(({ name }) => name);
const dimensionLists = { basic: namesOf(true), advanced: namesOf(false) };

function registerNames(fastify: ApiScope, deps: RouteDeps): void {
  const lists = [
    {
      what: 'metrics',
      description: 'With their measures, and who can tell of them.',
      data: listed,
      answer: own.listData,
      shown: { data: listed.slice(0, 2), rows: listed.length, meta: {} },
      rows: listed.length,
    },
    {
      what: 'dimensions',
      description:
        '`basic` ones are carried by windows of 5 s; all can be used, the others over single requests, joined with the views that they name.',
      data: dimensionLists,
      answer: own.dimensionData,
      shown: example.dimensions,
      rows: deliveryDimensions.length,
    },
  ] as const;
  for (const { what, description, data, answer, shown, rows } of lists) {
    const options = {
      schema: {
        tags: own.TAGS,
        summary: `Delivery ${what}`,
        description,
        querystring: schema.query({}),
        response: schema.answers(schema.envelopeOf(answer, 'Names.', shown), ['parameter_unknown']),
      },
    };
    fastify.get(`/delivery/${what}`, options, async () =>
      envelope(data, parseTimeframe([], deps.now()), rows, {}),
    );
  }
}

/** A value as it is answered: nothing adds up to 0, and has no other figure. */
function answerOf({ additive }: Question, row: DeliveryRow | undefined): number | null {
  const value = row?.value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return additive ? 0 : null;
}

const figureQuery = {
  ...own.timeframe,
  ...own.filters,
  ...own.measurement,
  ...own.source,
  ...schema.explain,
};

function registerOverall(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: DELIVERY_READS },
    schema: {
      tags: own.TAGS,
      summary: 'One figure of delivery',
      description:
        'The figure over all requests of a source that meet the filters; `global_value` is the same over all requests of the project.',
      params: own.metricParams,
      querystring: schema.query(figureQuery),
      response: schema.answers(
        own.envelopeOf(own.overallData, 'The figure.', example.overall),
        own.CODES,
      ),
    },
  };
  fastify.get('/delivery/metrics/:id/overall', options, async (request, reply) => {
    const scope = deliveryScopeOf(request, request.query, deps);
    const question = questionOf(request.params.id, request.query, scope, []);
    const signal = signalOf(reply);
    const through = await readDeliveredThrough(deps, signal);
    const ask = async (rowsOn: Question['rowsOn']): Promise<DeliveryRow | undefined> =>
      (await deps.runner.run<DeliveryRow>(planDeliveryOverall(rowsOn), signal))[0];
    const row = await ask(question.rowsOn);
    const all = question.filtered ? await ask(question.allRowsOn) : row;
    const data = {
      value: answerOf(question, row),
      total_requests: row?.requests ?? 0,
      total_bytes: row?.bytes ?? 0,
      global_value: answerOf(question, all),
    };
    return envelope(data, scope.timeframe, 1, { ...question.meta, complete_through: through });
  });
}

const seriesMember = Type.Number({
  description: withUnit('The value, then the requests (unit: count).', 'what `meta.unit` names'),
});

function registerTimeseries(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: DELIVERY_READS },
    schema: {
      tags: own.TAGS,
      summary: 'One figure of delivery over time',
      description:
        'A point for each bucket that the timeframe touches, empty ones too, by the begin of requests. Buckets are aligned to UTC.',
      params: own.metricParams,
      querystring: schema.query({
        ...figureQuery,
        ...schema.direction,
        group_by: schema.choice(
          GRANULARITIES,
          'Length of a bucket. Default by timeframe: minute below 90 minutes, ten_minutes up to 6 hours, hour up to 15 days, day beyond.',
        ),
      }),
      response: schema.answers(
        own.envelopeOf(
          seriesData(
            'Begin of the bucket (ISO 8601), value (null without requests), requests.',
            seriesMember,
          ),
          'Points, oldest first.',
          example.timeseries,
        ),
        own.CODES,
      ),
    },
  };
  fastify.get('/delivery/metrics/:id/timeseries', options, async (request, reply) => {
    const scope = deliveryScopeOf(request, request.query, deps);
    const question = questionOf(request.params.id, request.query, scope, []);
    const granularity = granularityOf(scope, request.query.group_by, deps);
    const signal = signalOf(reply);
    const complete_through = await readDeliveredThrough(deps, signal);
    const statement = planDeliverySeries(question.rowsOn, granularityMs[granularity]);
    const rows = await deps.runner.run<DeliverySeriesRow>(statement, signal);
    const byBucket = new Map(rows.map((row) => [row.bucket, row]));
    const points = Array.from(bucketsOf(scope.timeframe, granularity), (at) => {
      const row = byBucket.get(at);
      return [isoSeconds(at), row === undefined ? null : row.value, row?.requests ?? 0] as const;
    });
    if (request.query.order_direction === 'desc') points.reverse();
    const meta = { ...question.meta, complete_through, granularity };
    return envelope(points, scope.timeframe, points.length, meta);
  });
}

function registerBreakdown(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: DELIVERY_READS },
    schema: {
      tags: own.TAGS,
      summary: 'One figure of delivery by the values of a dimension',
      description: 'Values without a request are left out. Ties are in the order of `field`.',
      params: own.metricParams,
      querystring: schema.query({
        ...figureQuery,
        ...own.groupBy('Name of the dimension.'),
        order_by: schema.choice(DELIVERY_ORDERS, 'What to sort by. Default: requests.'),
        ...schema.direction,
        ...schema.paging(deps.limits),
      }),
      response: schema.answers(
        own.envelopeOf(own.breakdownData, 'A page of values.', example.breakdown),
        own.CODES,
      ),
    },
  };
  fastify.get('/delivery/metrics/:id/breakdown', options, async (request, reply) => {
    const { query } = request;
    const { name } = parseDeliveryDimension(query.group_by);
    const scope = deliveryScopeOf(request, query, deps);
    const question = questionOf(request.params.id, query, scope, [name]);
    const orderBy = query.order_by ?? 'requests';
    const direction = query.order_direction ?? (orderBy === 'field' ? 'asc' : 'desc');
    const breakdown: DeliveryBreakdown = {
      ...pageOf(query, deps.limits),
      dimension: name,
      orderBy,
      descending: direction === 'desc',
    };
    const signal = signalOf(reply);
    const complete_through = await readDeliveredThrough(deps, signal);
    const ask = (page: Page): Promise<DeliveryBreakdownRow[]> =>
      deps.runner.run(planDeliveryBreakdown(question.rowsOn, { ...breakdown, ...page }), signal);
    const { page, limit } = breakdown;
    const [rows, totals] = await askPage(ask, { page, limit });
    const data = rows.map((row) => ({
      field: row.field,
      value: row.value,
      total_requests: row.requests,
      total_bytes: row.bytes,
      negative_impact: row.negative_impact,
    }));
    const meta = { ...question.meta, complete_through };
    return envelope(data, scope.timeframe, totals?.total_rows ?? 0, meta);
  });
}
