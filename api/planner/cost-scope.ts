/**
 * What a question of cost is about, and the pieces of SQL that both tables of delivery are asked with.
 *
 * Both tables are cut in the same way: by windows of 5 s, by the times within which prices stay the same, and by groups of
 * countries that no contract tells apart. So what one says of a piece can be held against the other.
 */
import type { PriceBook } from '../../platform/prices/contract.ts';
import { monthEnd, monthStart, type Period, pricingPeriods } from '../../platform/prices/months.ts';
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import {
  CACHE_FILLS,
  type RequestSource,
  requestDimensions,
} from '../../schemas/tables/delivery.ts';
import type { Filter } from '../parameters/filters.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import type { Scope } from './scope.ts';
import { type Binder, bindTime } from './statement.ts';
import { bucketsOf, granularityMs } from './timeseries.ts';

export const COST_GRANULARITIES = ['minute', 'ten_minutes', 'hour', 'day', 'month'] as const;
export type CostGranularity = (typeof COST_GRANULARITIES)[number];

export interface CostScope extends Scope {
  readonly source: RequestSource;
}

/** What an answer is divided by. */
export type CostKey =
  | { readonly by: 'nothing' }
  | { readonly by: 'dimension'; readonly name: string }
  | { readonly by: 'time'; readonly granularity: CostGranularity };

export const NO_KEY: CostKey = { by: 'nothing' };

export const WINDOW_MS = 5_000;

/** Words for the cache that say that bytes came from the origin, as SQL. */
export const FILLED = CACHE_FILLS.map((word) => `'${word}'`).join(', ');

/** Dimensions of requests that views do not have. */
export const REQUEST_ONLY: readonly string[] = requestDimensions
  .map(({ name }) => name as string)
  .filter((name) => !dimensions.some((each) => each.name === name));

/** Dimensions that `delivery_5s` has: nothing has to be joined for them. */
const DELIVERED: ReadonlySet<string> = new Set([
  ...dimensions.filter(({ interval }) => interval).map(({ name }) => name),
  ...requestDimensions.map(({ name }) => name),
]);

export const isDelivered = (dimension: string): boolean => DELIVERED.has(dimension);

/** Whether the question needs single requests and their views. */
export function needsRequests(scope: CostScope, key: CostKey): boolean {
  return (
    (key.by === 'dimension' && !isDelivered(key.name)) ||
    scope.metricFilters.length > 0 ||
    scope.filters.some(({ dimension }) => !isDelivered(dimension))
  );
}

export interface SplitFilters {
  /** Of dimensions that both tables have. */
  readonly delivered: readonly Filter[];
  /** Of dimensions that only a view has. */
  readonly ofViews: readonly Filter[];
}

export function splitFilters({ filters }: CostScope): SplitFilters {
  return {
    delivered: filters.filter(({ dimension }) => isDelivered(dimension)),
    ofViews: filters.filter(({ dimension }) => !isDelivered(dimension)),
  };
}

/** Whether requests of which no view is known meet the filters: their values are unknown, so empty. */
export function unknownMeets(scope: CostScope): boolean {
  const { ofViews } = splitFilters(scope);
  return (
    scope.metricFilters.length === 0 &&
    ofViews.every(({ exclude, values }) => values.includes('') !== exclude)
  );
}

/** The windows that begin within the timeframe: from the first, to after the last, ms since 1970. */
export function windowsOf({ fromMs, toMs }: Timeframe): Period {
  return {
    fromMs: Math.ceil(fromMs / WINDOW_MS) * WINDOW_MS,
    toMs: Math.ceil(toMs / WINDOW_MS) * WINDOW_MS,
  };
}

/** Begin of each bucket that the timeframe touches, ms since 1970. */
export function* costBuckets(frame: Timeframe, granularity: CostGranularity): Iterable<number> {
  if (granularity !== 'month') {
    yield* bucketsOf(frame, granularity);
    return;
  }
  for (let at = monthStart(frame.fromMs); at < frame.toMs; at = monthEnd(at)) yield at;
}

/** How usage is cut so that it can be priced. */
export interface Pricing {
  readonly periods: readonly Period[];
  readonly countries: CountryGroups;
}

export function pricingOf(book: PriceBook, time: Period): Pricing {
  return { periods: pricingPeriods(book, time), countries: countryGroups(book) };
}

/** Countries that contracts name, and the one that stands for each; all others are as the unknown one. */
export interface CountryGroups {
  readonly named: readonly string[];
  readonly standsFor: readonly string[];
}

/** Countries that are in the same contracts cost the same: one of them stands for all. */
export function countryGroups({ contracts }: PriceBook): CountryGroups {
  const memberships = new Map<string, string[]>();
  for (const { index, countries } of contracts) {
    for (const country of countries ?? []) {
      memberships.set(country, [...(memberships.get(country) ?? []), String(index)]);
    }
  }
  const first = new Map<string, string>();
  const named = [...memberships.keys()].sort();
  const standsFor = named.map((country) => {
    const signature = (memberships.get(country) ?? []).join(' ');
    const known = first.get(signature) ?? country;
    first.set(signature, known);
    return known;
  });
  return { named, standsFor };
}

/** The country that stands for one. */
export function groupOf({ named, standsFor }: CountryGroups, country: string): string {
  return standsFor[named.indexOf(country)] ?? '';
}

/** Place of the period that a time is in, from 0. `time` is SQL, ms since 1970. */
export function periodSql(periods: readonly Period[], time: string): string {
  const later = periods.slice(1).map(({ fromMs }) => fromMs);
  if (later.length === 0) return 'toUInt64(0)';
  return `arrayCount(q_edge -> q_edge <= ${time}, [${later.join(', ')}])`;
}

export function countrySql({ named, standsFor }: CountryGroups, column: string, binder: Binder) {
  if (named.length === 0) return "''";
  const from = binder.bind('Array(String)', named);
  const to = binder.bind('Array(String)', standsFor);
  return `transform(toString(${column}), ${from}, ${to}, '')`;
}

/** What a row's key is, as text. `time` is SQL, ms since 1970; `column` gives the column of a dimension. */
export function keySql(key: CostKey, time: string, column: (dimension: string) => string): string {
  if (key.by === 'nothing') return "''";
  if (key.by === 'dimension') return `toString(${column(key.name)})`;
  const { granularity } = key;
  if (granularity === 'month') {
    const month = `toStartOfMonth(fromUnixTimestamp64Milli(toInt64(${time}), 'UTC'))`;
    return `toString(toInt64(toUnixTimestamp(toDateTime(${month}, 'UTC'))) * 1000)`;
  }
  const sizeMs = granularityMs[granularity];
  return `toString(intDiv(toInt64(${time}), ${sizeMs}) * ${sizeMs})`;
}

/** Conditions of filters. `column` gives the column of a dimension. */
export function filterSql(
  filters: readonly Filter[],
  binder: Binder,
  column: (dimension: string) => string = (name) => name,
): string[] {
  return filters.map(({ dimension, exclude, values }) => {
    const found = `has(${binder.bind('Array(String)', values)}, toString(${column(dimension)}))`;
    return exclude ? `NOT ${found}` : found;
  });
}

/** Conditions on a column of times. */
export function between(column: string, { fromMs, toMs }: Period, binder: Binder): string[] {
  return [`${column} >= ${bindTime(binder, fromMs)}`, `${column} < ${bindTime(binder, toMs)}`];
}
