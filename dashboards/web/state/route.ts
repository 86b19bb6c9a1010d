/**
 * What the page shows, kept in the URL's hash: a link says it all, and the browser's back goes back.
 *
 * Guarantee: any hash parses to a route; what it says wrongly falls back to the standard.
 */

import { dimensions } from '../../../schemas/catalogue/dimensions.ts';
import { findIntervalMetric } from '../../../schemas/catalogue/interval-metrics.ts';

export interface Filter {
  readonly dimension: string;
  /** Empty is the unknown value. */
  readonly value: string;
}

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

export type Route = Overview | ViewPage;

export const STANDARD: Overview = {
  page: 'overview',
  metric: 'current-concurrent-viewers',
  minutes: 10,
  split: '',
  by: 'cdn',
  filters: [],
};

const names: ReadonlySet<string> = new Set(dimensions.map(({ name }) => name));

const known = (name: string | null, otherwise: string): string =>
  name !== null && names.has(name) ? name : otherwise;

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  const view = /^\/view\/(.+)$/.exec(path)?.[1];
  if (view !== undefined) return { page: 'view', id: decoded(view) };
  const query = new URLSearchParams(search);
  const metric = query.get('metric') ?? '';
  return {
    page: 'overview',
    metric: findIntervalMetric(metric) === undefined ? STANDARD.metric : metric,
    minutes: SPANS.find((span) => String(span) === query.get('minutes')) ?? STANDARD.minutes,
    split: known(query.get('split'), ''),
    by: known(query.get('by'), STANDARD.by),
    filters: query.getAll('filter').flatMap(parseFilter),
  };
}

export function formatRoute(route: Route): string {
  if (route.page === 'view') return `#/view/${encodeURIComponent(route.id)}`;
  const query = new URLSearchParams();
  for (const name of ['metric', 'minutes', 'split', 'by'] as const) {
    if (route[name] !== STANDARD[name]) query.set(name, String(route[name]));
  }
  for (const { dimension, value } of route.filters) query.append('filter', `${dimension}:${value}`);
  const search = query.toString();
  return search === '' ? '#/' : `#/?${search}`;
}

/** The filters with one more; one that is there already changes nothing. */
export function withFilter(filters: readonly Filter[], added: Filter): readonly Filter[] {
  return filters.some((filter) => sameFilter(filter, added)) ? filters : [...filters, added];
}

export const sameFilter = (one: Filter, other: Filter): boolean =>
  one.dimension === other.dimension && one.value === other.value;

function parseFilter(text: string): Filter[] {
  const colon = text.indexOf(':');
  const dimension = text.slice(0, colon);
  return names.has(dimension) ? [{ dimension, value: text.slice(colon + 1) }] : [];
}

/** A hash that someone cut in the middle of an escape is still an id. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
