/** Asks for interval figures: 5 s points of what happens now. */
import type { Step } from '../figures/tiles.ts';
import type { Filter } from '../state/filters.ts';
import type { Api } from './client.ts';
import { intervalDimension, intervalMetricId, viewDimension, viewMetricId } from './names.ts';
import { filterTexts, throughOf } from './views.ts';

export interface Point {
  /** Begin of the window, ms since 1970. */
  readonly atMs: number;
  /** Null when nothing is known. */
  readonly value: number | null;
}

export interface Series {
  readonly metric: string;
  readonly points: readonly Point[];
  readonly throughMs: number | null;
}

export interface SplitSeries {
  readonly metric: string;
  readonly split: string;
  readonly timesMs: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly throughMs: number | null;
}

export interface BreakdownRow {
  /** Value of the dimension; empty when unknown. */
  readonly name: string;
  readonly value: number | null;
  readonly viewers: number;
}

interface Ask {
  readonly metric: string;
  readonly filters: readonly Filter[];
  readonly minutes: number;
}

/** Values of an answer that a table takes. */
const ROWS_MAX = 50;

/** Points of joined windows. */
interface Stepped {
  readonly step: Step;
}

const METRIC = '/data/v1/monitoring/metrics/{id}';

const frame = (minutes: number) => ({ 'timeframe[]': [`${minutes}:minutes`] });

export async function readSeries(
  api: Api,
  ask: Ask & Stepped,
  signal: AbortSignal,
): Promise<Series> {
  const query = {
    ...frame(ask.minutes),
    'filters[]': filterTexts(ask.filters),
    group_by: ask.step,
  };
  const places = { id: intervalMetricId(ask.metric) };
  const answer = await api.get(`${METRIC}/timeseries`, { places, query }, signal);
  const points = answer.data.map(({ date, value }) => ({ atMs: Date.parse(date), value }));
  return { metric: ask.metric, points, throughMs: throughOf(answer) };
}

interface SplitItem {
  readonly date: string;
  readonly values: readonly { readonly value: string; readonly metric_value: number | null }[];
}

/**
 * A line for each of the values with the most viewers in all the time, largest first. The route itself picks the largest
 * of each window, which would begin and end lines; so it is asked for these values alone.
 */
export async function readSplit(
  api: Api,
  ask: Ask & Stepped & { readonly split: string; readonly linesMax: number },
  signal: AbortSignal,
): Promise<SplitSeries> {
  const { metric, split, minutes, filters, linesMax } = ask;
  const most = await readBreakdown(
    api,
    { metric, by: split, filters, minutes, limit: linesMax },
    signal,
  );
  const names = most.map(({ name }) => name);
  const others = filters.filter(({ dimension }) => dimension !== split);
  const only = names.map((value) => ({ dimension: split, value }));
  const query = {
    ...frame(minutes),
    'filters[]': filterTexts([...others, ...only]),
    dimension: intervalDimension(split),
    group_by: ask.step,
    limit: linesMax,
  };
  const places = { id: intervalMetricId(metric) };
  const answer = await api.get(`${METRIC}/breakdown-timeseries`, { places, query }, signal);
  const timesMs = answer.data.map(({ date }) => Date.parse(date));
  const { unit } = answer.meta;
  const lines = names.map((name) => ({ name, values: lineOf(answer.data, name, unit) }));
  return { metric, split, timesMs, lines, throughMs: throughOf(answer) };
}

/** A value that a window leaves out had no viewers there: a count is 0 then, and of all else nothing is known. */
function lineOf(items: readonly SplitItem[], name: string, unit?: string): (number | null)[] {
  return items.map(({ values }) => {
    const found = values.find(({ value }) => value === name);
    return found === undefined ? (unit === 'count' ? 0 : null) : found.metric_value;
  });
}

/** Over the last minutes; `minutes` 0 is the newest window that can be answered. */
export async function readBreakdown(
  api: Api,
  ask: Ask & { readonly by: string; readonly limit?: number },
  signal: AbortSignal,
): Promise<readonly BreakdownRow[]> {
  const query = {
    ...(ask.minutes > 0 ? frame(ask.minutes) : {}),
    'filters[]': filterTexts(ask.filters),
    dimension: intervalDimension(ask.by),
    limit: ask.limit ?? ROWS_MAX,
  };
  const places = { id: intervalMetricId(ask.metric) };
  const { data } = await api.get(`${METRIC}/breakdown`, { places, query }, signal);
  return data.map(({ value, metric_value, concurrent_viewers }) => ({
    name: value,
    value: metric_value,
    viewers: concurrent_viewers,
  }));
}

/** The same of views that ended: all dimensions, but only once a view is over. */
export async function readEndedBreakdown(
  api: Api,
  ask: Ask & { readonly by: string },
  signal: AbortSignal,
): Promise<readonly BreakdownRow[]> {
  const query = {
    ...frame(ask.minutes),
    'filters[]': filterTexts(ask.filters),
    group_by: viewDimension(ask.by),
    order_by: 'views' as const,
    limit: ROWS_MAX,
  };
  const places = { id: viewMetricId(ask.metric) };
  const { data } = await api.get('/data/v1/metrics/{id}/breakdown', { places, query }, signal);
  return data.map(({ field, value, views }) => ({ name: field, value, viewers: views }));
}
