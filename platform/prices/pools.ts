/**
 * Usage gathered into pools: what one contract bills for one month.
 *
 * Days on which another contract holds are another pool, whose tiers begin at 0: the volume of a month within a
 * contract's validity fills the contract's own tiers.
 */
import type { Contract, PriceBook } from './contract.ts';
import { TierBytes } from './tier-bytes.ts';
import {
  addTo,
  createPlacing,
  noVolume,
  type UnpricedReason,
  type Usage,
  type Volume,
} from './usage.ts';

export interface PoolUsage {
  /** Contract and month. */
  readonly id: string;
  readonly contract: Contract;
  readonly month: string;
  readonly volume: Volume;
  /** Bytes that fill the tiers: the pool's own, or those of the whole CDN in the days that the contract holds. */
  readonly tierBytes: bigint;
}

/** Usage of a CDN in a month that no contract prices. */
export interface Unpriced extends Readonly<Volume> {
  readonly cdn: string;
  readonly month: string;
  readonly reason: UnpricedReason;
}

export interface Gathered {
  /** By CDN, region, month, and begin of the contract. */
  readonly pools: readonly PoolUsage[];
  /** By CDN and month. */
  readonly unpriced: readonly Unpriced[];
}

/** Gathers usage; its order makes no difference. */
export function gather(book: PriceBook, usage: Iterable<Usage>): Gathered {
  const place = createPlacing(book);
  const pools = new Map<string, Omit<PoolUsage, 'tierBytes'>>();
  const unpriced = new Map<string, Omit<Unpriced, keyof Volume> & { readonly volume: Volume }>();
  const byMonth = new Map<string, TierBytes>();
  for (const row of usage) {
    const placed = place(row);
    const { contract, month } = placed;
    itemOf(byMonth, month, () => new TierBytes(book)).add(row, contract);
    const { volume } =
      contract === undefined
        ? itemOf(unpriced, JSON.stringify([row.cdn, month, placed.reason]), () => ({
            cdn: row.cdn,
            month,
            reason: placed.reason,
            volume: noVolume(),
          }))
        : itemOf(pools, placed.id, () => ({ id: placed.id, contract, month, volume: noVolume() }));
    addTo(volume, row);
  }
  const withTierBytes = (pool: Omit<PoolUsage, 'tierBytes'>): PoolUsage => ({
    ...pool,
    tierBytes: byMonth.get(pool.month)?.of(pool.contract) ?? 0n,
  });
  return {
    pools: [...pools.values()].map(withTierBytes).sort(byPlace),
    unpriced: [...unpriced.values()]
      .map(({ volume, ...entry }) => ({ ...entry, ...volume }))
      .sort(byCdn),
  };
}

/** What a map has for a key, made when it has nothing. */
function itemOf<Item>(map: Map<string, Item>, key: string, make: () => Item): Item {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function byPlace(left: PoolUsage, right: PoolUsage): number {
  return (
    order(left.contract.cdn, right.contract.cdn) ||
    order(left.contract.region, right.contract.region) ||
    order(left.month, right.month) ||
    left.contract.fromMs - right.contract.fromMs
  );
}

function byCdn(left: Unpriced, right: Unpriced): number {
  return (
    order(left.cdn, right.cdn) || order(left.month, right.month) || order(left.reason, right.reason)
  );
}

/** By code units, the same on every machine. */
export function order(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
