/** The rows of a breakdown: every value that was delivered to or watched, in the order that was asked for. */
import type { Micros } from '../../platform/prices/money.ts';
import type { CostShare } from '../../platform/prices/share.ts';
import { noVolume } from '../../platform/prices/usage.ts';
import type { Page } from '../planner/breakdown.ts';
import type { Costs, Watched } from './ask-cost.ts';
import { hourlyMicros } from './figures.ts';

export const COST_ORDERS = ['cost', 'bytes', 'requests', 'cost_per_watched_hour', 'field'] as const;
export type CostOrder = (typeof COST_ORDERS)[number];

export interface CostRow {
  readonly field: string;
  readonly share: CostShare;
  /** Undefined where views have no such dimension. */
  readonly watched: Watched | undefined;
}

export interface RowsQuestion extends Page {
  readonly orderBy: CostOrder;
  readonly descending: boolean;
  /** Whether views have the dimension. */
  readonly ofViews: boolean;
}

const UNWATCHED: Watched = { views: 0n, playingMs: 0n };

/** What no request went to costs nothing. */
export function emptyShare(key: string): CostShare {
  return {
    key,
    micros: 0n,
    microsByKind: { bytes: 0n, requests: 0n, originBytes: 0n },
    volume: noVolume(),
    unpriced: noVolume(),
    children: [],
  };
}

/** One page, and how many rows there are over all pages. */
export function pageOfRows(
  { shared, watched }: Costs,
  { orderBy, descending, ofViews, page, limit }: RowsQuestion,
): { readonly rows: readonly CostRow[]; readonly total: number } {
  const shares = new Map(shared.overall.children.map((share) => [share.key, share]));
  const fields = [...new Set([...shares.keys(), ...watched.keys()])].sort();
  const rows = fields.map((field) => ({
    field,
    share: shares.get(field) ?? emptyShare(field),
    watched: ofViews ? (watched.get(field) ?? UNWATCHED) : undefined,
  }));
  const sorted = sortedBy(rows, orderBy, descending);
  return { rows: sorted.slice((page - 1) * limit, page * limit), total: rows.length };
}

/** Rows come by field, and the sort is stable: equals stay in that order. What has no value is last. */
function sortedBy(rows: CostRow[], orderBy: CostOrder, descending: boolean): CostRow[] {
  if (orderBy === 'field') return descending ? rows.toReversed() : rows;
  return rows.toSorted((left, right) => {
    const [a, b] = [amountBy(left, orderBy), amountBy(right, orderBy)];
    if (a === undefined || b === undefined)
      return Number(a === undefined) - Number(b === undefined);
    if (a === b) return 0;
    return a > b === descending ? -1 : 1;
  });
}

function amountBy({ share, watched }: CostRow, orderBy: CostOrder): Micros | undefined {
  if (orderBy === 'bytes') return share.volume.bytes;
  if (orderBy === 'requests') return share.volume.requests;
  if (orderBy === 'cost') return share.micros;
  return hourlyMicros(share.micros, watched ?? UNWATCHED);
}
