/** A table as data: columns in the order in which rows are written. */

export type ColumnType =
  | 'String'
  | 'LowCardinality(String)'
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int64'
  | 'Nullable(Int64)'
  | 'Date'
  | 'Map(UInt16, Int64)'
  | 'Array(Int64)'
  | 'Array(LowCardinality(String))'
  | "DateTime('UTC')"
  | "DateTime64(3, 'UTC')";

export interface Column<Name extends string = string> {
  readonly name: Name;
  readonly type: ColumnType;
  readonly comment: string;
  readonly codec?: string;
  /** Value of rows written before the column was there; without it the type's own, 0 or empty. */
  readonly default?: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Skip indexes, as they stand in the CREATE statement. */
  readonly indexes?: readonly string[];
  /** Engine clause and all that follows it. */
  readonly engine: string;
}

export function column<Name extends string>(
  name: Name,
  type: ColumnType,
  comment: string,
): Column<Name> {
  return { name, type, comment };
}

/** The CREATE statement of a table. A migration keeps what this printed when it was written. */
export function createStatement(table: Table): string {
  const columns = table.columns.map(
    ({ name, type, codec, comment, default: standard }) =>
      `  ${name} ${type}${standard === undefined ? '' : ` DEFAULT ${standard}`} COMMENT '${comment.replaceAll("'", "''")}'${codec === undefined ? '' : ` CODEC(${codec})`}`,
  );
  const lines = [...columns, ...(table.indexes ?? []).map((index) => `  ${index}`)];
  return `CREATE TABLE IF NOT EXISTS ${table.name}\n(\n${lines.join(',\n')}\n)\n${table.engine}`;
}

/** Columns that end every row that a processor writes: what recovery counts and deletes by. */
export const epochColumns: readonly Column[] = [
  column('_partition', 'UInt16', 'Partition of the log that the row was concluded from.'),
  column('_epoch', 'UInt64', 'Epoch of the partition that wrote the row.'),
];

/** Finds the parts that may hold an epoch: one entry for some 80 million rows, so in practice one a part. */
export const EPOCH_INDEX = 'INDEX by_epoch (_partition, _epoch) TYPE minmax GRANULARITY 10000';

/** Room for this many deduplication tokens; off (0) is the default of the engine. */
export const DEDUPLICATION_WINDOW = 10_000;

/**
 * What is acknowledged survives power loss: a part is flushed when it is written and before merged ones replace it. The
 * order of things rests on it: a commit must never outlive its rows, nor a checkpoint its commit.
 */
export const DURABLE = [
  `SETTINGS non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
  'fsync_after_insert = 1',
  'fsync_part_directory = 1',
  'min_compressed_bytes_to_fsync_after_merge = 1',
].join(', ');
