/** `/data/v1/cost/…`: what delivery costs, overall, over time, and by the values of a dimension. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { nearestHint } from '../../platform/nearest.ts';
import type { PriceBook } from '../../platform/prices/contract.ts';
import { microsText } from '../../platform/prices/money.ts';
import { wholeMonths } from '../../platform/prices/months.ts';
import type { RequestSource } from '../../schemas/tables/delivery.ts';
import { doNotKeep } from '../cache/finished-answers.ts';
import { askCost, type Costs } from '../cost/ask-cost.ts';
import { bookAnswer, bookNumber, bookOf, findBook, type Prices } from '../cost/books.ts';
import { figuresOf, wasteOf } from '../cost/figures.ts';
import { askForecast, asOf, forecastAnswer, reachesInto } from '../cost/forecast.ts';
import { linesOf, unpricedOf } from '../cost/lines.ts';
import { askQuality } from '../cost/quality.ts';
import { COST_ORDERS, type CostRow, emptyShare, pageOfRows } from '../cost/rows.ts';
import { readDeliveredThrough } from '../delivery/questions.ts';
import { refuse } from '../errors.ts';
import { dimensionNames, parseDimension, shown } from '../parameters/names.ts';
import {
  COST_GRANULARITIES,
  type CostGranularity,
  type CostKey,
  type CostScope,
  costBuckets,
  NO_KEY,
  REQUEST_ONLY,
} from '../planner/cost-scope.ts';
import { defaultGranularity } from '../planner/timeseries.ts';
import * as cost from './cost-schemas.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import * as example from './examples/cost.ts';
import { pageOf, type ScopeQuery, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

const CODES = [
  'prices_missing',
  'metric_unknown',
  'dimension_unknown',
  ...schema.STORE_CODES,
] as const;
const TAGS = ['Cost'];

export interface CostRouteDeps extends RouteDeps {
  /** The price book of projects without one of their own. */
  readonly prices?: Prices;
}

export function registerCost(fastify: ApiScope, deps: CostRouteDeps): void {
  registerOverall(fastify, deps);
  registerTimeseries(fastify, deps);
  registerBreakdown(fastify, deps);
}

/** Months are billed whole: rows that come anywhere in them, and another price book, change an answer. */
const configOf = ({ prices }: CostRouteDeps) => ({
  answersFrom: ['delivery_5s', 'requests', 'views'],
  answersUntil: (frame: CostScope['timeframe']) => wholeMonths(frame).toMs,
  answersWith: (request: FastifyRequest) => String(bookNumber(findBook(request, prices))),
});

interface CostQuery extends ScopeQuery {
  readonly source?: RequestSource;
  readonly waste?: boolean;
}

/** What every route of cost begins with. */
interface Asked {
  readonly book: PriceBook;
  readonly scope: CostScope;
  readonly waste: boolean;
  readonly signal: AbortSignal;
  readonly through: string | null;
}

async function begin(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: CostRouteDeps,
): Promise<Asked> {
  const query = request.query as CostQuery;
  const book = bookOf(request, deps.prices);
  const source = query.source ?? 'edge';
  const scope = { ...scopeOf(request, query, deps), source };
  const waste = (query.waste ?? true) && source === 'edge';
  const signal = signalOf(reply);
  return { book, scope, waste, signal, through: await readCompleteThrough(deps, signal) };
}

function metaOf(
  { book, scope, through }: Asked,
  { shared, unaccountedBytes, wasteProblem }: Costs,
) {
  return {
    source: scope.source,
    currency: book.currency,
    price_book: bookAnswer(book),
    unpriced: unpricedOf(shared),
    unaccounted_bytes: Number(unaccountedBytes),
    ...(wasteProblem === undefined ? {} : { waste_problem: wasteProblem }),
    complete_through: through,
  };
}

function registerOverall(fastify: ApiScope, deps: CostRouteDeps): void {
  const options = {
    config: configOf(deps),
    schema: {
      tags: TAGS,
      summary: 'What delivery costs',
      description:
        "By the price book of the project, which is applied when asked. Tiers are filled by the whole project in whole months of UTC; a question about a part pays its share of the month's bill, by volume. docs/cost.md defines each field.",
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...cost.source,
        ...cost.withWaste,
        forecast: Type.Optional(
          Type.Boolean({
            description:
              'Whether the running month is forecast. Default: when the timeframe reaches into it.',
          }),
        ),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(cost.overallData, 'The cost.', example.overall, cost.costMeta),
        CODES,
      ),
    },
  };
  fastify.get('/cost/overall', options, async (request, reply) => {
    const asked = await begin(request, reply, deps);
    const costs = await askCost(deps, { ...asked, key: NO_KEY }, asked.signal);
    if (costs.wasteProblem !== undefined) doNotKeep(request);
    const { overall, invoice } = costs.shared;
    const nowMs = deps.now();
    const wanted = request.query.forecast ?? reachesInto(asked.scope.timeframe, nowMs);
    const data = {
      ...figuresOf(overall, costs.watched.get('') ?? { views: 0n, playingMs: 0n }),
      ...(request.query.waste === false ? {} : { waste: overallWaste(costs) }),
      lines: linesOf(invoice, overall.children),
      months_cost: microsText(invoice.micros),
      ...(wanted ? { forecast: await forecastOf(asked, deps, nowMs) } : {}),
    };
    return envelope(data, asked.scope.timeframe, 1, metaOf(asked, costs));
  });
}

/** Null where it is not known at all. */
function overallWaste({ shared, wasted }: Costs) {
  return wasted === undefined ? null : wasteOf(shared.overall.children, wasted.get(''));
}

/** Of what was delivered, however long views that are still open keep the rest from being complete. */
async function forecastOf({ book, scope, signal }: Asked, deps: RouteDeps, nowMs: number) {
  const through = await readDeliveredThrough(deps, signal);
  const asOfMs = asOf(through === null ? nowMs : Date.parse(through), nowMs);
  return forecastAnswer(await askForecast(deps, { book, scope, asOfMs }, signal));
}

function registerTimeseries(fastify: ApiScope, deps: CostRouteDeps): void {
  const options = {
    config: configOf(deps),
    schema: {
      tags: TAGS,
      summary: 'What delivery costs over time',
      description:
        "A point for each bucket that the timeframe touches, empty ones too. Buckets are of UTC, and sum to the overall. All of a contract's traffic of a month pays the same.",
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...cost.source,
        ...schema.direction,
        group_by: schema.choice(
          COST_GRANULARITIES,
          'Length of a bucket. Default by timeframe: minute below 90 minutes, ten_minutes up to 6 hours, hour up to 15 days, day beyond.',
        ),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(
          cost.timeseriesData,
          'Points, oldest first.',
          example.timeseries,
          cost.costMeta,
        ),
        CODES,
      ),
    },
  };
  fastify.get('/cost/timeseries', options, async (request, reply) => {
    const asked = await begin(request, reply, deps);
    const { timeframe } = asked.scope;
    const granularity = request.query.group_by ?? defaultGranularity(timeframe);
    const buckets = bucketsWithin(asked.scope, granularity, deps);
    const key: CostKey = { by: 'time', granularity };
    const costs = await askCost(deps, { ...asked, key, waste: false }, asked.signal);
    const points = pointsOf(buckets, costs);
    if (request.query.order_direction === 'desc') points.reverse();
    const meta = { ...metaOf(asked, costs), granularity };
    return envelope(points, timeframe, points.length, meta);
  });
}

function bucketsWithin(
  { timeframe }: CostScope,
  granularity: CostGranularity,
  { limits }: RouteDeps,
): number[] {
  const buckets: number[] = [];
  for (const at of costBuckets(timeframe, granularity)) {
    buckets.push(at);
    if (buckets.length <= limits.seriesPointsMax) continue;
    const detail = `group_by ${granularity} makes more than ${limits.seriesPointsMax} points (seriesPointsMax). Take a longer bucket or a shorter timeframe`;
    throw refuse('parameter_invalid', { detail });
  }
  return buckets;
}

function pointsOf(buckets: readonly number[], { shared, watched }: Costs) {
  const shares = new Map(shared.overall.children.map((share) => [share.key, share]));
  return buckets.map((at) => {
    const share = shares.get(String(at)) ?? emptyShare(String(at));
    const seen = watched.get(String(at)) ?? { views: 0n, playingMs: 0n };
    return { at: new Date(at).toISOString(), ...figuresOf(share, seen) };
  });
}

function registerBreakdown(fastify: ApiScope, deps: CostRouteDeps): void {
  const options = {
    config: configOf(deps),
    schema: {
      tags: TAGS,
      summary: 'What delivery costs by the values of a dimension',
      description:
        'Rows of all pages sum to the overall, to the last digit. By `view_id` it is the cost of each view. With quality beside it, it is a scoreboard of CDNs. Equals are in the order of `field`.',
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...cost.source,
        ...cost.groupBy,
        ...cost.withWaste,
        quality: Type.Optional(
          Type.Boolean({
            description:
              'Whether rows have what viewers and requests met with. Default: for `cdn` alone.',
          }),
        ),
        order_by: schema.choice(COST_ORDERS, 'What to sort by. Default: cost.'),
        ...schema.direction,
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(
        schema.envelopeOf(
          cost.breakdownData,
          'A page of values.',
          example.breakdown,
          cost.costMeta,
        ),
        CODES,
      ),
    },
  };
  fastify.get('/cost/breakdown', options, async (request, reply) => {
    const { query } = request;
    const name = dimensionOf(query.group_by);
    const key: CostKey = { by: 'dimension', name };
    const page = pageOf(query, deps.limits);
    const orderBy = query.order_by ?? 'cost';
    const descending = (query.order_direction ?? (orderBy === 'field' ? 'asc' : 'desc')) === 'desc';
    const asked = await begin(request, reply, deps);
    const [costs, qualityOf] = await Promise.all([
      askCost(deps, { ...asked, key }, asked.signal),
      (query.quality ?? name === 'cdn')
        ? askQuality(deps, asked.scope, key, asked.signal)
        : undefined,
    ]);
    if (costs.wasteProblem !== undefined) doNotKeep(request);
    const ofViews = !REQUEST_ONLY.includes(name);
    const { rows, total } = pageOfRows(costs, { ...page, orderBy, descending, ofViews });
    const items = rows.map((row) => ({
      ...itemOf(row, costs, query.waste ?? true),
      ...(qualityOf === undefined ? {} : { quality: qualityOf(row.field) }),
    }));
    return envelope(items, asked.scope.timeframe, total, metaOf(asked, costs));
  });
}

function itemOf({ field, share, watched }: CostRow, { wasted }: Costs, wanted: boolean) {
  const figures = { field, ...figuresOf(share, watched) };
  if (!wanted) return figures;
  return { ...figures, waste: wasted === undefined ? null : wasteOf([share], wasted.get(field)) };
}

/** A dimension of views, or of requests alone. */
function dimensionOf(name: string): string {
  if (REQUEST_ONLY.includes(name)) return name;
  if (dimensionNames.includes(name)) return parseDimension(name).name;
  const hint = nearestHint(name, [...dimensionNames, ...REQUEST_ONLY]);
  const detail = `there is no dimension ${shown(name)}${hint}`;
  throw refuse('dimension_unknown', { detail });
}
