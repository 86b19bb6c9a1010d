/** Contracts of a price book: each checked by itself, then against the others of its CDN. */
import { isValid, parseISO } from 'date-fns';
import { nearestHint } from '../nearest.ts';
import {
  type Contract,
  REST,
  TIER_SCOPES,
  type Tier,
  type TierScope,
  UNIT_BYTES,
  type Unit,
} from './contract.ts';
import { DECIMAL_SHAPE, decimalOf, dividedBy, type Fraction, ONE } from './money.ts';
import type { ContractEntry } from './price-book-shape.ts';
import type { Regions } from './regions.ts';

const UNITS = Object.keys(UNIT_BYTES) as Unit[];

/** What a contract is read with. */
export interface ContractContext {
  readonly index: number;
  /** The reporting currency. */
  readonly currency: string;
  readonly rates: ReadonlyMap<string, Fraction>;
  readonly regions: Regions;
  /** Gets a line for each mistake. */
  readonly errors: string[];
}

/** The contract; undefined, and lines in `errors`, when it has mistakes. */
export function contractOf(entry: ContractEntry, context: ContractContext): Contract | undefined {
  const found: string[] = [];
  const contract = readContract(entry, { ...context, errors: found });
  context.errors.push(...found.map((line) => `contracts[${context.index}].${line}`));
  return found.length > 0 ? undefined : contract;
}

function readContract(entry: ContractEntry, context: ContractContext): Contract {
  const { index, rates, regions, errors } = context;
  const { cdn, region, currency = context.currency, perRequest, originEgress } = entry;
  const unit = oneOf('unit', entry.unit ?? 'GB', UNITS, errors) as Unit;
  const unitBytes = UNIT_BYTES[unit] ?? 1n;
  if (region !== undefined) oneOf('region', region, [...regions.keys()], errors);
  oneOf('currency', currency, [...rates.keys()], errors);
  return {
    ...{ index, cdn, currency, unit },
    ...{
      region: region ?? REST,
      countries: region === undefined ? undefined : regions.get(region),
    },
    rate: rates.get(currency) ?? ONE,
    ...validityOf(entry, errors),
    tiers: tiersOf(entry, unitBytes, errors),
    tierScope: oneOf('tierScope', entry.tierScope ?? 'region', TIER_SCOPES, errors) as TierScope,
    requestPrice:
      perRequest && priceOf('perRequest', perRequest.price, BigInt(perRequest.per ?? 1), errors),
    originBytePrice: originEgress && priceOf('originEgress', originEgress.price, unitBytes, errors),
  };
}

/** What is wrong with a word that should be in a list of the book itself. */
const NOT_THERE: Readonly<Record<string, string>> = {
  currency: 'has no rate',
  region: 'is not in regions',
};

function oneOf(field: string, word: string, words: readonly string[], errors: string[]): string {
  if (words.includes(word)) return word;
  const fault = NOT_THERE[field] ?? `is none of ${words.join(', ')}`;
  errors.push(`${field}: ${JSON.stringify(word)} ${fault}${nearestHint(word, words)}`);
  return word;
}

function priceOf(place: string, text: string, per: bigint, errors: string[]): Fraction {
  const price = decimalOf(text);
  if (price === undefined) errors.push(`${place}.price must be ${DECIMAL_SHAPE}`);
  return dividedBy(price ?? ONE, per);
}

function validityOf(
  { validFrom, validTo }: ContractEntry,
  errors: string[],
): { fromMs: number; toMs: number } {
  const fromMs = dayBegin('validFrom', validFrom, errors);
  const toMs = validTo === undefined ? Infinity : dayBegin('validTo', validTo, errors);
  if (toMs <= fromMs)
    errors.push('validTo, which is the day after the last, must be after validFrom');
  return { fromMs, toMs };
}

/** Begin of a day of UTC, ms since 1970. */
function dayBegin(field: string, text: string, errors: string[]): number {
  const date = parseISO(`${text}T00:00:00Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && isValid(date)) return date.getTime();
  errors.push(`${field} must be a day such as 2026-01-31`);
  return Number.NaN;
}

function tiersOf({ tiers }: ContractEntry, unitBytes: bigint, errors: string[]): Tier[] {
  let fromBytes = 0n;
  return tiers.map(({ upTo, price }, index) => {
    const place = `tiers[${index}]`;
    const isLast = index === tiers.length - 1;
    const toBytes = upTo === undefined ? undefined : BigInt(upTo) * unitBytes;
    if (isLast && toBytes !== undefined) errors.push(`${place} is the last and must have no upTo`);
    if (!isLast && toBytes === undefined) {
      errors.push(`${place} needs upTo: only the last goes without`);
    }
    if (toBytes !== undefined && toBytes <= fromBytes) {
      errors.push(`${place}.upTo must be more than that of the tier before`);
    }
    const bytePrice = priceOf(place, price, unitBytes, errors);
    const tier = { fromBytes, toBytes, bytePrice, priceText: price };
    fromBytes = toBytes ?? fromBytes;
    return tier;
  });
}

/** A line for each contract that holds at the same time as an earlier one: nobody could say which price is right. */
export function overlapErrors(contracts: readonly Contract[]): string[] {
  const errors: string[] = [];
  for (const [place, later] of contracts.entries()) {
    for (const earlier of contracts.slice(0, place)) {
      const both = sharedBy(earlier, later);
      if (both === undefined) continue;
      errors.push(
        `contracts[${earlier.index}] and contracts[${later.index}] of ${later.cdn} are both valid for ${both} on ${firstShared(earlier, later)}`,
      );
      break;
    }
  }
  return errors;
}

/** What two contracts are both for at some time. */
function sharedBy(left: Contract, right: Contract): string | undefined {
  if (left.cdn !== right.cdn) return undefined;
  if (left.fromMs >= right.toMs || right.fromMs >= left.toMs) return undefined;
  if (left.region === right.region) return left.region === REST ? 'the rest' : left.region;
  const { countries } = right;
  if (left.countries === undefined || countries === undefined) return undefined;
  return [...left.countries].find((country) => countries.has(country));
}

function firstShared(left: Contract, right: Contract): string {
  return new Date(Math.max(left.fromMs, right.fromMs)).toISOString().slice(0, 10);
}
