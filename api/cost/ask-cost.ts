/**
 * A question of cost: what the store has of it, priced.
 *
 * Guarantee: volumes of tiers are those of whole months of the whole project; what is asked for pays its share of the
 * month's bill. What is given out by key sums exactly to the same question without a key.
 */
import type { PriceBook } from '../../platform/prices/contract.ts';
import { wholeMonths } from '../../platform/prices/months.ts';
import { type SharedCost, shareCost } from '../../platform/prices/share.ts';
import { createPlacing, type Usage } from '../../platform/prices/usage.ts';
import { type DeliveredRow, planDelivered, planWatched, type WatchedRow } from '../planner/cost.ts';
import { planRequested, type RequestedRow } from '../planner/cost-requests.ts';
import {
  type CostKey,
  type CostScope,
  isDelivered,
  NO_KEY,
  needsRequests,
  type Pricing,
  pricingOf,
  REQUEST_ONLY,
  unknownMeets,
  windowsOf,
} from '../planner/cost-scope.ts';
import type { QueryRunner } from '../query-runner.ts';
import { allot } from './allot.ts';
import { cellOf, type DeliveredCell, requestedCellOf } from './cells.ts';
import { partsOf, type Wasted, wastedOf } from './waste.ts';

export interface CostAsk {
  readonly book: PriceBook;
  readonly scope: CostScope;
  readonly key: CostKey;
  /** Whether it is told what was of no use. Players do not say how much media a request brought. */
  readonly waste: boolean;
}

/** Views of a key, and what they played, ms. */
export interface Watched {
  readonly views: bigint;
  readonly playingMs: bigint;
}

export interface Costs {
  readonly shared: SharedCost;
  /** By field. */
  readonly wasted: ReadonlyMap<string, Wasted> | undefined;
  readonly watched: ReadonlyMap<string, Watched>;
  /** Bytes that no single request accounts for, so that nothing is known of their views. */
  readonly unaccountedBytes: bigint;
  /** What the tree of shares was made from. */
  readonly cells: readonly PricedCell[];
}

export type PricedCell = DeliveredCell & { readonly usage: Usage };

export interface CostDeps {
  readonly runner: QueryRunner;
}

/** Usage of a scope: what is asked for, and of which whole months. */
export interface AskedUsage {
  readonly cells: readonly PricedCell[];
  readonly totals: readonly Usage[];
  readonly wasted: ReadonlyMap<string, Wasted> | undefined;
  readonly unaccountedBytes: bigint;
}

/** Shares have the depth field, part (see `partsOf`); without a key the depth pool, part. */
export async function askCost(deps: CostDeps, ask: CostAsk, signal: AbortSignal): Promise<Costs> {
  const [usage, watched] = await Promise.all([
    askUsage(deps, ask, signal),
    askWatched(deps, ask, signal),
  ]);
  const nameOf = ask.key.by === 'nothing' ? poolNames(ask.book) : ({ field }: PricedCell) => field;
  const slice = usage.cells.flatMap((cell) => partsOf(cell, usage.wasted, nameOf(cell)));
  const shared = shareCost(ask.book, { totals: usage.totals, slice });
  return { shared, watched, ...usage };
}

/** The id of the pool that bills for a cell; empty where none does. */
function poolNames(book: PriceBook): (cell: PricedCell) => string {
  const place = createPlacing(book);
  return ({ usage }) => {
    const placed = place(usage);
    return placed.contract === undefined ? '' : placed.id;
  };
}

export async function askUsage(
  { runner }: CostDeps,
  { book, scope, key, waste }: CostAsk,
  signal: AbortSignal,
): Promise<AskedUsage> {
  const pricing = pricingOf(book, windowsOf(scope.timeframe));
  const joined = needsRequests(scope, key);
  const toldKey = key.by === 'dimension' && !isDelivered(key.name) ? NO_KEY : key;
  const [delivered, requested, totals] = await Promise.all([
    runner.run<DeliveredRow>(planDelivered(scope, toldKey, pricing), signal),
    joined || waste
      ? runner.run<RequestedRow>(planRequested(scope, { key, waste }, pricing), signal)
      : [],
    askTotals({ runner }, { book, scope }, signal),
  ]);
  const cells = delivered.map((row) => cellOf(row));
  const allotted = joined
    ? allot(cells, requested.map(requestedCellOf), unknownMeets(scope))
    : { cells, unaccountedBytes: 0n };
  return {
    cells: allotted.cells.map((cell) => ({ ...cell, usage: usageOf(cell, pricing) })),
    totals,
    wasted: waste ? wastedOf(requested) : undefined,
    unaccountedBytes: allotted.unaccountedBytes,
  };
}

/** Everything that the project delivered in every month that the timeframe touches. */
export async function askTotals(
  { runner }: CostDeps,
  { book, scope }: Pick<CostAsk, 'book' | 'scope'>,
  signal: AbortSignal,
): Promise<Usage[]> {
  const timeframe = wholeMonths(windowsOf(scope.timeframe));
  const pricing = pricingOf(book, timeframe);
  const whole = { ...scope, timeframe, filters: [], metricFilters: [] };
  const rows = await runner.run<DeliveredRow>(planDelivered(whole, NO_KEY, pricing), signal);
  return rows.map((row) => usageOf(cellOf(row), pricing));
}

/** Nothing is said of views for dimensions that they do not have. */
async function askWatched(
  { runner }: CostDeps,
  { scope, key }: CostAsk,
  signal: AbortSignal,
): Promise<Map<string, Watched>> {
  if (key.by === 'dimension' && REQUEST_ONLY.includes(key.name)) return new Map();
  const rows = await runner.run<WatchedRow>(planWatched(scope, key), signal);
  return new Map(
    rows.map(({ q_field, q_views, q_playing_ms }) => [
      q_field,
      { views: BigInt(q_views), playingMs: BigInt(q_playing_ms) },
    ]),
  );
}

/** Any instant of its period prices it. */
export function usageOf(
  { cdn, country, period, volume }: DeliveredCell,
  { periods }: Pricing,
): Usage {
  const atMs = periods[period]?.fromMs;
  if (atMs === undefined) throw new RangeError(`there is no period ${period}`);
  return { cdn, country, atMs, ...volume };
}
