/** `/data/v1/subview-metrics/…`: playing time and rebuffering by the rendition shown, and by the mode of playback. */
import Type from 'typebox';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { parseTimeframe } from '../parameters/timeframe.ts';
import {
  attributesOf,
  planSpanBreakdown,
  planSpanSeries,
  planSpanTotal,
  type SpanRow,
  type SpanSeriesRow,
  type SpanTotalRow,
} from '../planner/subviews.ts';
import { bucketsOf, granularityMs } from '../planner/timeseries.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import * as example from './examples/subviews.ts';
import { integer, number, withUnit } from './quantities.ts';
import { askPage, pageOf } from './questions.ts';
import * as schema from './schemas.ts';
import {
  dimensionName,
  dimensionOf,
  EMPTY,
  filters,
  granularityOf,
  groupBy,
  groupsOf,
  itemOf,
  metaOf,
  metricOf,
  metricParams,
  narrowed,
  questionOf,
  typeOf,
  typeParams,
  values,
} from './subview-questions.ts';

const CODES = ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES] as const;
const TAGS = ['Subviews'];
const COMPARED_MAX = 4;
const VALUES_DEFAULT = 10;

export function registerSubviews(fastify: ApiScope, deps: RouteDeps): void {
  registerOverall(fastify, deps);
  registerBreakdown(fastify, deps);
  registerComparison(fastify, deps);
  registerSeries(fastify, deps);
  registerDimensions(fastify, deps);
  registerDimensionValues(fastify, deps);
}

const overallData = Type.Object({
  metric_value: number('The sum.', 'what `meta.unit` names'),
});

function registerOverall(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One metric over all spans',
      description:
        'The sum over all views that meet the filters. Without filters by attributes it is the sum of the metric of the same name.',
      params: metricParams,
      querystring: schema.query({ ...schema.timeframe, ...filters }),
      response: schema.answers(schema.envelopeOf(overallData, 'The sum.', example.overall), CODES),
    },
  };
  fastify.get('/subview-metrics/:id/:type/overall', options, async (request, reply) => {
    const of = [metricOf(request.params.id), typeOf(request.params.type)] as const;
    const question = questionOf(request, request.query, deps, of);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const [row] = await deps.runner.run<SpanTotalRow>(planSpanTotal(question), signal);
    const data = { metric_value: row?.value ?? 0 };
    return envelope(data, question.scope.timeframe, null, metaOf(question, through));
  });
}

function registerBreakdown(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One metric by what was shown, or by mode',
      description: 'Largest first. Spans in which nothing was counted are left out.',
      params: metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...filters,
        ...groupBy,
        ...schema.paging(deps.limits),
      }),
      response: schema.answers(
        schema.envelopeOf(values, 'A page of values.', example.breakdown),
        CODES,
      ),
    },
  };
  fastify.get('/subview-metrics/:id/:type/breakdown', options, async (request, reply) => {
    const { params, query } = request;
    const question = questionOf(request, query, deps, [metricOf(params.id), typeOf(params.type)]);
    const groups = groupsOf(question.type, query['group_by[]']);
    const { page, limit } = pageOf(query, deps.limits);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const [rows, first] = await askPage(
      (wanted) => {
        const statement = planSpanBreakdown(question, groups, wanted);
        return deps.runner.run<SpanRow>(statement, signal);
      },
      { page, limit },
    );
    const meta = { ...metaOf(question, through), group_by: groups };
    return envelope(
      rows.map(itemOf(groups)),
      question.scope.timeframe,
      first?.total_rows ?? 0,
      meta,
    );
  });
}

/** How many values are listed for each of several things. */
function valueLimit({ limits }: RouteDeps) {
  return {
    breakdown_value_limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.pageRowsMax,
        default: Math.min(VALUES_DEFAULT, limits.pageRowsMax),
        description: withUnit('Rows for each, largest first.', 'count'),
      }),
    ),
  };
}

const comparisonData = Type.Array(Type.Object({ dimension_value: Type.String(), values }));

function registerComparison(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'The breakdown for each of some values of a dimension',
      description: `Up to ${COMPARED_MAX} values side by side.`,
      params: metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...filters,
        ...groupBy,
        ...valueLimit(deps),
        dimension: dimensionName('Dimension, or attribute of the spans.'),
        'values[]': Type.Array(Type.String(), {
          minItems: 1,
          maxItems: COMPARED_MAX,
          description: `Values of it; \`${EMPTY}\` is the unknown one.`,
        }),
      }),
      response: schema.answers(
        schema.envelopeOf(comparisonData, 'A group for each value.', example.comparison),
        CODES,
      ),
    },
  };
  fastify.get('/subview-metrics/:id/:type/comparison', options, async (request, reply) => {
    const { params, query } = request;
    const of = [metricOf(params.id), typeOf(params.type)] as const;
    const asked = questionOf(request, query, deps, of);
    const groups = groupsOf(asked.type, query['group_by[]']);
    const dimension = dimensionOf(asked.type, query.dimension);
    const page = { page: 1, limit: query.breakdown_value_limit ?? VALUES_DEFAULT };
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const data = [];
    for (const value of query['values[]']) {
      const question = narrowed(asked, [dimension, value], request, deps);
      const statement = planSpanBreakdown(question, groups, page);
      const rows = await deps.runner.run<SpanRow>(statement, signal);
      data.push({
        dimension_value: value === EMPTY ? '' : value,
        values: rows.map(itemOf(groups)),
      });
    }
    const meta = { ...metaOf(asked, through), dimension, group_by: groups };
    return envelope(data, asked.scope.timeframe, data.length, meta);
  });
}

const seriesData = Type.Array(
  Type.Object({
    date: Type.String({ description: 'Begin of the bucket, ISO 8601.' }),
    status: Type.String({ description: '`complete`, or `partial` while views may still come.' }),
    values,
  }),
);

function registerSeries(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'The breakdown over time',
      description:
        'A bucket for each hour or day (UTC) of the timeframe that begins before `complete_through`; later ones are left out.',
      params: metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...filters,
        ...groupBy,
        ...valueLimit(deps),
        time_granularity: schema.choice(
          ['hour', 'day'],
          'Length of a bucket. Default: hour up to 15 days, else day.',
        ),
      }),
      response: schema.answers(
        schema.envelopeOf(seriesData, 'Buckets, oldest first.', example.series),
        CODES,
      ),
    },
  };
  fastify.get(
    '/subview-metrics/:id/:type/breakdown-timeseries',
    options,
    async (request, reply) => {
      const { params, query } = request;
      const question = questionOf(request, query, deps, [metricOf(params.id), typeOf(params.type)]);
      const groups = groupsOf(question.type, query['group_by[]']);
      const granularity = granularityOf(question, query.time_granularity, deps);
      const signal = signalOf(reply);
      const through = await readCompleteThrough(deps, signal);
      const valuesMax = query.breakdown_value_limit ?? VALUES_DEFAULT;
      const sizeMs = granularityMs[granularity];
      const statement = planSpanSeries(question, groups, sizeMs, valuesMax);
      const rows = await deps.runner.run<SpanSeriesRow>(statement, signal);
      const throughMs = through === null ? 0 : Date.parse(through);
      const starts = [...bucketsOf(question.scope.timeframe, granularity)];
      const data = starts
        .filter((startMs) => startMs < throughMs)
        .map((startMs) => ({
          date: new Date(startMs).toISOString().replace('.000Z', 'Z'),
          status: startMs + sizeMs <= throughMs ? 'complete' : 'partial',
          values: rows.filter(({ bucket }) => bucket === startMs).map(itemOf(groups)),
        }));
      const own = { group_by: groups, time_granularity: granularity };
      const meta = { ...metaOf(question, through), ...own };
      return envelope(data, question.scope.timeframe, data.length, meta);
    },
  );
}

const names = Type.Array(Type.String());
const dimensionsData = Type.Object({ subview: names, view: names });

function registerDimensions(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'What spans can be filtered by',
      description:
        '`subview` ones are attributes of the spans, `view` ones dimensions of the view.',
      params: Type.Object({ id: typeParams.type }),
      querystring: schema.query({}),
      response: schema.answers(schema.envelopeOf(dimensionsData, 'Names.', example.names), [
        'parameter_invalid',
      ]),
    },
  };
  fastify.get('/subview-metrics/:id/dimensions', options, async (request) => {
    const data = {
      subview: attributesOf(typeOf(request.params.id)),
      view: dimensions.map(({ name }) => name),
    };
    return envelope(data, parseTimeframe([], deps.now()), null, {});
  });
}

const valuesData = Type.Array(
  Type.Object({
    value: Type.String({ description: 'Empty when unknown.' }),
    playing_time: integer('Playing time with it.', 'ms'),
  }),
);

function registerDimensionValues(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'Values of a dimension by playing time',
      description: 'Those with playing time, largest first.',
      params: Type.Object({
        id: typeParams.type,
        name: dimensionName('Dimension, or attribute of the spans.'),
      }),
      querystring: schema.query({
        ...schema.timeframe,
        ...filters,
        order_by: schema.choice(['playing_time', 'value'], 'Default: playing_time.'),
        ...schema.direction,
        query: Type.Optional(Type.String({ description: 'Text that the values contain.' })),
        ...schema.paging(deps.limits),
      }),
      response: schema.answers(
        schema.envelopeOf(valuesData, 'A page of values.', example.dimensionValues),
        CODES,
      ),
    },
  };
  fastify.get('/subview-metrics/:id/dimensions/:name', options, async (request, reply) => {
    const { params, query } = request;
    const question = questionOf(request, query, deps, ['playing_time', typeOf(params.id)]);
    const dimension = dimensionOf(question.type, params.name);
    const by = query.order_by === 'value' ? 'fields' : 'value';
    const order = {
      by,
      descending: (query.order_direction ?? (by === 'fields' ? 'asc' : 'desc')) === 'desc',
      ...(query.query ? { containing: query.query } : {}),
    } as const;
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const [rows, first] = await askPage(
      (page) => {
        const statement = planSpanBreakdown(question, [dimension], page, order);
        return deps.runner.run<SpanRow>(statement, signal);
      },
      pageOf(query, deps.limits),
    );
    const data = rows.map(({ fields: [value = ''], value: playing }) => ({
      value,
      playing_time: playing,
    }));
    const meta = { ...metaOf(question, through), dimension_name: dimension };
    return envelope(data, question.scope.timeframe, first?.total_rows ?? 0, meta);
  });
}
