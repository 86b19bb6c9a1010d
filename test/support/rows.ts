/** Rows of the tables as objects, written as a processor would write them. */
import avro, { type Type } from 'avsc';
import { RowWriter } from '../../platform/store/row-binary.ts';
import type { Store } from '../../platform/store/store.ts';
import type { Part } from '../../schemas/beat.ts';
import { recordVersions } from '../../schemas/records.ts';
import type { Column, Table } from '../../schemas/tables/table.ts';

/** Times are ms since 1970 (of a DateTime, seconds), days are days since 1970, texts may be bytes. */
export type RowValue =
  | string
  | number
  | Buffer
  | ReadonlyMap<number, number>
  | readonly (string | number)[]
  | null;
export type RowObject = Readonly<Record<string, RowValue>>;

const DAY_MS = 86_400_000;

export const dayOf = (timeMs: number): number => Math.floor(timeMs / DAY_MS);

let inserts = 0;

/** Inserts rows in one block. What a row leaves out is 0, empty or null. */
export async function insertRows(
  store: Store,
  table: Table,
  rows: readonly RowObject[],
): Promise<void> {
  const writer = new RowWriter();
  for (const row of rows) {
    refuseStrangers(table, row);
    for (const column of table.columns) write(writer, column, row[column.name]);
    writer.endRow();
  }
  inserts += 1;
  await store.insert(table.name, writer.take(), {
    columns: table.columns.map(({ name }) => name),
    token: `test-${process.pid}-${inserts}`,
  });
}

/** A misspelt column would be written as its default, and the test would prove nothing. */
function refuseStrangers(table: Table, row: RowObject): void {
  const names = new Set(table.columns.map(({ name }) => name));
  const stranger = Object.keys(row).find((name) => !names.has(name));
  if (stranger !== undefined) throw new Error(`${table.name} has no column ${stranger}`);
}

function write(writer: RowWriter, { type, name }: Column, value: RowValue | undefined): void {
  if (type === 'Nullable(Int64)') {
    writer.nullableInt64(value === undefined || value === null ? null : Number(value));
    return;
  }
  if (type === 'String' || type === 'LowCardinality(String)') {
    if (Buffer.isBuffer(value)) writer.bytes(value);
    else writer.string(String(value ?? ''));
    return;
  }
  if (type === 'Map(UInt16, Int64)') {
    writeMap(writer, value instanceof Map ? value : new Map());
    return;
  }
  if (type === 'Array(Int64)') {
    writer.int64s(listOf(value).map(Number));
    return;
  }
  if (type === 'Array(LowCardinality(String))') {
    writer.strings(listOf(value).map(String));
    return;
  }
  if (value !== undefined && typeof value !== 'number') {
    throw new Error(`${name} needs a number, not ${String(value)}`);
  }
  writeNumber(writer, type, value ?? 0);
}

function listOf(value: RowValue | undefined): readonly (string | number)[] {
  return Array.isArray(value) ? value : [];
}

function writeMap(writer: RowWriter, map: ReadonlyMap<number, number>): void {
  writer.varuint(map.size);
  for (const [key, value] of map) {
    writer.uint16(key);
    writer.int64(value);
  }
}

type NumberType = Exclude<
  Column['type'],
  | 'Nullable(Int64)'
  | 'String'
  | 'LowCardinality(String)'
  | 'Map(UInt16, Int64)'
  | 'Array(Int64)'
  | 'Array(LowCardinality(String))'
>;

function writeNumber(writer: RowWriter, type: NumberType, value: number): void {
  const writers: Readonly<Record<NumberType, () => void>> = {
    UInt8: () => writer.uint8(value),
    UInt16: () => writer.uint16(value),
    UInt32: () => writer.uint32(value),
    UInt64: () => writer.uint64(value),
    Int64: () => writer.int64(value),
    Date: () => writer.date(value),
    "DateTime64(3, 'UTC')": () => writer.dateTime64Ms(value),
    "DateTime('UTC')": () => writer.uint32(value),
  };
  writers[type]();
}

/** Bytes of an event's `parts` in the newest version of the beat schema, and that version. */
export function encodeParts(parts: readonly Part[]): { version: number; bytes: Buffer } {
  const beat = recordVersions.findLast(({ kind }) => kind === 'beat');
  if (beat === undefined) throw new Error('there is no beat schema');
  const events = fieldOf(beat.type, 'events') as avro.types.ArrayType;
  return { version: beat.version, bytes: fieldOf(events.itemsType, 'parts').toBuffer(parts) };
}

function fieldOf(record: Type, name: string): Type {
  if (!(record instanceof avro.types.RecordType)) throw new Error('not a record');
  const field = record.field(name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return field.type;
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32 by Tommy Ettinger, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
