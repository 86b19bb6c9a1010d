/**
 * A statement: SQL text and the values bound to its placeholders.
 *
 * Guarantee: text that a client sent reaches SQL only through `bind`. Identifiers and expressions come from the
 * catalogue.
 */
import type { QueryValue } from '../../platform/store/store.ts';

export interface Statement {
  readonly sql: string;
  readonly params: Readonly<Record<string, QueryValue>>;
}

export type BoundType = 'String' | 'Int64' | 'Float64' | 'Array(String)';

/** Collects the values of one statement. */
export interface Binder {
  readonly params: Readonly<Record<string, QueryValue>>;
  /** The placeholder that stands for a value. */
  bind(type: BoundType, value: QueryValue): string;
}

export function createBinder(): Binder {
  const params: Record<string, QueryValue> = {};
  let count = 0;
  return {
    params,
    bind(type, value) {
      const name = `p${count++}`;
      params[name] = value;
      return `{${name}:${type}}`;
    },
  };
}

/** A time, ms since 1970, as SQL. */
export function bindTime(binder: Binder, timeMs: number): string {
  return `fromUnixTimestamp64Milli(${binder.bind('Int64', timeMs)}, 'UTC')`;
}

/**
 * Ends every statement over `views`: a view's start day never changes, so the newest row of a view is found within its
 * own table partition.
 */
export const VIEWS_SETTINGS = 'SETTINGS do_not_merge_across_partitions_select_final = 1';
