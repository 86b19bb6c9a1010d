/** `/data/v1/dimensions` and, under their older name, `/data/v1/filters`: what can be grouped and filtered by. */
import Type from 'typebox';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { parseDimension } from '../parameters/names.ts';
import { parseTimeframe } from '../parameters/timeframe.ts';
import { type DimensionValueRow, planDimensionValues } from '../planner/dimension-values.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import * as example from './examples/metrics.ts';
import { integer } from './quantities.ts';
import { askPage, pageOf, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

const TAGS = ['Dimensions'];
const names = Type.Array(Type.String());
const listData = Type.Object({ basic: names, advanced: names });
const valuesData = Type.Array(
  Type.Object({
    value: Type.String({ description: 'Empty when unknown.' }),
    total_count: integer('Views that carry it.', 'count'),
  }),
);

export function registerDimensions(fastify: ApiScope, deps: RouteDeps): void {
  for (const path of ['/dimensions', '/filters']) {
    registerList(fastify, path, deps);
    registerValues(fastify, path, deps);
  }
}

function registerList(fastify: ApiScope, path: string, deps: RouteDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'Every dimension',
      description: '`basic` ones are carried by the interval figures too; all can be used here.',
      querystring: schema.query({}),
      response: schema.answers(schema.envelopeOf(listData, 'Names.', example.dimensionNames), [
        'parameter_unknown',
      ]),
    },
  };
  fastify.get(path, options, async () => {
    const data = {
      basic: dimensions.filter(({ interval }) => interval).map(({ name }) => name),
      advanced: dimensions.filter(({ interval }) => !interval).map(({ name }) => name),
    };
    return envelope(data, parseTimeframe([], deps.now()), dimensions.length, {});
  });
}

function registerValues(fastify: ApiScope, path: string, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'Values of a dimension',
      description:
        'With the number of views that carry each, most first; views count by their start.',
      params: schema.dimensionParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(valuesData, 'A page of values.', example.dimensionValues),
        ['dimension_unknown', 'metric_unknown', ...schema.STORE_CODES],
      ),
    },
  };
  fastify.get(`${path}/:id`, options, async (request, reply) => {
    const { name } = parseDimension(request.params.id);
    const scope = scopeOf(request, request.query, deps);
    const page = pageOf(request.query, deps.limits);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const ask = (wanted: typeof page): Promise<DimensionValueRow[]> =>
      deps.runner.run<DimensionValueRow>(planDimensionValues(name, scope, wanted), signal);
    const [rows, first] = await askPage(ask, page);
    const data = rows.map(({ value, total_count }) => ({ value, total_count }));
    const meta = { aggregation: 'view_start', complete_through: through };
    return envelope(data, scope.timeframe, first?.total_rows ?? 0, meta);
  });
}
