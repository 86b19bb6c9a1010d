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
  | "DateTime('UTC')"
  | "DateTime64(3, 'UTC')";

export interface Column<Name extends string = string> {
  readonly name: Name;
  readonly type: ColumnType;
  readonly comment: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
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
  const lines = table.columns.map(
    ({ name, type, comment }) => `  ${name} ${type} COMMENT '${comment.replaceAll("'", "''")}'`,
  );
  return `CREATE TABLE IF NOT EXISTS ${table.name}\n(\n${lines.join(',\n')}\n)\n${table.engine}`;
}

/** Columns that end every row that a processor writes: what recovery counts and deletes by. */
export const epochColumns: readonly Column[] = [
  column('_partition', 'UInt16', 'Partition of the log that the row was concluded from.'),
  column('_epoch', 'UInt64', 'Epoch of the partition that wrote the row.'),
];

/** Room for this many deduplication tokens; off (0) is the default of the engine. */
export const DEDUPLICATION_WINDOW = 10_000;
