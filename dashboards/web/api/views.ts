/** Asks for single views: the list, and one with its timeline. */
import type { Filter } from '../state/filters.ts';
import type { Meta, TimelineEvent, ViewDetail, ViewListItem } from './answers.ts';
import type { Api } from './client.ts';

/** Pages of a timeline that are read: more events than this are named, not shown. */
const EVENT_PAGES_MAX = 10;

export interface WholeView {
  readonly view: ViewDetail;
  readonly events: readonly TimelineEvent[];
  /** Events that there are. */
  readonly total: number;
  readonly throughMs: number | null;
}

export type ViewOrder = 'view_start' | 'view_end';

interface ListAsk {
  readonly filters: readonly Filter[];
  readonly hours: number;
  readonly limit: number;
  readonly order: ViewOrder;
}

export interface ViewList {
  readonly views: readonly ViewListItem[];
  readonly total: number;
}

export const filterTexts = (filters: readonly Filter[]): string[] =>
  filters.map(({ dimension, value }) => `${dimension}:${value}`);

export async function readViews(
  api: Api,
  { filters, hours, limit, order }: ListAsk,
  signal: AbortSignal,
): Promise<ViewList> {
  const query = {
    'filters[]': filterTexts(filters),
    'timeframe[]': [`${hours}:hours`],
    limit,
    order_by: order,
  };
  const ask = { places: {}, query };
  const { data, total_row_count } = await api.get('/data/v1/video-views', ask, signal);
  return { views: data, total: total_row_count ?? data.length };
}

export async function readView(api: Api, id: string, signal: AbortSignal): Promise<WholeView> {
  const ask = (page: number) =>
    api.get('/data/v1/video-views/{id}', { places: { id }, query: { page } }, signal);
  const first = await ask(1);
  const events = [...first.data.events];
  let next = first.meta.events.next_page;
  while (next !== null && next <= EVENT_PAGES_MAX) {
    const { data, meta } = await ask(next);
    events.push(...data.events);
    next = meta.events.next_page;
  }
  return {
    view: first.data,
    events,
    total: first.meta.events.total_row_count,
    throughMs: throughOf(first),
  };
}

export function throughOf({ meta }: { readonly meta: Meta }): number | null {
  const timeMs = Date.parse(meta.complete_through ?? '');
  return Number.isNaN(timeMs) ? null : timeMs;
}
