/** Regions of a price book: named groups of countries. CDNs group them differently, so groups may overlap. */
import type { PriceBookEntry } from './price-book-shape.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$/;
const COUNTRY = /^[A-Z]{2}$/;

export type Regions = ReadonlyMap<string, ReadonlySet<string>>;

/** Countries by region; a line in `errors` for each mistake. */
export function regionsOf({ regions = {} }: PriceBookEntry, errors: string[]): Regions {
  const found = Object.entries(regions).map(([name, countries]) => {
    const place = `regions.${name}`;
    if (!NAME.test(name)) {
      errors.push(
        `${place} is no name of a region: letters, digits, dots, dashes and spaces (contracts without a region are for the rest)`,
      );
    }
    errors.push(...countries.flatMap((country) => faultsOf(place, country)));
    for (const country of twice(countries)) errors.push(`${place} has ${country} twice`);
    return [name, new Set(countries)] as const;
  });
  return new Map(found);
}

function faultsOf(place: string, country: string): string[] {
  if (COUNTRY.test(country)) return [];
  return [`${place} has ${JSON.stringify(country)}: countries are two capital letters such as DE`];
}

function twice(countries: readonly string[]): Set<string> {
  return new Set(countries.filter((country, index) => countries.indexOf(country) < index));
}
