/** Currencies of a price book: names of ISO 4217 that are in use, and one fixed rate for each. */
import { nearestHint } from '../nearest.ts';
import { DECIMAL_SHAPE, decimalOf, type Fraction, ONE } from './money.ts';
import type { PriceBookEntry } from './price-book-shape.ts';

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export function currencyErrors({ currency }: PriceBookEntry): string[] {
  return faultOf('currency', currency);
}

/** What one of each currency is in the reporting currency; a line in `errors` for each that cannot be. */
export function ratesOf(entry: PriceBookEntry, errors: string[]): ReadonlyMap<string, Fraction> {
  const rates = new Map<string, Fraction>([[entry.currency, ONE]]);
  for (const [currency, text] of Object.entries(entry.rates ?? {})) {
    const place = `rates.${currency}`;
    const rate = decimalOf(text);
    errors.push(...faultOf(place, currency));
    if (currency === entry.currency) {
      errors.push(`${place} is of the reporting currency, whose rate is 1: leave it out`);
    } else if (rate === undefined) errors.push(`${place} must be ${DECIMAL_SHAPE}`);
    else if (rate.numerator === 0n) errors.push(`${place} must be more than 0`);
    // A bad rate is one mistake, not one more in every contract that uses it.
    if (!rates.has(currency)) rates.set(currency, rate ?? ONE);
  }
  return rates;
}

function faultOf(place: string, currency: string): string[] {
  if (CURRENCIES.has(currency)) return [];
  const name = JSON.stringify(currency);
  return [`${place}: ${name} is no currency of ISO 4217${nearestHint(currency, CURRENCIES)}`];
}
