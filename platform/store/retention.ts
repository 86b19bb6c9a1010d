/**
 * How long tables keep their rows. The engine removes whole days; a table is altered only where what it has differs.
 */
import { localName } from '../../schemas/cluster.ts';
import { identifier, literal } from './sql.ts';
import type { Store } from './store.ts';

export interface TableRetention {
  readonly table: string;
  /** Expression of the day that a row belongs to: what the table is partitioned by. */
  readonly day: string;
  /** Rows go when their day is older; 0 keeps them. */
  readonly days: number;
  /** Days by project, where they differ. */
  readonly projects: ReadonlyMap<string, number>;
}

/** A day of the table's type so much later is still one: 2149 is the last year that it has. */
const KEPT_DAYS = 36_500;

/** How many days rows of a project are kept; 0 for ever. */
export function daysKept({ days, projects }: TableRetention, project: string): number {
  return projects.get(project) ?? days;
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
  for (const retention of wanted) {
    const { table } = retention;
    const found = ttlOf(engines.get(localName(table)) ?? engines.get(table) ?? '');
    const expression = expressionOf(retention);
    if (found === expression) continue;
    const change = expression === undefined ? 'REMOVE TTL' : `MODIFY TTL ${expression}`;
    await store.command(`ALTER TABLE ${identifier(table)} ${change}`);
    altered.push(table);
  }
  return altered;
}

/** When a row goes, as the engine writes it; undefined when none does. */
function expressionOf({ day, days, projects }: TableRetention): string | undefined {
  if (projects.size === 0) return days === 0 ? undefined : `${day} + toIntervalDay(${days})`;
  const own = [...projects].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = own.map(([project]) => literal(project)).join(', ');
  const kept = own.map(([, daysOfProject]) => daysOfProject).join(', ');
  const others = days === 0 ? KEPT_DAYS : days;
  return `${day} + toIntervalDay(transform(project, [${names}], [${kept}], ${others}))`;
}

/** The TTL in a table's engine clause; undefined without one. */
function ttlOf(engine: string): string | undefined {
  return / TTL (.+?)(?: SETTINGS |$)/.exec(engine)?.[1];
}
