/** Rows in words: a row's name, and the columns in which two rows differ. */
import {
  isText,
  type RowList,
  type RowMap,
  type RowValue,
  stringBytes,
} from '../../platform/store/row-reader.ts';
import type { ColumnType } from '../../schemas/tables/table.ts';
import type { ColumnDifference, ShownValue } from './findings.ts';
import type { RowRef, TableShape } from './table-shape.ts';

const DAY_MS = 86_400_000;
/** Longer texts are shown around the place where they differ. */
const TEXT_BYTES_MAX = 120;
const BEFORE_DIFFERENCE_BYTES = 24;
const TIME_MS_MAX = 8_640_000_000_000_000;

/** Names a row: the columns that tell it from others, without empty ones. */
export function rowLabel(shape: TableShape, { bytes, start }: RowRef): string {
  const { reader } = shape;
  const cells = reader.cellsOf(bytes, start);
  const words: string[] = [];
  for (const index of shape.identity) {
    const { name, type } = reader.columns[index] as (typeof reader.columns)[number];
    // Partition and epoch stand beside the label.
    if (name.startsWith('_')) continue;
    const start = cells[index] as number;
    const value = isText(type)
      ? nameText(stringBytes(bytes, start))
      : shownValue(type, reader.valueAt(bytes, start, index));
    if (value !== '') words.push(`${name}=${value}`);
  }
  return words.join(' ');
}

/** Columns in which two rows differ. A map's order is no content: an engine may store it by key. */
export function differingColumns(shape: TableShape, one: RowRef, other: RowRef): number[] {
  const { reader } = shape;
  const a = reader.cellsOf(one.bytes, one.start);
  const b = reader.cellsOf(other.bytes, other.start);
  const differing: number[] = [];
  for (const [index, { type }] of reader.columns.entries()) {
    const [from, to] = [a[index] as number, a[index + 1] as number];
    const [otherFrom, otherTo] = [b[index] as number, b[index + 1] as number];
    if (one.bytes.compare(other.bytes, otherFrom, otherTo, from, to) === 0) continue;
    if (type === 'Map(UInt16, Int64)') {
      const maps = [
        reader.valueAt(one.bytes, from, index),
        reader.valueAt(other.bytes, otherFrom, index),
      ];
      if (shownMap(maps[0] as RowMap) === shownMap(maps[1] as RowMap)) continue;
    }
    differing.push(index);
  }
  return differing;
}

/** What two rows say in the columns in which they differ. */
export function differences(
  shape: TableShape,
  expected: RowRef,
  found: RowRef,
): ColumnDifference[] {
  const { reader } = shape;
  const a = reader.cellsOf(expected.bytes, expected.start);
  const b = reader.cellsOf(found.bytes, found.start);
  return differingColumns(shape, expected, found).map((index) => {
    const { name, type } = reader.columns[index] as (typeof reader.columns)[number];
    const at = isText(type)
      ? firstDifference(
          stringBytes(expected.bytes, a[index] as number),
          stringBytes(found.bytes, b[index] as number),
        )
      : 0;
    return {
      name,
      expected: shownCell(shape, expected.bytes, a, index, type, at),
      found: shownCell(shape, found.bytes, b, index, type, at),
    };
  });
}

function shownCell(
  shape: TableShape,
  bytes: Buffer,
  cells: readonly number[],
  index: number,
  type: ColumnType,
  focus: number,
): ShownValue {
  const start = cells[index] as number;
  if (isText(type)) return shownText(stringBytes(bytes, start), focus);
  return shownValue(type, shape.reader.valueAt(bytes, start, index));
}

/** A value that is no text. */
export function shownValue(type: ColumnType, value: RowValue): ShownValue {
  if (value === null || typeof value === 'string') return value;
  if (type === 'Map(UInt16, Int64)') return shownMap(value as RowMap);
  if (typeof value === 'object') return shownList(value as RowList);
  if (typeof value === 'bigint') return String(value);
  if (type === 'Date') return timeText(value * DAY_MS).slice(0, 10);
  if (type === "DateTime('UTC')") return timeText(value * 1_000);
  return type === "DateTime64(3, 'UTC')" ? timeText(value) : value;
}

function shownMap(map: RowMap): string {
  const sorted = [...map].sort(([a], [b]) => a - b);
  return `{${sorted.map(([key, value]) => `${key}: ${value}`).join(', ')}}`;
}

/** Texts are quoted: one may hold what stands between them. */
function shownList(list: RowList): string {
  const items = list.map((item: RowList[number]) =>
    typeof item === 'string' ? JSON.stringify(item) : String(item),
  );
  return `[${items.join(', ')}]`;
}

/** ISO 8601; a time that no calendar has stays a number. */
export function timeText(ms: number): string {
  return Math.abs(ms) <= TIME_MS_MAX ? new Date(ms).toISOString() : String(ms);
}

/** A text as part of a line: whole, because somebody looks for it by it; what would break the line is escaped. */
export function nameText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return /\p{Cc}/u.test(text) ? JSON.stringify(text) : text;
}

function firstDifference(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return at;
  return length;
}

/** A text, or the part of it around `focus`; what is no text is shown as hexadecimal digits. */
function shownText(bytes: Buffer, focus: number): string {
  const isLong = bytes.length > TEXT_BYTES_MAX;
  const from = isLong ? Math.max(0, focus - BEFORE_DIFFERENCE_BYTES) : 0;
  const part = bytes.subarray(from, from + TEXT_BYTES_MAX);
  const text = part.toString('utf8');
  // A cut may fall inside a character: that alone does not make it bytes.
  const inside = isLong ? text.replace(/^\ufffd+|\ufffd+$/g, '') : text;
  const isText = !/[^\P{Cc}\n\r\t]|\ufffd/u.test(inside);
  const shown = isText ? text : `0x${part.toString('hex')}`;
  return isLong ? `${shown} (bytes ${from} to ${from + part.length} of ${bytes.length})` : shown;
}
