/** `/data/v1/monitoring/…`: interval figures, in windows of 5 s of event time. */
import type { FastifyRequest } from 'fastify';
import type { IntervalMetric } from '../../schemas/catalogue/interval-metrics.ts';
import { intervalMetrics } from '../../schemas/catalogue/interval-metrics.ts';
import { refuse } from '../errors.ts';
import { projectOf } from '../guards/token.ts';
import {
  breakdownItem,
  breakdownSeriesPoints,
  histogramMeta,
  histogramPoints,
  seriesPoints,
} from '../monitoring/answers.ts';
import {
  breakdownFrame,
  breakdownSeriesFrame,
  type FrameQuery,
  type Present,
  seriesFrame,
} from '../monitoring/frames.ts';
import type { MonitoringLimits } from '../monitoring/limits.ts';
import {
  intervalDimensions,
  parseIntervalDimension,
  parseIntervalFilters,
  parseIntervalMetric,
  parseSketchMetric,
} from '../monitoring/names.ts';
import {
  completeThroughMs,
  gaugeAnswers,
  gaugeSpan,
  type SourceMeta,
  sourceMeta,
} from '../monitoring/sources.ts';
import { bucketsOf, type Join, joinMs } from '../monitoring/windows.ts';
import { parseTimeframe, type Timeframe } from '../parameters/timeframe.ts';
import {
  type IntervalBreakdown,
  type IntervalBreakdownRow,
  type IntervalOrder,
  type IntervalSeriesRow,
  planIntervalBreakdown,
  planIntervalSeries,
} from '../planner/monitoring.ts';
import type { IntervalScope } from '../planner/monitoring-rows.ts';
import { type HistogramRow, planHistogram } from '../planner/monitoring-sketch.ts';
import {
  intervalWatermark,
  planIntervalWatermark,
  type WatermarkRow,
} from '../planner/monitoring-watermark.ts';
import { type ApiScope, envelope, type RouteDeps, signalOf } from './deps.ts';
import * as example from './examples/monitoring.ts';
import * as own from './monitoring-schemas.ts';
import * as schema from './schemas.ts';

const TAGS = ['Monitoring'];
const CODES = ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES] as const;

/** What the monitoring routes work with. */
export interface MonitoringDeps extends RouteDeps {
  readonly monitoring: MonitoringLimits;
}

export function registerMonitoring(fastify: ApiScope, deps: MonitoringDeps): void {
  registerNames(fastify, deps);
  registerSeries(fastify, deps);
  registerBreakdown(fastify, deps);
  registerBreakdownSeries(fastify, deps);
  registerHistogram(fastify, deps);
}

function registerNames(fastify: ApiScope, deps: MonitoringDeps): void {
  const lists = [
    ['dimensions', intervalDimensions.map(({ name, title }) => ({ name, display_name: title }))],
    ['metrics', intervalMetrics.map(({ id, title }) => ({ name: id, display_name: title }))],
  ] as const;
  for (const [what, data] of lists) {
    const options = {
      schema: {
        tags: TAGS,
        summary: `Interval ${what}`,
        description: `The ${what} of the monitoring routes.`,
        querystring: schema.query({}),
        response: schema.answers(
          schema.envelopeOf(own.namesData, 'Names.', {
            data: data.slice(0, 2),
            rows: data.length,
            meta: {},
          }),
          ['parameter_unknown'],
        ),
      },
    };
    fastify.get(`/monitoring/${what}`, options, async () =>
      envelope(data, parseTimeframe([], deps.now()), data.length, {}),
    );
  }
}

interface Asked extends FrameQuery {
  readonly 'filters[]'?: string[];
}

interface Question {
  readonly scope: IntervalScope;
  readonly meta: SourceMeta & { readonly unit: string };
}

/** Reads how far figures are, then settles which windows are asked for and which table answers for each. */
async function questionOf(
  request: FastifyRequest,
  asked: Asked,
  metric: IntervalMetric,
  dimension: string | undefined,
  frameOf: (asked: Asked, present: Present, limits: MonitoringLimits) => Timeframe,
  context: { readonly deps: MonitoringDeps; readonly signal: AbortSignal },
): Promise<Question> {
  const { deps, signal } = context;
  const project = projectOf(request);
  const filters = parseIntervalFilters(asked['filters[]'] ?? [], project, deps.limits);
  const names = [...filters.map((filter) => filter.dimension), ...(dimension ? [dimension] : [])];
  const rows = await deps.runner.run<WatermarkRow>(planIntervalWatermark(), signal);
  const watermark = intervalWatermark(rows);
  const completeMs = completeThroughMs(watermark);
  const nowMs = deps.now();
  const gauge = gaugeAnswers(metric, names);
  const frame = frameOf(asked, { nowMs, completeMs, gauge }, deps.monitoring);
  const span = gauge ? gaugeSpan(frame, watermark, nowMs) : undefined;
  const meta = { unit: metric.unit, ...sourceMeta(metric, names, frame, span, watermark) };
  return { scope: { project: project.id, frame, filters, gauge: span }, meta };
}

/** What every series over time may be asked with. */
const seriesQuery = (deps: MonitoringDeps) =>
  schema.query({
    ...own.timestamp('Begin of the series, seconds since 1970; it reaches up to now.'),
    ...own.timeframe(deps.monitoring, 'the last 30 minutes'),
    ...own.filters,
    ...own.groupBy,
    ...schema.explain,
  });

function registerSeries(fastify: ApiScope, deps: MonitoringDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One interval figure over time',
      description: 'A point for each window that the time touches, empty ones too, oldest first.',
      params: own.metricParams,
      querystring: seriesQuery(deps),
      response: schema.answers(own.envelopeOf(own.seriesData, 'Points.', example.series), CODES),
    },
  };
  fastify.get('/monitoring/metrics/:id/timeseries', options, async (request, reply) => {
    const metric = parseIntervalMetric(request.params.id);
    const { query } = request;
    const signal = signalOf(reply);
    const context = { deps, signal };
    const asked = await questionOf(request, query, metric, undefined, seriesFrame, context);
    const sizeMs = joinMs[query.group_by ?? 'five_seconds'];
    const plan = planIntervalSeries(metric, asked.scope, sizeMs);
    const rows = await deps.runner.run<IntervalSeriesRow>(plan, signal);
    const { frame } = asked.scope;
    const points = seriesPoints(metric, bucketsOf(frame, sizeMs), rows);
    return envelope(points, frame, points.length, { ...asked.meta, ...joined(query.group_by) });
  });
}

const joined = (join: Join | undefined): { granularity: Join } => ({
  granularity: join ?? 'five_seconds',
});

interface OrderQuery {
  readonly dimension?: string;
  readonly order_by?: IntervalOrder;
  readonly order_direction?: 'asc' | 'desc';
  readonly limit?: number;
}

function breakdownOf(query: OrderQuery, limitDefault: number): IntervalBreakdown {
  const orderBy = query.order_by ?? 'views';
  const direction = query.order_direction ?? (orderBy === 'field' ? 'asc' : 'desc');
  return {
    dimension: parseIntervalDimension(query.dimension ?? own.DIMENSION_DEFAULT).name,
    orderBy,
    descending: direction === 'desc',
    limit: query.limit ?? limitDefault,
  };
}

function registerBreakdown(fastify: ApiScope, deps: MonitoringDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One interval figure by the values of a dimension',
      description:
        'Of one window, or of the joined windows of `timeframe[]`. Values without viewers are left out.',
      params: own.metricParams,
      querystring: schema.query({
        ...own.dimension,
        ...own.timestamp(
          'A moment in the window, seconds since 1970. Default: the present window where viewers_now can tell it, else the newest complete one.',
        ),
        ...own.timeframe(deps.monitoring, 'the window of `timestamp`'),
        ...own.filters,
        ...own.order,
        ...own.limit(own.VALUES_DEFAULT, deps.limits.pageRowsMax, 'pageRowsMax'),
        ...schema.explain,
      }),
      response: schema.answers(
        own.envelopeOf(own.breakdownData, 'Values.', example.breakdown),
        CODES,
      ),
    },
  };
  fastify.get('/monitoring/metrics/:id/breakdown', options, async (request, reply) => {
    const metric = parseIntervalMetric(request.params.id);
    const { query } = request;
    const breakdown = breakdownOf(query, own.VALUES_DEFAULT);
    const signal = signalOf(reply);
    const context = { deps, signal };
    const { dimension } = breakdown;
    const asked = await questionOf(request, query, metric, dimension, breakdownFrame, context);
    const { frame } = asked.scope;
    const plan = planIntervalBreakdown(metric, asked.scope, { whole: true }, breakdown);
    const rows = await deps.runner.run<IntervalBreakdownRow>(plan, signal);
    const data = rows.map((row) => breakdownItem(metric, dimension, frame, row));
    return envelope(data, frame, rows[0]?.total_rows ?? 0, { ...asked.meta });
  });
}

function registerBreakdownSeries(fastify: ApiScope, deps: MonitoringDeps): void {
  const { monitoring, limits } = deps;
  const options = {
    schema: {
      tags: TAGS,
      summary: 'One interval figure by the values of a dimension, over time',
      description: 'For each window the first values in the order asked for, oldest window first.',
      params: own.metricParams,
      querystring: schema.query({
        ...own.dimension,
        ...own.timeframe(monitoring, 'the newest minute that has an answer'),
        ...own.filters,
        ...own.groupBy,
        ...own.order,
        ...own.limit(own.POINT_VALUES_DEFAULT, monitoring.pointValuesMax, 'pointValuesMax'),
        ...schema.explain,
      }),
      response: schema.answers(
        own.envelopeOf(own.breakdownSeriesData, 'Points.', example.breakdownSeries),
        CODES,
      ),
    },
  };
  fastify.get('/monitoring/metrics/:id/breakdown-timeseries', options, async (request, reply) => {
    const metric = parseIntervalMetric(request.params.id);
    const { query } = request;
    const breakdown = breakdownOf(query, own.POINT_VALUES_DEFAULT);
    const sizeMs = joinMs[query.group_by ?? 'five_seconds'];
    const signal = signalOf(reply);
    const context = { deps, signal };
    const { dimension } = breakdown;
    const asked = await questionOf(
      request,
      query,
      metric,
      dimension,
      breakdownSeriesFrame,
      context,
    );
    const { frame } = asked.scope;
    const buckets = bucketsOf(frame, sizeMs);
    checkRows(buckets.length * breakdown.limit, limits.queryRowsMax);
    const plan = planIntervalBreakdown(metric, asked.scope, { sizeMs }, breakdown);
    const rows = await deps.runner.run<IntervalBreakdownRow>(plan, signal);
    const points = breakdownSeriesPoints(metric, buckets, rows);
    return envelope(points, frame, points.length, { ...asked.meta, ...joined(query.group_by) });
  });
}

function checkRows(rows: number, rowsMax: number): void {
  if (rows <= rowsMax) return;
  const detail = `limit times points is ${rows}; ${rowsMax} are allowed (queryRowsMax). Take a lower limit, a shorter timeframe[], or a longer group_by`;
  throw refuse('parameter_invalid', { detail });
}

function registerHistogram(fastify: ApiScope, deps: MonitoringDeps): void {
  const options = {
    schema: {
      tags: TAGS,
      summary: 'The distribution of an interval figure over time',
      description: 'Median and 95th percentile to 1 %; bars are of `meta.buckets`.',
      params: own.sketchParams,
      querystring: seriesQuery(deps),
      response: schema.answers(
        own.envelopeOf(own.histogramData, 'Points.', example.histogram, own.barMeta),
        CODES,
      ),
    },
  };
  fastify.get('/monitoring/metrics/:id/histogram-timeseries', options, async (request, reply) => {
    const metric = parseSketchMetric(request.params.id);
    const { query } = request;
    const signal = signalOf(reply);
    const context = { deps, signal };
    // A gauge counts viewers; of distributions it knows nothing.
    const sketched = { ...metric, now: false };
    const asked = await questionOf(request, query, sketched, undefined, seriesFrame, context);
    const sizeMs = joinMs[query.group_by ?? 'five_seconds'];
    const plan = planHistogram(asked.scope, metric.sketch, sizeMs);
    const rows = await deps.runner.run<HistogramRow>(plan, signal);
    const { frame } = asked.scope;
    const points = histogramPoints(metric, bucketsOf(frame, sizeMs), rows);
    const meta = { ...asked.meta, ...joined(query.group_by), ...histogramMeta(metric) };
    return envelope(points, frame, points.length, meta);
  });
}
