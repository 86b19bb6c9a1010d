/** When rows go by themselves. */
import type { RowObject } from '../../platform/store/row-reader.ts';
import type { Table } from '../../schemas/tables/table.ts';
import { viewersNow } from '../../schemas/tables/tables.ts';

/** When the engine may remove a row, ms since 1970; undefined when it stays. */
export type ExpiresAtMs = (table: Table, row: RowObject) => number | undefined;

const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;

/** As the tables are declared: `viewers_now` keeps an hour, counted from the whole second. */
export const declaredExpiry: ExpiresAtMs = (table, row) => {
  if (table !== viewersNow) return undefined;
  return Math.floor(Number(row.at) / SECOND_MS) * SECOND_MS + HOUR_MS;
};
