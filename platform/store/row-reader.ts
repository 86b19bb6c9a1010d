/**
 * Reads RowBinary back by declared columns: where rows and values lie, and what they say.
 *
 * Guarantees: no value is read past the end of the bytes (a RangeError instead), 64-bit integers come exactly, and
 * walking over rows allocates nothing.
 * Format: https://clickhouse.com/docs/interfaces/formats/RowBinary
 */
import type { Column, ColumnType } from '../../schemas/tables/table.ts';

/** Times and days are numbers in the column's unit since 1970; integers beyond 2^53 are bigints. */
export type RowInteger = number | bigint;
export type RowMap = readonly (readonly [number, RowInteger])[];
export type RowList = readonly RowInteger[] | readonly string[];
export type RowValue = string | RowInteger | null | RowMap | RowList;
export type RowObject = Record<string, RowValue>;

const TWO_TO_32 = 4_294_967_296;
const MAP_ENTRY_BYTES = 10;
const INT64_BYTES = 8;

/** Bytes of the types whose values have all the same size. */
const FIXED_BYTES: Readonly<Partial<Record<ColumnType, number>>> = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  Int64: 8,
  Date: 2,
  "DateTime('UTC')": 4,
  "DateTime64(3, 'UTC')": 8,
};

/** Steps of a walk over a row; a positive one is a run of fixed values, in bytes. */
const STRING = 0;
const NULLABLE = -1;
const MAP = -2;
const INTEGERS = -3;
const STRINGS = -4;

export class RowReader {
  readonly columns: readonly Column[];
  readonly #encoding: 'utf8' | 'latin1';
  readonly #steps: readonly number[];

  /** `latin1` keeps the bytes of strings that are no text apart. */
  constructor(columns: readonly Column[], encoding: 'utf8' | 'latin1' = 'utf8') {
    this.columns = columns;
    this.#encoding = encoding;
    this.#steps = stepsOf(columns);
  }

  /** Position of a column. */
  indexOf(name: string): number {
    const index = this.columns.findIndex((column) => column.name === name);
    if (index < 0) throw new TypeError(`there is no column ${name}`);
    return index;
  }

  /** Where the row that begins at `start` ends. */
  endOf(bytes: Buffer, start: number): number {
    let pos = start;
    for (const step of this.#steps) pos = step > 0 ? pos + step : skip(bytes, pos, step);
    return within(bytes, pos);
  }

  /** Where each value of a row begins, in the order of the columns, and where the row ends. */
  cellsOf(bytes: Buffer, start: number): number[] {
    const cells = [start];
    let pos = start;
    for (const { type } of this.columns) {
      pos = endOfValue(bytes, pos, type);
      cells.push(pos);
    }
    within(bytes, pos);
    return cells;
  }

  /** The value of a column that begins at `start`. */
  valueAt(bytes: Buffer, start: number, column: number): RowValue {
    const type = this.columns[column]?.type ?? 'String';
    if (isText(type)) return this.#text(bytes, start, endOfString(bytes, start));
    if (type === 'Array(LowCardinality(String))') return this.#texts(bytes, start);
    return numberOrList(bytes, start, type);
  }

  #text(bytes: Buffer, start: number, end: number): string {
    const from = start + varuintBytes(bytes, start);
    return bytes.toString(this.#encoding, from, within(bytes, end));
  }

  #texts(bytes: Buffer, start: number): string[] {
    let pos = start + varuintBytes(bytes, start);
    return Array.from({ length: varuint(bytes, start) }, () => {
      const from = pos;
      pos = endOfString(bytes, from);
      return this.#text(bytes, from, pos);
    });
  }

  /** The row that begins at `start`, as an object. */
  decode(bytes: Buffer, start: number): RowObject {
    const cells = this.cellsOf(bytes, start);
    return Object.fromEntries(
      this.columns.map(({ name }, index) => [
        name,
        this.valueAt(bytes, cells[index] as number, index),
      ]),
    );
  }
}

/** True of a column whose values are one text each. */
export function isText(type: ColumnType): boolean {
  return type === 'String' || type === 'LowCardinality(String)';
}

/** The bytes of the string that begins at `start`, without its length. */
export function stringBytes(bytes: Buffer, start: number): Buffer {
  const from = start + varuintBytes(bytes, start);
  return bytes.subarray(from, within(bytes, from + varuint(bytes, start)));
}

/** Neighbours of fixed size are one step: most of a wide row is such runs. */
function stepsOf(columns: readonly Column[]): number[] {
  const steps: number[] = [];
  for (const { type } of columns) {
    const step = stepOf(type);
    const last = steps.at(-1) ?? 0;
    if (step > 0 && last > 0) steps[steps.length - 1] = last + step;
    else steps.push(step);
  }
  return steps;
}

function stepOf(type: ColumnType): number {
  if (type === 'Nullable(Int64)') return NULLABLE;
  if (type === 'Map(UInt16, Int64)') return MAP;
  if (type === 'Array(Int64)') return INTEGERS;
  if (type === 'Array(LowCardinality(String))') return STRINGS;
  return FIXED_BYTES[type] ?? STRING;
}

function skip(bytes: Buffer, pos: number, step: number): number {
  if (step === NULLABLE) return bytes[pos] === 1 ? pos + 1 : pos + 9;
  const head = bytes[pos] ?? 0;
  // Nearly every string and map is short: its length is the byte itself.
  const count = head < 0x80 ? head : varuint(bytes, pos);
  const from = head < 0x80 ? pos + 1 : pos + varuintBytes(bytes, pos);
  if (step === STRINGS) return endOfStrings(bytes, from, count);
  return from + count * (step === MAP ? MAP_ENTRY_BYTES : step === INTEGERS ? INT64_BYTES : 1);
}

function endOfString(bytes: Buffer, start: number): number {
  return start + varuintBytes(bytes, start) + varuint(bytes, start);
}

/** A count that no row has ends where the bytes do. */
function endOfStrings(bytes: Buffer, start: number, count: number): number {
  let pos = start;
  for (let left = count; left > 0 && pos <= bytes.length; left--) pos = endOfString(bytes, pos);
  return pos;
}

function endOfValue(bytes: Buffer, pos: number, type: ColumnType): number {
  const step = stepOf(type);
  return step > 0 ? pos + step : skip(bytes, pos, step);
}

function within(bytes: Buffer, pos: number): number {
  if (pos <= bytes.length) return pos;
  throw new RangeError(`a row is cut: it needs ${pos} bytes and there are ${bytes.length}`);
}

/** LEB128. Bytes past the end read as zero, which ends it; the position after it is then out of range. */
function varuint(bytes: Buffer, start: number): number {
  let value = 0;
  for (let pos = start, factor = 1; ; factor *= 128) {
    const byte = bytes[pos++] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
}

function varuintBytes(bytes: Buffer, start: number): number {
  let pos = start;
  while ((bytes[pos] ?? 0) >= 0x80) pos++;
  return pos + 1 - start;
}

/** A value in which there is no text. */
function numberOrList(bytes: Buffer, start: number, type: ColumnType): RowValue {
  switch (type) {
    case 'UInt8':
      return bytes.readUInt8(start);
    case 'UInt16':
    case 'Date':
      return bytes.readUInt16LE(start);
    case 'UInt32':
    case "DateTime('UTC')":
      return bytes.readUInt32LE(start);
    case 'UInt64':
      return integer(bytes.readUInt32LE(start + 4), bytes, start, bytes.readBigUInt64LE);
    case 'Nullable(Int64)':
      return bytes.readUInt8(start) === 1 ? null : int64(bytes, start + 1);
    case 'Map(UInt16, Int64)':
      return mapAt(bytes, start);
    case 'Array(Int64)':
      return integersAt(bytes, start);
    default:
      return int64(bytes, start);
  }
}

function int64(bytes: Buffer, start: number): RowInteger {
  return integer(bytes.readInt32LE(start + 4), bytes, start, bytes.readBigInt64LE);
}

/** From halves where that is exact. */
function integer(
  high: number,
  bytes: Buffer,
  start: number,
  exactly: (start: number) => bigint,
): RowInteger {
  const value = high * TWO_TO_32 + bytes.readUInt32LE(start);
  return Number.isSafeInteger(value) ? value : exactly.call(bytes, start);
}

function mapAt(bytes: Buffer, start: number): RowMap {
  const first = start + varuintBytes(bytes, start);
  return Array.from({ length: varuint(bytes, start) }, (_, index) => {
    const at = first + index * MAP_ENTRY_BYTES;
    return [bytes.readUInt16LE(at), int64(bytes, at + 2)] as const;
  });
}

function integersAt(bytes: Buffer, start: number): RowInteger[] {
  const first = start + varuintBytes(bytes, start);
  return Array.from({ length: varuint(bytes, start) }, (_, index) =>
    int64(bytes, first + index * INT64_BYTES),
  );
}
