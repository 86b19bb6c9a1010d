import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { checksumOf, migrate } from '../../../platform/store/migrate.ts';
import { openStore } from '../../../platform/store/open.ts';
import type { Store } from '../../../platform/store/store.ts';
import type { Migration } from '../../../schemas/migrations/migration.ts';

const directory = mkdtempSync(join(tmpdir(), 'streamgauge-migrate-'));
let store: Store;
let databases = 0;

beforeEach(async () => {
  await store?.close();
  databases += 1;
  store = await openStore({ directory, database: `migrate_${databases}` });
});

afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const first: Migration = {
  number: 1,
  name: 'views',
  statements: [
    'CREATE TABLE IF NOT EXISTS views (id String) ENGINE = MergeTree ORDER BY id',
    'CREATE TABLE IF NOT EXISTS epochs (n UInt32) ENGINE = MergeTree ORDER BY n',
  ],
};
const second: Migration = {
  number: 2,
  name: 'cdn of a view',
  statements: ['ALTER TABLE views ADD COLUMN IF NOT EXISTS cdn String'],
};

async function tablesOf(database: string): Promise<string[]> {
  const rows = await store.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {database:String} ORDER BY name',
    { params: { database } },
  );
  return rows.map(({ name }) => name);
}

describe('migrate', () => {
  it('applies what is missing, in order, in the store’s own database, once', async () => {
    expect(await migrate(store, [first])).toEqual({ applied: [first], pending: [] });
    expect(await migrate(store, [first, second])).toEqual({ applied: [second], pending: [] });
    expect(await migrate(store, [first, second])).toEqual({ applied: [], pending: [] });
    expect(await tablesOf(store.database)).toEqual(['epochs', 'schema_migrations', 'views']);
    const recorded = await store.query(
      'SELECT number, name, checksum, applied_at > now() - 3600 AS recent FROM schema_migrations ORDER BY number',
    );
    expect(recorded).toEqual([
      { number: 1, name: 'views', checksum: checksumOf(first), recent: 1 },
      { number: 2, name: 'cdn of a view', checksum: checksumOf(second), recent: 1 },
    ]);
  });

  it('changes nothing in a dry run, and says what is missing', async () => {
    expect(await migrate(store, [first, second], { dryRun: true })).toEqual({
      applied: [],
      pending: [first, second],
    });
    expect(await tablesOf(store.database)).toEqual([]);
    await migrate(store, [first]);
    expect((await migrate(store, [first, second], { dryRun: true })).pending).toEqual([second]);
  });

  it('stops before anything runs when an applied step was changed', async () => {
    await migrate(store, [first]);
    const changed = { ...first, statements: [...first.statements, 'SELECT 1'] };
    await expect(migrate(store, [changed, second])).rejects.toMatchObject({
      code: 'store_migration_changed',
      message: expect.stringContaining('migration 1 (views)'),
    });
    expect((await migrate(store, [first, second], { dryRun: true })).pending).toEqual([second]);
  });

  it('stops when the database is newer than the program', async () => {
    await migrate(store, [first, second]);
    const older = migrate(store, [first]);
    await expect(older).rejects.toMatchObject({ code: 'store_newer_than_program' });
  });

  it('names the statement that failed, and goes on from there once it is right', async () => {
    const broken = {
      ...second,
      statements: ['SELECT 1', 'ALTER TABLE nowhere ADD COLUMN x String'],
    };
    await expect(migrate(store, [first, broken])).rejects.toMatchObject({
      code: 'store_query_failed',
      message: expect.stringContaining('migration 2 (cdn of a view), statement 2'),
    });
    expect(await migrate(store, [first, second])).toEqual({ applied: [second], pending: [] });
  });

  it('records a step once when two processes apply it at the same time', async () => {
    await Promise.all([migrate(store, [first, second]), migrate(store, [first, second])]);
    const rows = await store.query('SELECT number FROM schema_migrations ORDER BY number');
    expect(rows).toEqual([{ number: 1 }, { number: 2 }]);
  });

  it('takes numbers that skip or repeat as a mistake in the program', async () => {
    await expect(migrate(store, [second])).rejects.toThrow(TypeError);
    await expect(migrate(store, [first, { ...second, number: 3 }])).rejects.toThrow(TypeError);
    await expect(migrate(store, [first, { ...second, number: 1 }])).rejects.toThrow(TypeError);
  });
});
