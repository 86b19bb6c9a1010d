/**
 * A price book: what each CDN charges, by region, month and volume.
 *
 * Guarantee: for a CDN, a country and an instant there is at most one contract; tiers begin at 0, ascend and never end;
 * prices and rates are exact.
 */
import type { Fraction } from './money.ts';

/** What a contract without a region is said to be for: the rest. */
export const REST = '*';

export const UNIT_BYTES = {
  GB: 1_000_000_000n,
  GiB: 1_073_741_824n,
  TB: 1_000_000_000_000n,
  TiB: 1_099_511_627_776n,
} as const;
export type Unit = keyof typeof UNIT_BYTES;

export const TIER_SCOPES = ['region', 'cdn'] as const;
export type TierScope = (typeof TIER_SCOPES)[number];

/** Bytes of a month from the first, inclusive, to the last, exclusive, and what one costs. */
export interface Tier {
  readonly fromBytes: bigint;
  /** Undefined: without end. */
  readonly toBytes: bigint | undefined;
  /** Price of one byte, in the contract's currency. */
  readonly bytePrice: Fraction;
  /** Price of a unit, as the book says it. */
  readonly priceText: string;
}

export interface Contract {
  /** Place in the book, from 0. */
  readonly index: number;
  readonly cdn: string;
  /** Name of the region, or `*`: every country that no other contract of the CDN names at that time. */
  readonly region: string;
  /** Undefined for the rest. */
  readonly countries: ReadonlySet<string> | undefined;
  readonly currency: string;
  /** What one of its currency is in the reporting currency. */
  readonly rate: Fraction;
  /** Begin of its first day in UTC, ms since 1970. */
  readonly fromMs: number;
  /** Begin of the day after its last; Infinity without end. */
  readonly toMs: number;
  readonly unit: Unit;
  readonly tiers: readonly Tier[];
  /** Whose bytes fill the tiers: those of its region, or all of its CDN. */
  readonly tierScope: TierScope;
  /** Price of one request; undefined when requests are not charged. */
  readonly requestPrice: Fraction | undefined;
  /** Price of one byte from origin; undefined when it is not charged. */
  readonly originBytePrice: Fraction | undefined;
}

export interface PriceBook {
  /** The reporting currency, ISO 4217. */
  readonly currency: string;
  readonly contracts: readonly Contract[];
}

/** The contract that holds for traffic of a CDN to a country at an instant, ms since 1970. */
export function contractAt(
  { contracts }: PriceBook,
  { cdn, country, atMs }: { readonly cdn: string; readonly country: string; readonly atMs: number },
): Contract | undefined {
  const valid = contracts.filter((one) => one.cdn === cdn && one.fromMs <= atMs && atMs < one.toMs);
  return (
    valid.find(({ countries }) => countries?.has(country)) ??
    valid.find(({ countries }) => countries === undefined)
  );
}
