/** Filters as a link carries them: `dimension:value`. */
import { dimensions } from '../../../schemas/catalogue/dimensions.ts';

export interface Filter {
  readonly dimension: string;
  /** Empty is the unknown value. */
  readonly value: string;
}

const names: ReadonlySet<string> = new Set(dimensions.map(({ name }) => name));

/** The name, if there is such a dimension. */
export const knownDimension = (name: string | null, otherwise: string): string =>
  name !== null && names.has(name) ? name : otherwise;

export const filterText = ({ dimension, value }: Filter): string => `${dimension}:${value}`;

/** One filter, or none where the text says what does not exist. */
export function parseFilter(text: string): Filter[] {
  const colon = text.indexOf(':');
  const dimension = text.slice(0, colon);
  return names.has(dimension) ? [{ dimension, value: text.slice(colon + 1) }] : [];
}

/** The filters with one more; one that is there already changes nothing. */
export function withFilter(filters: readonly Filter[], added: Filter): readonly Filter[] {
  return filters.some((filter) => sameFilter(filter, added)) ? filters : [...filters, added];
}

export const sameFilter = (one: Filter, other: Filter): boolean =>
  one.dimension === other.dimension && one.value === other.value;
