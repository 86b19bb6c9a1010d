/**
 * `filters[]`: which views a question is about. `dimension:value` includes, `!dimension:value` excludes.
 *
 * Values of one dimension are alternatives; different dimensions must all hold. An empty value is the unknown one.
 */
import { type Project, storedViewerId } from '../../platform/projects.ts';
import { refuse } from '../errors.ts';
import type { QueryLimits } from '../limits.ts';
import { parseDimension, shown } from './names.ts';

export interface Filter {
  /** Column name of a dimension of the catalogue. */
  readonly dimension: string;
  readonly exclude: boolean;
  readonly values: readonly string[];
}

export type FilterLimits = Pick<QueryLimits, 'filtersMax' | 'filterLengthMax'>;

const VIEWER = 'viewer_user_id';

/** Finds a dimension by a name that a client sent, or refuses it. */
export type DimensionParser = (name: string) => { readonly name: string };

/** Parses the values of `filters[]`, joined by dimension; a route may have dimensions of its own. */
export function parseFilters(
  values: readonly string[],
  project: Project,
  limits: FilterLimits,
  dimensionOf: DimensionParser = parseDimension,
): Filter[] {
  checkFilterCount('filters[]', values, limits);
  const joined = new Map<string, { dimension: string; exclude: boolean; values: string[] }>();
  for (const text of values) {
    const { dimension, exclude, value } = parseFilter(text, dimensionOf);
    const key = `${exclude}${dimension}`;
    const filter = joined.get(key) ?? { dimension, exclude, values: [] };
    filter.values.push(...storedValues(project, dimension, value));
    joined.set(key, filter);
  }
  return [...joined.values()];
}

export function checkFilterCount(
  parameter: string,
  values: readonly string[],
  { filtersMax, filterLengthMax }: FilterLimits,
): void {
  if (values.length > filtersMax) {
    throw refuse('parameter_invalid', {
      detail: `${parameter} may be given ${filtersMax} times (filtersMax), not ${values.length}`,
    });
  }
  const long = values.find((value) => value.length > filterLengthMax);
  if (long !== undefined) {
    throw refuse('parameter_invalid', {
      detail: `${parameter} takes ${filterLengthMax} characters (filterLengthMax), not ${long.length}`,
    });
  }
}

/**
 * A viewer id as stored, and as given. It is stored as a keyed hash, and answers carry that hash: both the id that the
 * page knows and the one that an earlier answer gave must find the viewer.
 */
export function storedValues(project: Project, dimension: string, value: string): string[] {
  if (dimension !== VIEWER) return [value];
  return [...new Set([value, storedViewerId(project, value)])];
}

function parseFilter(
  text: string,
  dimensionOf: DimensionParser,
): { dimension: string; exclude: boolean; value: string } {
  const exclude = text.startsWith('!');
  const body = exclude ? text.slice(1) : text;
  const colon = body.indexOf(':');
  if (colon < 0) {
    throw refuse('parameter_invalid', {
      detail: `filters[] takes dimension:value or !dimension:value, not ${shown(text)}`,
    });
  }
  const { name } = dimensionOf(body.slice(0, colon));
  return { dimension: name, exclude, value: body.slice(colon + 1) };
}
