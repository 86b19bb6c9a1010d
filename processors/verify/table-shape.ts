/** What verify must know of a table beside its columns: which of them name a row, and where a row says its epoch. */
import { RowReader } from '../../platform/store/row-reader.ts';
import { delivery5s, requests } from '../../schemas/tables/delivery.ts';
import type { Table } from '../../schemas/tables/table.ts';
import {
  epochTables,
  forgotten,
  playback5s,
  rejected,
  viewersNow,
} from '../../schemas/tables/tables.ts';

const EPOCH_BYTES = 8;
const TWO_TO_32 = 4_294_967_296;

/** One row of many in a buffer. */
export interface RowRef {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface TableShape {
  readonly table: Table;
  readonly reader: RowReader;
  /** Positions of the columns of the sorting key. */
  readonly sortingKey: readonly number[];
  /** Positions of the columns that tell a row from the others of its epoch. */
  readonly identity: readonly number[];
}

/** What names a row beside the sorting key, which finds it but does not single it out. */
const NAMED_ALSO_BY = new Map<Table, readonly string[]>([
  [rejected, ['log_offset', 'event', 'view_id']],
  [playback5s, textColumns(playback5s)],
  [viewersNow, textColumns(viewersNow)],
  [forgotten, ['project', 'viewer', 'log_offset']],
  [delivery5s, textColumns(delivery5s)],
  [requests, ['source', 'cdn', 'object_type']],
]);

/** In the interval tables every text is a dimension. */
function textColumns({ columns }: Table): string[] {
  return columns.filter(({ type }) => type.includes('String')).map(({ name }) => name);
}

const shapes = new Map(epochTables.map((table) => [table.name, shapeOf(table)]));

/** The shape of a table that epochs write. */
export function shapeNamed(name: string): TableShape {
  const shape = shapes.get(name);
  if (shape === undefined) throw new TypeError(`epochs do not write ${name}`);
  return shape;
}

function shapeOf(table: Table): TableShape {
  const reader = new RowReader(table.columns);
  const sorted = sortingNames(table);
  const names = new Set([...sorted, ...(NAMED_ALSO_BY.get(table) ?? [])]);
  const positions = (list: Iterable<string>) => Array.from(list, (name) => reader.indexOf(name));
  return { table, reader, sortingKey: positions(sorted), identity: positions(names) };
}

/** The names in the engine clause's ORDER BY, which are plain columns. */
function sortingNames({ name, engine }: Table): string[] {
  const list = /ORDER BY \(([^)]+)\)/.exec(engine)?.[1];
  if (list === undefined) throw new TypeError(`${name} has no sorting key`);
  return list.split(',').map((column) => column.trim());
}

/** The epoch that a row says at its end. */
export function epochOfRow({ bytes, end }: RowRef): number {
  const at = end - EPOCH_BYTES;
  return bytes.readUInt32LE(at + 4) * TWO_TO_32 + bytes.readUInt32LE(at);
}

/** A text that is the same for rows whose values in these columns, and whose epochs, are the same. */
export function rowKey(shape: TableShape, row: RowRef, columns: readonly number[]): string {
  const cells = shape.reader.cellsOf(row.bytes, row.start);
  // Values carry their lengths, so joined they stay apart.
  const values = columns.map((column) =>
    row.bytes.toString('latin1', cells[column], cells[column + 1]),
  );
  values.push(row.bytes.toString('latin1', row.end - EPOCH_BYTES, row.end));
  return values.join('');
}
