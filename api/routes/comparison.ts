/** `/data/v1/metrics/comparison` and `/metrics/{id}/insights`: every metric of one slice, and one metric over all slices. */
import Type from 'typebox';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { findViewMetric, type Measure, type ViewMetric } from '../../schemas/catalogue/metrics.ts';
import { refuse } from '../errors.ts';
import { projectOf } from '../guards/token.ts';
import { parseFilters } from '../parameters/filters.ts';
import { parseDimension } from '../parameters/names.ts';
import { type BreakdownRow, planBreakdown } from '../planner/breakdown.ts';
import { type ComparisonRow, figureName, planComparison } from '../planner/comparison.ts';
import { answerValue, type Figure } from '../planner/figure.ts';
import type { Scope } from '../planner/scope.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import { type AnswerExample, THROUGH } from './examples/envelope.ts';
import { comparisonValues, insights } from './examples/metrics.ts';
import { integer, number, numberOrNull } from './quantities.ts';
import { figureMeta, figureOf, pageOf, scopeOf, unitOf } from './questions.ts';
import * as schema from './schemas.ts';

const CODES = ['metric_unknown', 'dimension_unknown', ...schema.STORE_CODES] as const;
const TAGS = ['Metrics'];

export function registerComparison(fastify: ApiScope, deps: RouteDeps): void {
  registerMetricComparison(fastify, deps);
  registerInsights(fastify, deps);
}

/** Figures of the answer, each under the one that sums it up; the first of a group is its head. */
const GROUPS: readonly (readonly (readonly [id: string, measure?: Measure])[])[] = [
  [['viewer_experience_score'], ['report_completeness']],
  [
    ['playback_success_score'],
    ['playback_failure_percentage'],
    ['video_startup_failure_percentage'],
    ['exits_before_video_start'],
    ['view_dropped_percentage'],
    ['playback_business_exception_percentage'],
    ['video_startup_business_exception_percentage'],
  ],
  [
    ['startup_time_score'],
    ['video_startup_time', 'median'],
    ['video_startup_time', '95th'],
    ['player_startup_time', 'median'],
    ['player_startup_time', '95th'],
    ['page_load_time', 'median'],
    ['page_load_time', '95th'],
    ['aggregate_startup_time', 'median'],
    ['aggregate_startup_time', '95th'],
    ['seek_latency'],
    ['video_restart_time'],
  ],
  [
    ['rebuffer_score'],
    ['rebuffer_percentage'],
    ['rebuffer_frequency'],
    ['rebuffer_duration', 'median'],
    ['rebuffer_count', 'median'],
  ],
  [
    ['video_quality_score'],
    ['weighted_average_bitrate'],
    ['upscale_percentage'],
    ['max_upscale_percentage'],
    ['downscale_percentage'],
    ['max_downscale_percentage'],
    ['rendition_change_count'],
    ['rendition_upshift_count'],
    ['rendition_downshift_count'],
    ['dropped_frame_percentage'],
    ['live_stream_latency', 'median'],
    ['live_stream_latency', '95th'],
    ['request_throughput'],
    ['request_latency'],
    ['max_request_latency'],
  ],
];

const TOTALS = ['views', 'unique_viewers', 'started_views', 'ended_views'] as const;
const TIMES = ['playing_time', 'watch_time'] as const;

function metricOf(id: string): ViewMetric {
  const metric = findViewMetric(id);
  if (metric === undefined) throw new Error(`the catalogue has no ${id}`);
  return metric;
}

const figure = (id: string, measure?: Measure): Figure => {
  const metric = metricOf(id);
  return { metric, measure: measure ?? metric.defaultMeasure };
};

const grouped = GROUPS.map((group) => group.map(([id, measure]) => figure(id, measure)));
const totalFigures = TOTALS.map((id) => figure(id, 'count'));
const timeFigures = TIMES.map((id) => figure(id, 'sum'));
const allFigures = [...totalFigures, ...timeFigures, ...grouped.flat()];

const TYPES = { ms: 'milliseconds', fraction: 'percentage', score: 'score' } as const;

function typeOf(asked: Figure): string {
  const unit = unitOf(asked);
  return unit === 'ms' || unit === 'fraction' || unit === 'score' ? TYPES[unit] : 'number';
}

const item = Type.Object({
  name: Type.String({ description: 'Title of the metric.' }),
  metric: Type.String({ description: 'Its id.' }),
  measurement: Type.String(),
  type: Type.String({ description: 'milliseconds, percentage (a fraction), score or number.' }),
  unit: Type.String(),
  value: numberOrNull('The figure; null where nothing is known.', 'what `unit` names'),
});
const totals = Type.Object({
  name: Type.Literal('totals'),
  view_count: integer('Views, by their start.', 'count'),
  unique_viewers: integer('Viewers of them.', 'count'),
  started_views: integer('Views that began to play.', 'count'),
  ended_views: integer('Views that ended.', 'count'),
  total_playing_time: integer('Playing time of all.', 'ms'),
  watch_time: integer('Watch time of all.', 'ms'),
});
const comparisonData = Type.Array(
  Type.Union([totals, Type.Intersect([item, Type.Object({ items: Type.Array(item) })])]),
  { description: 'Totals first; then each score, with the metrics that go with it.' },
);

function registerMetricComparison(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'Every metric of one slice',
      description:
        'All views that meet the filters; with `dimension` and `value` those that carry the value.',
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.explain,
        dimension: Type.Optional(schema.dimensionName('Name of a dimension.')),
        value: Type.Optional(
          Type.String({ description: 'Value of it; empty is the unknown one.' }),
        ),
      }),
      response: schema.answers(
        schema.envelopeOf(comparisonData, 'Figures.', exampleFigures()),
        CODES,
      ),
    },
  };
  fastify.get('/metrics/comparison', options, async (request, reply) => {
    const { dimension, value } = request.query;
    const asked = scopeOf(request, request.query, deps);
    const slice = sliceOf(dimension, value);
    const chosen =
      slice === undefined ? [] : parseFilters([slice], projectOf(request), deps.limits);
    const scope: Scope = { ...asked, filters: [...asked.filters, ...chosen] };
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const statement = planComparison(allFigures, scope);
    const [row = {}] = await deps.runner.run<ComparisonRow>(statement, signal);
    const valueFor = (wanted: Figure): number | null =>
      answerValue(wanted, row[figureName(allFigures.indexOf(wanted))]);
    const data = [totalsOf(valueFor), ...grouped.map((group) => groupOf(group, valueFor))];
    return envelope(data, scope.timeframe, null, { complete_through: through });
  });
}

function sliceOf(dimension: string | undefined, value: string | undefined): string | undefined {
  if (dimension !== undefined) return `${parseDimension(dimension).name}:${value ?? ''}`;
  if (value === undefined) return undefined;
  throw refuse('parameter_invalid', {
    detail: 'value needs dimension, which says whose value it is',
  });
}

type ValueFor = (figure: Figure) => number | null;

function totalsOf(valueFor: ValueFor): object {
  const [views, viewers, started, ended] = totalFigures.map(valueFor);
  const [playing, watch] = timeFigures.map(valueFor);
  return {
    name: 'totals',
    view_count: views,
    unique_viewers: viewers,
    started_views: started,
    ended_views: ended,
    total_playing_time: playing,
    watch_time: watch,
  };
}

function groupOf([head, ...rest]: readonly Figure[], valueFor: ValueFor): object {
  const itemOf = (asked: Figure): object => ({
    name: asked.metric.title,
    metric: asked.metric.id,
    measurement: asked.measure,
    type: typeOf(asked),
    unit: unitOf(asked),
    value: valueFor(asked),
  });
  return { ...(head === undefined ? {} : itemOf(head)), items: rest.map(itemOf) };
}

/** The totals and the first scores of an answer. */
function exampleFigures(): AnswerExample {
  const valueFor: ValueFor = ({ metric, measure }) =>
    comparisonValues[`${metric.id} ${measure}`] ?? comparisonValues[metric.id] ?? null;
  const groups = grouped.slice(0, 2).map((group) => groupOf(group, valueFor));
  return { data: [totalsOf(valueFor), ...groups], rows: null, meta: { complete_through: THROUGH } };
}

/** An id is no slice: it names one view, or one viewer. */
const IDS: ReadonlySet<string> = new Set(['view_id', 'viewer_user_id']);
const slices = dimensions.filter(({ name }) => !IDS.has(name)).map(({ name }) => name);

const insightsData = Type.Array(
  Type.Object({
    filter_column: Type.String({ description: 'Dimension.' }),
    filter_value: Type.String({ description: 'Value of it; empty when unknown.' }),
    metric: schema.value,
    negative_impact_score: number('As `negative_impact` of a breakdown.', 'what `meta.unit` names'),
    total_views: integer('Views that take part in the metric.', 'count'),
    ...schema.totals,
  }),
);

function registerInsights(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views'] },
    schema: {
      tags: TAGS,
      summary: 'What costs a figure most',
      description:
        'Values of all dimensions but ids of views and viewers, by how much better the figure would be if their views had the figure of the rest.',
      params: schema.metricParams,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.measurement,
        ...schema.direction,
        limit: schema.paging(deps.limits).limit,
        ...schema.explain,
      }),
      response: schema.answers(schema.envelopeOf(insightsData, 'Worst first.', insights), CODES),
    },
  };
  fastify.get('/metrics/:id/insights', options, async (request, reply) => {
    const { query } = request;
    const asked = figureOf(request.params.id, query.measurement);
    const scope = scopeOf(request, query, deps);
    const descending = query.order_direction !== 'asc';
    const { limit } = pageOf(query, deps.limits);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const ask = async (dimension: string) => {
      const question = {
        page: 1,
        limit,
        dimension,
        orderBy: 'negative_impact',
        descending,
      } as const;
      const rows = await deps.runner.run<BreakdownRow>(
        planBreakdown(asked, scope, question),
        signal,
      );
      return rows.map((row) => ({ dimension, row }));
    };
    // One after the other: an answer shall not take the turns of all others.
    const found = [];
    for (const dimension of slices) found.push(...(await ask(dimension)));
    const sign = descending ? -1 : 1;
    found.sort((a, b) => sign * (a.row.negative_impact - b.row.negative_impact));
    const data = found.slice(0, limit).map(({ dimension, row }) => ({
      filter_column: dimension,
      filter_value: row.field,
      metric: answerValue(asked, row.value),
      negative_impact_score: row.negative_impact,
      total_views: row.views,
      total_playing_time: row.playing,
      total_watch_time: row.watch,
    }));
    const meta = figureMeta(asked, through, found[0]?.row ?? { received: 0, expected: 0 });
    return envelope(data, scope.timeframe, data.length, meta);
  });
}
