/** Asks what delivery costs: overall, over time, by a dimension, and what a move to another CDN would change. */
import { type CostFrame, timeframeOf } from '../state/cost-frame.ts';
import type { CostDimension, Match } from '../state/cost-route.ts';
import type { Filter } from '../state/filters.ts';
import type { AnswerOf, Api } from './client.ts';
import { viewDimension } from './names.ts';
import { filterTexts } from './views.ts';

export type CostOverall = AnswerOf<'/data/v1/cost/overall'>;
export type CostRow = AnswerOf<'/data/v1/cost/breakdown'>['data'][number];
export type WhatIfAnswer = AnswerOf<'/data/v1/cost/what-if'>;
export type Unpriced = CostOverall['meta']['unpriced'];

export interface CostAsk {
  readonly frame: CostFrame;
  readonly filters: readonly Filter[];
}

/** Rows of the scoreboard; more are named, not shown. */
export const SCORE_ROWS_MAX = 100;

const scopeOf = ({ frame, filters }: CostAsk) => ({
  'timeframe[]': timeframeOf(frame),
  'filters[]': filterTexts(filters),
});

export const readCost = (api: Api, ask: CostAsk, signal: AbortSignal): Promise<CostOverall> =>
  api.get(
    '/data/v1/cost/overall',
    { places: {}, query: { ...scopeOf(ask), forecast: true } },
    signal,
  );

export interface CostRows {
  readonly rows: readonly CostRow[];
  readonly total: number;
  readonly currency: string;
}

/** The dearest values, with their quality. */
export async function readCostRows(
  api: Api,
  ask: CostAsk & { readonly by: CostDimension; readonly quality: boolean },
  signal: AbortSignal,
): Promise<CostRows> {
  const query = {
    ...scopeOf(ask),
    group_by: ask.by,
    quality: ask.quality,
    waste: false,
    limit: SCORE_ROWS_MAX,
  };
  const answer = await api.get('/data/v1/cost/breakdown', { places: {}, query }, signal);
  const { data, total_row_count, meta } = answer;
  return { rows: data, total: total_row_count ?? data.length, currency: meta.currency ?? '' };
}

export interface CostSeries {
  readonly timesMs: readonly number[];
  /** Decimals in text. */
  readonly amounts: readonly string[];
  readonly currency: string;
}

export async function readCostSeries(
  api: Api,
  ask: CostAsk,
  signal: AbortSignal,
): Promise<CostSeries> {
  const query = { ...scopeOf(ask), group_by: ask.frame.granularity };
  const { data, meta } = await api.get('/data/v1/cost/timeseries', { places: {}, query }, signal);
  return {
    timesMs: data.map(({ at }) => Date.parse(at)),
    amounts: data.map(({ cost }) => cost),
    currency: meta.currency ?? '',
  };
}

export const readWhatIf = (
  api: Api,
  ask: CostAsk & {
    readonly from: string;
    readonly to: string;
    readonly share: number;
    readonly match: readonly Match[];
  },
  signal: AbortSignal,
): Promise<WhatIfAnswer> => {
  const { from, to, share, match } = ask;
  const query = { ...scopeOf(ask), from, to, share, 'match[]': [...match] };
  return api.get('/data/v1/cost/what-if', { places: {}, query }, signal);
};

/** Values of a dimension that views have, those with most views first. */
export async function readValues(
  api: Api,
  ask: CostAsk & { readonly dimension: string; readonly limit: number },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const query = {
    ...scopeOf(ask),
    group_by: viewDimension(ask.dimension),
    order_by: 'views' as const,
    limit: ask.limit,
  };
  const question = { places: { id: 'ended_views' as const }, query };
  const { data } = await api.get('/data/v1/metrics/{id}/breakdown', question, signal);
  return data.map(({ field }) => field);
}
