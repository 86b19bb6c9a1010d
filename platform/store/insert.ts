/**
 * An insert's statement and its settings. Everything that decides how rows become blocks is set for each insert, so that
 * no profile and no new default of the engine changes it.
 */
import type { ClickHouseSettings } from '@clickhouse/client';
import { identifier } from './sql.ts';
import type { InsertOptions } from './store.ts';

/** No block is this long: an insert is one block, however many rows it has. */
const BLOCK_ROWS_MAX = '1000000000';

/** The statement; the rows follow it. */
export function insertStatement(database: string, table: string, options: InsertOptions): string {
  if (options.columns.length === 0) throw new TypeError('an insert needs its columns');
  const columns = options.columns.map(identifier).join(', ');
  return `INSERT INTO ${identifier(database)}.${identifier(table)} (${columns}) FORMAT RowBinary`;
}

/**
 * Acknowledged when it is done, one block, and recognised by its token. `deduplicate_insert`, which newer engines put
 * above `insert_deduplicate`, is left at its default, on, because older ones do not know it.
 */
export function insertSettings(options: InsertOptions): ClickHouseSettings {
  if (options.token === '') throw new TypeError('an insert needs a token');
  return {
    async_insert: 0,
    insert_deduplicate: 1,
    insert_deduplication_token: options.token,
    max_insert_block_size: BLOCK_ROWS_MAX,
    min_insert_block_size_rows: BLOCK_ROWS_MAX,
    min_insert_block_size_bytes: '0',
    max_partitions_per_insert_block: '0',
    input_format_parallel_parsing: 0,
  };
}
