/** Which what-if the route asks. */
import type { CostPage, Match } from '../state/cost-route.ts';
import { type Filter, withFilter } from '../state/filters.ts';

/** Dimensions that follow from the CDN: a move changes them, so they cannot choose the views. */
const FOLLOW: ReadonlySet<string> = new Set(['cdn', 'view_cdn_edge_pop', 'player_error_code']);

export interface WhatIfQuestion {
  readonly from: string;
  readonly to: string;
  readonly share: number;
  readonly match: readonly Match[];
  readonly filters: readonly Filter[];
}

export const leftOut = ({ dimension }: Filter): boolean => FOLLOW.has(dimension);

/** The CDNs that are chosen; else the two with most views. */
export function sidesOf(
  { from, to }: Pick<CostPage, 'from' | 'to'>,
  cdns: readonly string[],
): { readonly from: string; readonly to: string } {
  const known = cdns.filter((name) => name !== '');
  const chosen = from !== '' ? from : (known.find((name) => name !== to) ?? '');
  return { from: chosen, to: to !== '' ? to : (known.find((name) => name !== chosen) ?? '') };
}

/** Undefined where nothing would move. */
export function questionOf(route: CostPage, cdns: readonly string[]): WhatIfQuestion | undefined {
  const { from, to } = sidesOf(route, cdns);
  const { share, match, slice } = route;
  if (from === '' || to === '' || from === to || share === 0) return undefined;
  const filters = route.filters.filter((filter) => !leftOut(filter));
  return {
    ...{ from, to, share, match },
    filters: slice === undefined ? filters : withFilter(filters, slice),
  };
}
