/**
 * Statements for a cluster: their text, that the engine can read each, and that a cluster of one node without a Keeper
 * ends with the declared columns. Replicas and orders to all nodes need a Keeper, and are not run here.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../../platform/store/migrate.ts';
import { openStore } from '../../../platform/store/open.ts';
import { applyRetention } from '../../../platform/store/retention.ts';
import type { OpenStore } from '../../../platform/store/store.ts';
import { clusterQuery, clusterStatements, localName } from '../../../schemas/cluster.ts';
import { migrations } from '../../../schemas/migrations/index.ts';
import { tableDays, tables } from '../../../schemas/tables/tables.ts';
import { type ClickHouse, startClickHouse } from '../../support/clickhouse/front.ts';

const CLUSTER = 'main';
const names = { cluster: CLUSTER, database: 'qos' };
const directory = mkdtempSync(join(tmpdir(), 'streamgauge-cluster-'));
let server: ClickHouse;
let store: OpenStore;
/** The same node, as one server. */
let node: OpenStore;

beforeAll(async () => {
  server = await startClickHouse({ directory, cluster: CLUSTER });
  store = await openStore({ url: server.url, database: 'qos', cluster: CLUSTER });
  node = await openStore({ url: server.url, database: 'qos' });
  await migrate(store, migrations);
});

afterAll(async () => {
  await store.close();
  await node.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('a statement for a cluster', () => {
  it.each([
    [
      'CREATE TABLE IF NOT EXISTS t\n(\n  a String,\n  _partition UInt16\n)\nENGINE = ReplacingMergeTree(_epoch)\nORDER BY a\nSETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1',
      [
        "CREATE TABLE IF NOT EXISTS t_local ON CLUSTER 'main'\n(\n  a String,\n  _partition UInt16\n)\nENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/t_local', '{replica}', _epoch)\nORDER BY a\nSETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, fsync_after_insert = 1",
        "CREATE TABLE IF NOT EXISTS t ON CLUSTER 'main' AS qos.t_local ENGINE = Distributed('main', 'qos', 't_local', _partition)",
      ],
    ],
    [
      'CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32) ENGINE = MergeTree ORDER BY number',
      [
        "CREATE TABLE IF NOT EXISTS schema_migrations ON CLUSTER 'main' (number UInt32) ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/{database}/schema_migrations', '{shard}-{replica}') ORDER BY number",
      ],
    ],
    [
      'ALTER TABLE t ADD COLUMN IF NOT EXISTS a UInt64 AFTER b, ADD COLUMN IF NOT EXISTS c UInt64',
      [
        "ALTER TABLE t_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS a UInt64 AFTER b, ADD COLUMN IF NOT EXISTS c UInt64",
        "ALTER TABLE t ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS a UInt64 AFTER b, ADD COLUMN IF NOT EXISTS c UInt64",
      ],
    ],
    [
      'ALTER TABLE t MODIFY SETTING fsync_after_insert = 1',
      ["ALTER TABLE t_local ON CLUSTER 'main' MODIFY SETTING fsync_after_insert = 1"],
    ],
    [
      'ALTER TABLE t DELETE WHERE a = {a:String} SETTINGS mutations_sync = 2',
      [
        "ALTER TABLE t_local ON CLUSTER 'main' DELETE WHERE a = {a:String} SETTINGS mutations_sync = 2",
      ],
    ],
    [
      'DELETE FROM t WHERE _epoch = 1 SETTINGS lightweight_deletes_sync = 2',
      [
        "DELETE FROM t_local ON CLUSTER 'main' WHERE _epoch = 1 SETTINGS lightweight_deletes_sync = 2",
      ],
    ],
    ['TRUNCATE TABLE t', ["TRUNCATE TABLE t_local ON CLUSTER 'main'"]],
    ['OPTIMIZE TABLE t FINAL', ["OPTIMIZE TABLE t_local ON CLUSTER 'main' FINAL"]],
    [
      'KILL QUERY WHERE startsWith(initial_query_id, {p:String}) ASYNC',
      ["KILL QUERY ON CLUSTER 'main' WHERE startsWith(initial_query_id, {p:String}) ASYNC"],
    ],
  ])('is, of %j, what does the same on every node', async (sql, statements) => {
    expect(clusterStatements(sql, names)).toEqual(statements);
    for (const statement of statements) await expectReadable(statement);
  });

  it('is not made up where there is none', () => {
    for (const sql of [
      'SYSTEM STOP MERGES t',
      'INSERT INTO t VALUES (1)',
      'CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a',
      'CREATE TABLE IF NOT EXISTS t (a String) ENGINE = Memory',
      'ALTER TABLE t ADD COLUMN a String, MODIFY SETTING fsync_after_insert = 1',
    ]) {
      expect(() => clusterStatements(sql, names)).toThrow(TypeError);
    }
  });

  it('asks every node for what is under way, and the tables as they are named', () => {
    expect(clusterQuery('SELECT 1 FROM system.processes, system.mutations, views', names)).toBe(
      "SELECT 1 FROM clusterAllReplicas('main', system.processes), clusterAllReplicas('main', system.mutations), views",
    );
  });

  it('can be read by the engine, for every migration', async () => {
    for (const { statements } of migrations) {
      for (const sql of statements) {
        for (const statement of clusterStatements(sql, names)) await expectReadable(statement);
      }
    }
  });
});

/** The engine's own form of a statement has the cluster in it: it was not taken for something else. */
async function expectReadable(statement: string): Promise<void> {
  const [row] = await node.query<{ formatted: string }>(
    'SELECT formatQuery({sql:String}) AS formatted',
    {
      params: { sql: statement },
    },
  );
  expect(row?.formatted).toMatch(/ ON CLUSTER '?main'?/);
}

describe('a cluster of one node', () => {
  it.each(tables.map((table) => [table.name, table] as const))(
    'has the columns that are declared in %s, and on its shard',
    async (name, table) => {
      for (const each of [name, localName(name)]) {
        const columns = await node.query<{ name: string; type: string }>(
          'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position',
          { params: { database: 'qos', table: each } },
        );
        const declared = table.columns.map(({ name: column, type }) => ({ name: column, type }));
        expect(columns).toEqual(declared);
      }
    },
  );

  it('is migrated once', async () => {
    expect(await migrate(store, migrations)).toEqual({ applied: [], pending: [] });
  });

  it('keeps rows as long as it is told, on its shards', async () => {
    const keep = (days: number) =>
      Object.entries(tableDays).map(([table, day]) => ({ table, day, days, projects: new Map() }));
    expect(await applyRetention(store, keep(30))).toEqual(Object.keys(tableDays));
    expect(await applyRetention(store, keep(30))).toEqual([]);
    expect(await applyRetention(store, keep(0))).toEqual(Object.keys(tableDays));
  });
});
