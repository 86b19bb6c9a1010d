/** Reads RowBinary back into objects, by a table's declared columns. Rows are objects only in tests. */
import {
  type RowInteger,
  type RowMap,
  RowReader,
  type RowValue as StoredValue,
} from '../../platform/store/row-reader.ts';
import type { Table } from '../../schemas/tables/table.ts';

export type RowValue =
  | string
  | number
  | null
  | readonly (readonly [number, number])[]
  | readonly (string | number)[];
export type Row = Record<string, RowValue>;

/** Tests count in plain numbers: what they write stays below 2^53. */
function plain(value: StoredValue): RowValue {
  if (value === null || typeof value === 'string') return value;
  if (typeof value !== 'object') return Number(value);
  if (isMap(value)) return value.map(([key, count]) => [key, Number(count)] as const);
  return value.map((item: string | RowInteger) => (typeof item === 'string' ? item : Number(item)));
}

function isMap(value: object): value is RowMap {
  return Array.isArray(value) && Array.isArray(value[0]);
}

/** All rows of the bytes. Strings come as latin-1, so that bytes survive. */
export function readRows(table: Table, bytes: Buffer): Row[] {
  const reader = new RowReader(table.columns, 'latin1');
  const rows: Row[] = [];
  for (let start = 0; start < bytes.length; start = reader.endOf(bytes, start)) {
    const decoded = Object.entries(reader.decode(bytes, start));
    rows.push(Object.fromEntries(decoded.map(([name, value]) => [name, plain(value)])));
  }
  return rows;
}
