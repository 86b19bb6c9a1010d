/**
 * What an answer can be made from: the parts of the tables that it reads.
 *
 * Every row lies in a part, and no part ever changes: an insert adds one, a deletion and the end of a row's time put
 * another in its place. So while the active parts are the same, and the question is, so is the answer. This sees what an
 * epoch has written before it is committed, deletions, and retention, which the numbers of epochs do not tell. A merge
 * makes other parts of the same rows: the state then differs for nothing, never the other way round.
 *
 * On a cluster the tables that are asked lie on other nodes and have no parts here: there is no state, and no cache.
 */
import { createBinder, type Statement } from '../planner/statement.ts';

const DAY_MS = 86_400_000;

export interface TableStateRow {
  readonly state: string;
  readonly parts: number;
}

/**
 * The active parts that a question up to `toMs` can read. Both are by start day, and later days than the one after its
 * end are not read: see `startDayCondition`.
 */
export function planTableState(tables: readonly string[], toMs: number): Statement {
  const binder = createBinder();
  const names = binder.bind('Array(String)', tables);
  const last = new Date(toMs + DAY_MS).toISOString().slice(0, 10);
  const sql = `SELECT lower(hex(SHA256(arrayStringConcat(arraySort(groupArray(
    concat(table, '/', name, '/', hash_of_all_files))), ' ')))) AS state, count() AS parts
FROM system.parts
WHERE active AND database = currentDatabase() AND has(${names}, table) AND partition <= ${binder.bind('String', last)}`;
  return { sql, params: binder.params };
}

/** Undefined when nothing is known, or nothing is there that would be worth keeping. */
export function tableState([row]: readonly TableStateRow[]): string | undefined {
  return row === undefined || row.parts === 0 ? undefined : row.state;
}
