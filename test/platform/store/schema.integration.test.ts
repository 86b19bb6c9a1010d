/** The tables as they are declared and as the migrations make them are the same, and how long they keep rows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../../platform/store/migrate.ts';
import { openStore } from '../../../platform/store/open.ts';
import { applyRetention } from '../../../platform/store/retention.ts';
import type { Store } from '../../../platform/store/store.ts';
import { migrations } from '../../../schemas/migrations/index.ts';
import { annotations } from '../../../schemas/tables/annotations.ts';
import { createStatement } from '../../../schemas/tables/table.ts';
import { tableDays, tables } from '../../../schemas/tables/tables.ts';

let directory: string;
let store: Store;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  store = await openStore({ directory, database: 'migrated' });
  await migrate(store, migrations);
  await store.command('CREATE DATABASE declared');
  for (const table of [...tables, annotations]) {
    const statement = createStatement(table).replace('EXISTS ', 'EXISTS declared.');
    await store.command(statement);
  }
});

afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

/** What the engine says of a table, without the name of its database; settings in the order of the alphabet. */
async function shapeOf(database: string, table: string): Promise<string> {
  const [row] = await store.query<{ text: string }>(
    'SELECT create_table_query AS text FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    { params: { database, table } },
  );
  const [head = '', settings = ''] = (row?.text ?? '').split(' SETTINGS ');
  const body = head.replace(`${database}.`, '');
  return `${body}\n${settings.split(', ').sort().join('\n')}`;
}

it.each([...tables, annotations].map(({ name }) => name))(
  '%s is what its migrations make it',
  async (name) => {
    expect(await shapeOf('migrated', name)).toBe(await shapeOf('declared', name));
  },
);

it('sets how long a table keeps its rows, once, and takes it back', async () => {
  const keep = (days: number, projects: ReadonlyMap<string, number> = new Map()) =>
    Object.entries(tableDays).map(([table, day]) => ({ table, day, days, projects }));
  expect(await applyRetention(store, keep(30))).toEqual(Object.keys(tableDays));
  expect(await applyRetention(store, keep(30))).toEqual([]);
  await store.command(
    "INSERT INTO rejected (project, at) VALUES ('old', now() - INTERVAL 60 DAY), ('new', now())",
  );
  await store.command('OPTIMIZE TABLE rejected FINAL');
  expect(await store.query('SELECT project FROM rejected')).toEqual([{ project: 'new' }]);
  const own = new Map([
    ['long', 90],
    ['b', 7],
  ]);
  expect(await applyRetention(store, keep(30, own))).toEqual(Object.keys(tableDays));
  expect(await applyRetention(store, keep(30, own))).toEqual([]);
  for (const project of ['long', 'b', 'others']) {
    await store.command(
      `INSERT INTO rejected (project, at) VALUES ('${project}', now() - INTERVAL 60 DAY), ('${project}', now() - INTERVAL 20 DAY)`,
    );
  }
  await store.command('OPTIMIZE TABLE rejected FINAL');
  const kept = 'SELECT project, count() AS rows FROM rejected GROUP BY project ORDER BY project';
  expect(await store.query(kept)).toEqual([
    { project: 'long', rows: 2 },
    { project: 'new', rows: 1 },
    { project: 'others', rows: 1 },
  ]);
  expect(await applyRetention(store, keep(0, own))).toEqual(Object.keys(tableDays));
  expect(await applyRetention(store, keep(0, own))).toEqual([]);
  await store.command(
    "INSERT INTO rejected (project, at) VALUES ('others', now() - INTERVAL 9 YEAR)",
  );
  await store.command('OPTIMIZE TABLE rejected FINAL');
  expect(await store.query(kept)).toContainEqual({ project: 'others', rows: 2 });
  expect(await applyRetention(store, keep(0))).toEqual(Object.keys(tableDays));
  expect(await shapeOf('migrated', 'rejected')).toBe(await shapeOf('declared', 'rejected'));
});
