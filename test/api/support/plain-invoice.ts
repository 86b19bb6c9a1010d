/** Bills by hand: every request by itself, in whole numbers, without any of the code that is tested. */

/** A price book as its file says it; contracts have regions, and tiers that their own bytes fill. */
export interface PlainBook {
  readonly currency: string;
  readonly rates?: Readonly<Record<string, string>>;
  readonly regions?: Readonly<Record<string, readonly string[]>>;
  readonly contracts: readonly PlainContract[];
}

export interface PlainContract {
  readonly cdn: string;
  readonly region?: string;
  readonly currency?: string;
  readonly validFrom: string;
  readonly validTo?: string;
  readonly tiers: readonly { readonly upTo?: number; readonly price: string }[];
  readonly perRequest?: { readonly price: string; readonly per: number };
  readonly originEgress?: { readonly price: string };
}

/** What was delivered by one request. */
export interface PlainUsage {
  readonly cdn: string;
  readonly country: string;
  readonly atMs: number;
  readonly bytes: number;
  readonly originBytes: number;
  /** 1 unless it says another number. */
  readonly requests?: number;
}

export interface PlainPool {
  readonly contract: number;
  readonly month: string;
  bytes: bigint;
  requests: bigint;
  originBytes: bigint;
  /** Billed for each, millionths. */
  readonly micros: { bytes: bigint; requests: bigint; originBytes: bigint };
}

const GB = 1_000_000_000n;
const SCALE = 10n ** 12n;

/** A decimal times 10¹². */
function scaled(text: string): bigint {
  const [whole = '0', part = ''] = text.split('.');
  return BigInt(whole) * SCALE + BigInt(part.padEnd(12, '0'));
}

/** Nearest whole number, half to even. */
export function nearest(numerator: bigint, denominator: bigint): bigint {
  const low = numerator / denominator;
  const twice = 2n * (numerator - low * denominator);
  if (twice < denominator) return low;
  if (twice > denominator) return low + 1n;
  return low % 2n === 0n ? low : low + 1n;
}

/** Place of the contract that holds; -1 where none does. */
export function contractOf(book: PlainBook, { cdn, country, atMs }: PlainUsage): number {
  const holds = (each: PlainContract): boolean =>
    each.cdn === cdn &&
    Date.parse(`${each.validFrom}T00:00:00Z`) <= atMs &&
    (each.validTo === undefined || atMs < Date.parse(`${each.validTo}T00:00:00Z`));
  const named = book.contracts.findIndex(
    (each) => holds(each) && each.region !== undefined && countries(book, each).includes(country),
  );
  if (named >= 0) return named;
  return book.contracts.findIndex((each) => holds(each) && each.region === undefined);
}

const countries = ({ regions = {} }: PlainBook, { region = '' }: PlainContract) =>
  regions[region] ?? [];

/** The pool of each request, by contract and month. */
export function poolsOf(book: PlainBook, usage: readonly PlainUsage[]): Map<string, PlainPool> {
  const pools = new Map<string, PlainPool>();
  for (const each of usage) {
    const contract = contractOf(book, each);
    if (contract < 0) continue;
    const month = new Date(each.atMs).toISOString().slice(0, 7);
    const id = `${contract} ${month}`;
    const none = { bytes: 0n, requests: 0n, originBytes: 0n };
    const pool = pools.get(id) ?? { contract, month, ...none, micros: { ...none } };
    pools.set(id, pool);
    pool.bytes += BigInt(each.bytes);
    pool.requests += BigInt(each.requests ?? 1);
    pool.originBytes += BigInt(each.originBytes);
  }
  for (const pool of pools.values()) bill(book, pool);
  return pools;
}

function bill(book: PlainBook, pool: PlainPool): void {
  const contract = book.contracts[pool.contract];
  if (contract === undefined) throw new Error('no contract');
  const { currency = book.currency, tiers, perRequest, originEgress } = contract;
  const rate = scaled(currency === book.currency ? '1' : (book.rates?.[currency] ?? '0'));
  const line = (quantity: bigint, price: string, per: bigint): bigint =>
    nearest(quantity * scaled(price) * rate * 1_000_000n, per * SCALE * SCALE);
  let from = 0n;
  for (const { upTo, price } of tiers) {
    const to = upTo === undefined ? pool.bytes : BigInt(upTo) * GB;
    const end = to < pool.bytes ? to : pool.bytes;
    if (end > from) pool.micros.bytes += line(end - from, price, GB);
    if (end > from) from = end;
  }
  if (perRequest) {
    pool.micros.requests = line(pool.requests, perRequest.price, BigInt(perRequest.per));
  }
  if (originEgress) pool.micros.originBytes = line(pool.originBytes, originEgress.price, GB);
}

/** The whole bill, millionths. */
export function billOf(book: PlainBook, usage: readonly PlainUsage[]): bigint {
  let sum = 0n;
  for (const { micros } of poolsOf(book, usage).values()) {
    sum += micros.bytes + micros.requests + micros.originBytes;
  }
  return sum;
}

/** What a part of the usage pays of the bills of everything: its share of each pool and kind, rounded once each. */
export function shareOfBill(
  book: PlainBook,
  all: readonly PlainUsage[],
  part: readonly PlainUsage[],
): bigint {
  const bills = poolsOf(book, all);
  let sum = 0n;
  for (const [id, own] of poolsOf(book, part)) {
    const bill = bills.get(id);
    if (bill === undefined) throw new Error('a part of something else');
    for (const kind of ['bytes', 'requests', 'originBytes'] as const) {
      if (bill[kind] > 0n) sum += nearest(bill.micros[kind] * own[kind], bill[kind]);
    }
  }
  return sum;
}

/** Millionths that a decimal says. */
export function microsOf(text: string): bigint {
  const digits = text.replace('-', '').replace('.', '');
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
}
