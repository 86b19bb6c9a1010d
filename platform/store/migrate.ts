/**
 * Migrations: numbered, immutable steps of the schema.
 *
 * Guarantees: steps run in order, each at least once and recorded after its last statement; a recorded step that was
 * changed, or that this program does not know, stops it before anything runs. A crash may fall between a statement and
 * the record, and two processes may migrate at once, so every statement must be safe to run again (`IF NOT EXISTS`).
 * Unqualified names are names in the store's database.
 */
import { createHash } from 'node:crypto';
import type { Migration } from '../../schemas/migrations/migration.ts';
import { RowWriter } from './row-binary.ts';
import { type Store, StoreError } from './store.ts';

export interface MigrateResult {
  /** Steps that this call applied. */
  readonly applied: readonly Migration[];
  /** Steps that a dry run left; empty otherwise. */
  readonly pending: readonly Migration[];
}

interface Recorded {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

const TABLE = 'schema_migrations';

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS ${TABLE} (
  number UInt32,
  name String,
  checksum String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY number SETTINGS non_replicated_deduplication_window = 10000`;

/**
 * Brings the database to the newest step. A dry run changes nothing and says what is missing.
 * @throws StoreError `store_migration_changed`, `store_newer_than_program`, or what a statement failed with.
 * @throws TypeError when the numbers of `migrations` are not 1, 2, 3, …
 */
export async function migrate(
  store: Store,
  migrations: readonly Migration[],
  options: { readonly dryRun?: boolean } = {},
): Promise<MigrateResult> {
  checkNumbers(migrations);
  const recorded = await readRecorded(store);
  checkRecorded(recorded, migrations);
  const pending = migrations.filter(({ number }) => !recorded.has(number));
  if (options.dryRun === true) return { applied: [], pending };
  if (pending.length > 0) await store.command(CREATE_TABLE);
  for (const migration of pending) await apply(store, migration);
  return { applied: pending, pending: [] };
}

/** Identifies a step's statements, to the character; its name may be corrected. */
export function checksumOf(migration: Migration): string {
  return createHash('sha256').update(JSON.stringify(migration.statements)).digest('hex');
}

function checkNumbers(migrations: readonly Migration[]): void {
  for (const [index, { number, name }] of migrations.entries()) {
    if (number === index + 1) continue;
    throw new TypeError(`migration ${name} has number ${number}; ${index + 1} comes next`);
  }
}

async function readRecorded(store: Store): Promise<Map<number, Recorded>> {
  const tables = await store.queryOnWriter<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    { params: { database: store.database, table: TABLE } },
  );
  if (tables.length === 0) return new Map();
  const rows = await store.queryOnWriter<Recorded>(
    `SELECT number, name, checksum FROM ${TABLE} ORDER BY number, applied_at LIMIT 1 BY number`,
  );
  return new Map(rows.map((row) => [row.number, row]));
}

function checkRecorded(
  recorded: ReadonlyMap<number, Recorded>,
  migrations: readonly Migration[],
): void {
  for (const { number, name, checksum } of recorded.values()) {
    const known = migrations[number - 1];
    if (known === undefined) {
      throw new StoreError(
        'store_newer_than_program',
        `the database has migration ${number} (${name}), and this program ends at ${migrations.length}; ` +
          'run the newer program',
      );
    }
    if (checksumOf(known) === checksum) continue;
    throw new StoreError(
      'store_migration_changed',
      `migration ${number} (${name}) was applied with other statements than this program has; ` +
        'restore them and write a new migration for the change',
    );
  }
}

async function apply(store: Store, migration: Migration): Promise<void> {
  for (const [index, statement] of migration.statements.entries()) {
    await store.command(statement).catch((cause: unknown) => {
      throw inStatement(migration, index, cause);
    });
  }
  await record(store, migration);
}

async function record(store: Store, migration: Migration): Promise<void> {
  const checksum = checksumOf(migration);
  const row = new RowWriter(256);
  row.uint32(migration.number);
  row.string(migration.name);
  row.string(checksum);
  row.endRow();
  // The same step recorded by two processes is one record.
  await store.insert(TABLE, row.take(), {
    columns: ['number', 'name', 'checksum'],
    token: `migration-${migration.number}-${checksum}`,
  });
}

function inStatement(migration: Migration, index: number, cause: unknown): unknown {
  if (!(cause instanceof StoreError)) return cause;
  return new StoreError(
    cause.code,
    `migration ${migration.number} (${migration.name}), statement ${index + 1}: ${cause.message}`,
    { cause },
  );
}
