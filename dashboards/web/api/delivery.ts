/** Asks for figures of delivery, and for those of views beside them where no price book answers. */
import { timeframeOf } from '../state/cost-frame.ts';
import type { CostDimension, CostQuality } from '../state/cost-route.ts';
import type { AnswerOf, Api } from './client.ts';
import { type CostAsk, SCORE_ROWS_MAX } from './cost.ts';
import { filterTexts, throughOf } from './views.ts';

export type BlameRow = AnswerOf<'/data/v1/delivery/blame'>['data'][number];

const BLAME_ROWS_MAX = 12;

const scopeOf = ({ frame, filters }: CostAsk) => ({
  'timeframe[]': timeframeOf(frame),
  'filters[]': filterTexts(filters),
});

export async function readBlame(
  api: Api,
  ask: CostAsk,
  signal: AbortSignal,
): Promise<readonly BlameRow[]> {
  const query = { ...scopeOf(ask), group_by: 'cdn' as const, limit: BLAME_ROWS_MAX };
  return (await api.get('/data/v1/delivery/blame', { places: {}, query }, signal)).data;
}

/** One figure of delivery by a dimension. */
export async function readDelivered(
  api: Api,
  ask: CostAsk & {
    readonly id: 'bytes' | 'ttfb' | 'hit_ratio' | 'error_percentage';
    readonly by: CostDimension;
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number | null>> {
  const query = { ...scopeOf(ask), group_by: ask.by, limit: SCORE_ROWS_MAX };
  const question = { places: { id: ask.id }, query };
  const { data } = await api.get('/data/v1/delivery/metrics/{id}/breakdown', question, signal);
  return new Map(data.map(({ field, value }) => [field, value]));
}

/** The median where viewers differ, the ratio of sums else: what the scoreboard of cost shows too. */
const measureOf = (id: CostQuality) =>
  id === 'video_startup_time' ? ('median' as const) : ('ratio' as const);

export async function readWatched(
  api: Api,
  ask: CostAsk & { readonly id: CostQuality; readonly by: CostDimension },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number | null>> {
  const query = {
    ...scopeOf(ask),
    group_by: ask.by,
    measurement: measureOf(ask.id),
    limit: SCORE_ROWS_MAX,
  };
  const question = { places: { id: ask.id }, query };
  const { data } = await api.get('/data/v1/metrics/{id}/breakdown', question, signal);
  return new Map(data.map(({ field, value }) => [field, value]));
}

export interface QualitySeries {
  readonly timesMs: readonly number[];
  readonly values: readonly (number | null)[];
  readonly throughMs: number | null;
}

export async function readQualitySeries(
  api: Api,
  ask: CostAsk & { readonly id: CostQuality },
  signal: AbortSignal,
): Promise<QualitySeries> {
  const query = {
    ...scopeOf(ask),
    measurement: measureOf(ask.id),
    group_by: ask.frame.granularity,
  };
  const question = { places: { id: ask.id }, query };
  const answer = await api.get('/data/v1/metrics/{id}/timeseries', question, signal);
  return {
    timesMs: answer.data.map(([at]) => Date.parse(String(at))),
    values: answer.data.map(([, value]) => (typeof value === 'number' ? value : null)),
    throughMs: throughOf(answer),
  };
}
