/**
 * How long tables keep their rows. The engine removes whole days; a table is altered only where what it has differs.
 */
import { localName } from '../../schemas/cluster.ts';
import { identifier } from './sql.ts';
import type { Store } from './store.ts';

export interface TableRetention {
  readonly table: string;
  /** Expression of the day that a row belongs to: what the table is partitioned by. */
  readonly day: string;
  /** Rows go when their day is older; 0 keeps them. */
  readonly days: number;
}

/** Brings every table's TTL to what is wanted. Returns the names of those that it altered. */
export async function applyRetention(
  store: Store,
  wanted: readonly TableRetention[],
): Promise<string[]> {
  const rows = await store.queryOnWriter<{ name: string; engine: string }>(
    'SELECT name, engine_full AS engine FROM system.tables WHERE database = {database:String}',
    { params: { database: store.database } },
  );
  const engines = new Map(rows.map(({ name, engine }) => [name, engine]));
  const altered: string[] = [];
  for (const { table, day, days } of wanted) {
    const found = ttlOf(engines.get(localName(table)) ?? engines.get(table) ?? '');
    const expression = days === 0 ? undefined : `${day} + toIntervalDay(${days})`;
    if (found === expression) continue;
    const change = expression === undefined ? 'REMOVE TTL' : `MODIFY TTL ${expression}`;
    await store.command(`ALTER TABLE ${identifier(table)} ${change}`);
    altered.push(table);
  }
  return altered;
}

/** The TTL in a table's engine clause; undefined without one. */
function ttlOf(engine: string): string | undefined {
  return / TTL (.+?)(?: SETTINGS |$)/.exec(engine)?.[1];
}
