/**
 * Parses price books.
 *
 * Guarantee: a book that is taken is as `contract.ts` says; of any other there is one line for each mistake. Parsing
 * never throws.
 */
import { Compile } from 'typebox/compile';
import { shapeErrors } from '../shape-errors.ts';
import type { PriceBook } from './contract.ts';
import { contractOf, overlapErrors } from './contract-entry.ts';
import { currencyErrors, ratesOf } from './currencies.ts';
import { type PriceBookEntry, priceFieldsAt, PriceBookEntry as Shape } from './price-book-shape.ts';
import { regionsOf } from './regions.ts';

export type { Contract, PriceBook, Tier } from './contract.ts';

export type ParsedPriceBook =
  | { readonly ok: true; readonly book: PriceBook }
  | { readonly ok: false; readonly errors: readonly string[] };

const validator = Compile(Shape);

/** Parses the text of a price book. */
export function parsePriceBook(text: string): ParsedPriceBook {
  try {
    return priceBookOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, errors: ['is not valid JSON'] };
    throw error;
  }
}

/** The price book that a parsed value is, such as one that came in a request. */
export function priceBookOf(value: unknown): ParsedPriceBook {
  const errors = shapeErrors(validator, value, {
    root: 'the price book',
    fieldsAt: priceFieldsAt,
  });
  if (errors.length > 0 || !validator.Check(value)) return { ok: false, errors };
  return bookOf(value);
}

function bookOf(entry: PriceBookEntry): ParsedPriceBook {
  const errors: string[] = currencyErrors(entry);
  const rates = ratesOf(entry, errors);
  const regions = regionsOf(entry, errors);
  const contracts = entry.contracts.flatMap((contract, index) => {
    const made = contractOf(contract, { index, currency: entry.currency, rates, regions, errors });
    return made === undefined ? [] : [made];
  });
  if (errors.length === 0) errors.push(...overlapErrors(contracts));
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, book: { currency: entry.currency, contracts } };
}
