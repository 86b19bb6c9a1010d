/** What was delivered, and the pool of traffic that it is billed with. */
import { type Contract, contractAt, type PriceBook } from './contract.ts';
import { rememberDaily } from './daily.ts';
import { monthOf } from './months.ts';

/** Traffic of a CDN to a country in a piece of time that begins at `atMs`, and within which no price changes. */
export interface Usage {
  readonly cdn: string;
  /** ISO 3166-1, two capital letters; empty when it is not known. */
  readonly country: string;
  /** Ms since 1970. */
  readonly atMs: number;
  /** Whole numbers that are not negative, here and below. */
  readonly bytes: bigint | number;
  readonly requests: bigint | number;
  /** Bytes that the CDN had from the origin. */
  readonly originBytes: bigint | number;
}

/** Amounts of traffic. */
export interface Volume {
  bytes: bigint;
  requests: bigint;
  originBytes: bigint;
}

export function noVolume(): Volume {
  return { bytes: 0n, requests: 0n, originBytes: 0n };
}

/**
 * Adds usage to a volume.
 * @throws RangeError when an amount is negative or has a fraction: whoever counted it has a mistake.
 */
export function addTo(volume: Volume, usage: Pick<Usage, keyof Volume>): void {
  volume.bytes += whole(usage.bytes);
  volume.requests += whole(usage.requests);
  volume.originBytes += whole(usage.originBytes);
}

export function isEmpty({ bytes, requests, originBytes }: Volume): boolean {
  return bytes === 0n && requests === 0n && originBytes === 0n;
}

function whole(amount: bigint | number): bigint {
  const exact = BigInt(amount);
  if (exact < 0n) throw new RangeError(`usage cannot be negative: ${amount}`);
  return exact;
}

/** Why usage has no price. */
export type UnpricedReason =
  /** The book has no contract of the CDN. */
  | 'cdn_unknown'
  /** None of the CDN's contracts is valid at that time. */
  | 'date_uncovered'
  /** Those that are valid are for other regions. */
  | 'region_uncovered';

/** Where usage belongs: to a contract and a month, or nowhere. */
export type Placed =
  | { readonly contract: Contract; readonly month: string; readonly id: string }
  | { readonly contract: undefined; readonly month: string; readonly reason: UnpricedReason };

/** Where usage of a CDN, a country and an instant belongs. */
export type Placing = (usage: Pick<Usage, 'cdn' | 'country' | 'atMs'>) => Placed;

export function createPlacing(book: PriceBook): Placing {
  return rememberDaily((usage) => {
    const { cdn, atMs } = usage;
    const month = monthOf(atMs);
    const contract = contractAt(book, usage);
    if (contract !== undefined) return { contract, month, id: `${contract.index} ${month}` };
    const ofCdn = book.contracts.filter((one) => one.cdn === cdn);
    if (ofCdn.length === 0) return { contract, month, reason: 'cdn_unknown' };
    const isCovered = ofCdn.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    return { contract, month, reason: isCovered ? 'region_uncovered' : 'date_uncovered' };
  });
}
