/**
 * What usage costs by a price book.
 *
 * Guarantee: a line is one CDN, region, contract, month and kind (bytes of one tier, requests, bytes from origin). Its
 * amount is exact in the contract's currency, converted at the fixed rate, and rounded once, half to even, to a
 * micro-unit; the invoice is the sum of its lines. Usage without a contract is listed with the reason, never guessed.
 */
import type { Contract, PriceBook, Tier } from './contract.ts';
import { amountOf, type Fraction, type Micros, shareOut } from './money.ts';
import { type Gathered, gather, type PoolUsage, type Unpriced } from './pools.ts';
import type { Usage, Volume } from './usage.ts';

export type LineKind = 'bytes' | 'requests' | 'originBytes';

export interface InvoiceLine {
  readonly cdn: string;
  readonly region: string;
  /** Place of the contract in the book, from 0. */
  readonly contract: number;
  readonly month: string;
  readonly kind: LineKind;
  /** Place of the tier in the contract, from 0; undefined but for bytes. */
  readonly tier: number | undefined;
  /** Bytes or requests. */
  readonly quantity: bigint;
  readonly micros: Micros;
}

/** What one contract bills for one month. */
export interface Pool {
  /** Contract and month; the same in every invoice by the same book. */
  readonly id: string;
  readonly contract: Contract;
  readonly month: string;
  readonly volume: Readonly<Volume>;
  /** Bytes that fill the tiers. */
  readonly tierBytes: bigint;
  /** Place of the tier that the next byte falls into. */
  readonly marginalTier: number;
  readonly lines: readonly InvoiceLine[];
  /** Sum of the lines of each kind. */
  readonly micros: Readonly<Record<LineKind, Micros>>;
}

/** Sum of a CDN, a region and a month, over its contracts. */
export interface InvoiceTotal extends Readonly<Volume> {
  readonly cdn: string;
  readonly region: string;
  readonly month: string;
  readonly micros: Micros;
}

export interface Invoice {
  readonly currency: string;
  readonly micros: Micros;
  /** By CDN, region, month, begin of the contract. */
  readonly pools: readonly Pool[];
  readonly lines: readonly InvoiceLine[];
  readonly totals: readonly InvoiceTotal[];
  readonly unpriced: readonly Unpriced[];
}

/**
 * The invoice of usage. A month must be whole to cost what it will cost: of a part of it only the lower tiers are full.
 * @throws RangeError when an amount of the usage is negative or has a fraction.
 */
export function invoice(book: PriceBook, usage: Iterable<Usage>): Invoice {
  return invoiceOf(book, gather(book, usage));
}

function invoiceOf({ currency }: PriceBook, { pools: gathered, unpriced }: Gathered): Invoice {
  const pools = gathered.map(billed);
  const lines = pools.flatMap((pool) => pool.lines);
  return { currency, micros: sumOf(lines), pools, lines, totals: totalsOf(pools), unpriced };
}

function billed(usage: PoolUsage): Pool {
  const { contract, month, volume, tierBytes } = usage;
  const place = { cdn: contract.cdn, region: contract.region, contract: contract.index, month };
  const lineOf = (kind: LineKind, quantity: bigint, price: Fraction, tier?: number) => {
    const micros = amountOf(quantity, price, contract.rate);
    return { ...place, kind, tier, quantity, micros };
  };
  const lines = bytesByTier(contract.tiers, volume.bytes, tierBytes).map((bytes, tier) =>
    lineOf('bytes', bytes, contract.tiers[tier]?.bytePrice ?? NOTHING, tier),
  );
  const { requestPrice, originBytePrice } = contract;
  if (requestPrice) lines.push(lineOf('requests', volume.requests, requestPrice));
  if (originBytePrice) lines.push(lineOf('originBytes', volume.originBytes, originBytePrice));
  const used = lines.filter(({ quantity }) => quantity > 0n);
  const marginalTier = tierOf(contract.tiers, tierBytes);
  return { ...usage, marginalTier, lines: used, micros: byKind(used) };
}

const NOTHING: Fraction = { numerator: 0n, denominator: 1n };

/** Place of the tier that the next byte falls into: at exactly the end of one, the next. */
export function tierOf(tiers: readonly Tier[], bytes: bigint): number {
  return tiers.findIndex(({ toBytes }) => toBytes === undefined || bytes < toBytes);
}

/**
 * Bytes of a pool in each tier. Where the whole CDN fills the tiers, the pool has of each tier its share of the CDN, in
 * whole bytes that sum to the pool's.
 */
function bytesByTier(tiers: readonly Tier[], bytes: bigint, tierBytes: bigint): bigint[] {
  const filled = tiers.map(({ fromBytes, toBytes }) => {
    const end = toBytes === undefined || toBytes > tierBytes ? tierBytes : toBytes;
    return end > fromBytes ? end - fromBytes : 0n;
  });
  return shareOut(bytes, filled);
}

function sumOf(lines: readonly InvoiceLine[]): Micros {
  return lines.reduce((sum, { micros }) => sum + micros, 0n);
}

function byKind(lines: readonly InvoiceLine[]): Record<LineKind, Micros> {
  const of = (kind: LineKind) => sumOf(lines.filter((line) => line.kind === kind));
  return { bytes: of('bytes'), requests: of('requests'), originBytes: of('originBytes') };
}

function totalsOf(pools: readonly Pool[]): InvoiceTotal[] {
  const totals = new Map<string, InvoiceTotal>();
  for (const { contract, month, volume, lines } of pools) {
    const { cdn, region } = contract;
    const key = JSON.stringify([cdn, region, month]);
    const { bytes, requests, originBytes, micros } = totals.get(key) ?? NO_TOTAL;
    totals.set(key, {
      ...{ cdn, region, month, micros: micros + sumOf(lines) },
      bytes: bytes + volume.bytes,
      requests: requests + volume.requests,
      originBytes: originBytes + volume.originBytes,
    });
  }
  return [...totals.values()];
}

const NO_TOTAL = { bytes: 0n, requests: 0n, originBytes: 0n, micros: 0n };
