/**
 * What the page shows, kept in the URL's hash: a link says it all, and the browser's back goes back.
 *
 * Guarantee: any hash parses to a route; what it says wrongly falls back to the standard.
 */

import { findIntervalMetric } from '../../../schemas/catalogue/interval-metrics.ts';
import { type CostPage, costQuery, parseCost } from './cost-route.ts';
import { type Filter, filterText, knownDimension, parseFilter } from './filters.ts';

export const SPANS = [10, 30, 60] as const;
export type SpanMinutes = (typeof SPANS)[number];

export interface Overview {
  readonly page: 'overview';
  /** Interval metric of the chart. */
  readonly metric: string;
  readonly minutes: SpanMinutes;
  /** Dimension that splits the chart; empty for none. */
  readonly split: string;
  /** Dimension of the table. */
  readonly by: string;
  readonly filters: readonly Filter[];
}

export interface ViewPage {
  readonly page: 'view';
  readonly id: string;
}

export type Route = Overview | ViewPage | CostPage;

export const STANDARD: Overview = {
  page: 'overview',
  metric: 'current-concurrent-viewers',
  minutes: 10,
  split: '',
  by: 'cdn',
  filters: [],
};

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  const view = /^\/view\/(.+)$/.exec(path)?.[1];
  if (view !== undefined) return { page: 'view', id: decoded(view) };
  const query = new URLSearchParams(search);
  if (path === '/cost') return parseCost(query);
  const metric = query.get('metric') ?? '';
  return {
    page: 'overview',
    metric: findIntervalMetric(metric) === undefined ? STANDARD.metric : metric,
    minutes: SPANS.find((span) => String(span) === query.get('minutes')) ?? STANDARD.minutes,
    split: knownDimension(query.get('split'), ''),
    by: knownDimension(query.get('by'), STANDARD.by),
    filters: query.getAll('filter').flatMap(parseFilter),
  };
}

export function formatRoute(route: Route): string {
  if (route.page === 'view') return `#/view/${encodeURIComponent(route.id)}`;
  if (route.page === 'cost') return hashOf('#/cost', costQuery(route));
  const query = new URLSearchParams();
  for (const name of ['metric', 'minutes', 'split', 'by'] as const) {
    if (route[name] !== STANDARD[name]) query.set(name, String(route[name]));
  }
  for (const filter of route.filters) query.append('filter', filterText(filter));
  return hashOf('#/', query);
}

function hashOf(path: string, query: URLSearchParams): string {
  const search = query.toString();
  return search === '' ? path : `${path}?${search}`;
}

/** A hash that someone cut in the middle of an escape is still an id. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
