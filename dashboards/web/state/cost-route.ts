/**
 * What the place for cost shows, as the query of the URL's hash says it.
 *
 * Guarantee: any query parses; what it says wrongly falls back to the standard.
 */
import { type Filter, filterText, parseFilter } from './filters.ts';

export const COST_SPANS = ['today', '7-days', '30-days', 'month'] as const;
export type CostSpan = (typeof COST_SPANS)[number];

/** Dimensions of the scoreboard. */
export const COST_DIMENSIONS = [
  'cdn',
  'country',
  'asn',
  'viewer_device_category',
  'video_title',
] as const;
export type CostDimension = (typeof COST_DIMENSIONS)[number];

/** Columns of the scoreboard. */
export const COST_COLUMNS = [
  'cost',
  'hourly',
  'share',
  'rebuffering',
  'startup',
  'ttfb',
  'hits',
  'errors',
] as const;
export type CostColumn = (typeof COST_COLUMNS)[number];

/** What stands below cost on the same axis of time. */
export const COST_QUALITIES = ['rebuffer_percentage', 'video_startup_time'] as const;
export type CostQuality = (typeof COST_QUALITIES)[number];

/** What makes views comparable, as `match[]` takes it. */
export const MATCHES = ['country', 'asn', 'viewer_device_category', 'stream_type'] as const;
export type Match = (typeof MATCHES)[number];

/** Dimensions of a slice that a what-if can be about. */
export const SLICES = ['country', 'asn', 'region'] as const;

export interface CostPage {
  readonly page: 'cost';
  readonly span: CostSpan;
  readonly filters: readonly Filter[];
  readonly by: CostDimension;
  readonly sort: CostColumn | 'name';
  readonly order: 'asc' | 'desc';
  /** Whether the chart tells CDNs apart. */
  readonly split: 'cdn' | 'none';
  readonly quality: CostQuality;
  /** CDNs of the what-if; empty until one is chosen. */
  readonly from: string;
  readonly to: string;
  /** Percent that moves, 0 to 100. */
  readonly share: number;
  /** In the order of MATCHES. */
  readonly match: readonly Match[];
  readonly slice: Filter | undefined;
}

export const STANDARD_COST: CostPage = {
  page: 'cost',
  span: '7-days',
  filters: [],
  by: 'cdn',
  sort: 'cost',
  order: 'desc',
  split: 'cdn',
  quality: 'rebuffer_percentage',
  from: '',
  to: '',
  share: 20,
  match: MATCHES,
  slice: undefined,
};

const oneOf = <Name extends string>(
  list: readonly Name[],
  name: string | null,
  otherwise: Name,
): Name => list.find((each) => each === name) ?? otherwise;

export function parseCost(query: URLSearchParams): CostPage {
  const get = (name: string): string | null => query.get(name);
  return {
    page: 'cost',
    span: oneOf(COST_SPANS, get('span'), STANDARD_COST.span),
    filters: query.getAll('filter').flatMap(parseFilter),
    by: oneOf(COST_DIMENSIONS, get('by'), STANDARD_COST.by),
    sort: oneOf(['name', ...COST_COLUMNS], get('sort'), STANDARD_COST.sort),
    order: oneOf(['asc', 'desc'], get('order'), STANDARD_COST.order),
    split: oneOf(['cdn', 'none'], get('split'), STANDARD_COST.split),
    quality: oneOf(COST_QUALITIES, get('quality'), STANDARD_COST.quality),
    from: get('from') ?? '',
    to: get('to') ?? '',
    share: shareOf(get('share')),
    match: matchOf(get('match')),
    slice: sliceOf(get('slice')),
  };
}

function shareOf(text: string | null): number {
  const share = /^\d{1,3}$/.test(text ?? '') ? Number(text) : STANDARD_COST.share;
  return share <= 100 ? share : STANDARD_COST.share;
}

/** At least one: views that have nothing in common cannot be compared. */
function matchOf(text: string | null): readonly Match[] {
  const named = (text ?? '').split(',');
  const match = MATCHES.filter((name) => named.includes(name));
  return match.length === 0 || match.length === MATCHES.length ? STANDARD_COST.match : match;
}

function sliceOf(text: string | null): Filter | undefined {
  const [slice] = parseFilter(text ?? '');
  return SLICES.some((name) => name === slice?.dimension) ? slice : undefined;
}

const PLAIN = ['span', 'by', 'sort', 'order', 'split', 'quality', 'from', 'to', 'share'] as const;

/** What differs from the standard. */
export function costQuery(route: CostPage): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of PLAIN) {
    if (route[name] !== STANDARD_COST[name]) query.set(name, String(route[name]));
  }
  if (route.match.length < MATCHES.length) query.set('match', route.match.join(','));
  if (route.slice !== undefined) query.set('slice', filterText(route.slice));
  for (const filter of route.filters) query.append('filter', filterText(filter));
  return query;
}
