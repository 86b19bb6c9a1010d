import { describe, expect, it } from 'vitest';
import { RowWriter } from '../../../platform/store/row-binary.ts';
import { RowReader, stringBytes } from '../../../platform/store/row-reader.ts';
import { type Column, column } from '../../../schemas/tables/table.ts';

const columns: readonly Column[] = [
  column('text', 'String', ''),
  column('tag', 'LowCardinality(String)', ''),
  column('byte', 'UInt8', ''),
  column('short', 'UInt16', ''),
  column('word', 'UInt32', ''),
  column('count', 'UInt64', ''),
  column('sum', 'Int64', ''),
  column('maybe', 'Nullable(Int64)', ''),
  column('day', 'Date', ''),
  column('sketch', 'Map(UInt16, Int64)', ''),
  column('sums', 'Array(Int64)', ''),
  column('names', 'Array(LowCardinality(String))', ''),
  column('second', "DateTime('UTC')", ''),
  column('at', "DateTime64(3, 'UTC')", ''),
];

const LONG = 'ü'.repeat(200);

function write(writer: RowWriter, text: string, maybe: number | null, buckets: number): void {
  writer.string(text);
  writer.string('tag');
  writer.uint8(255);
  writer.uint16(65_535);
  writer.uint32(4_294_967_295);
  writer.uint64(Number.MAX_SAFE_INTEGER);
  writer.int64(-(2 ** 40) - 3);
  writer.nullableInt64(maybe);
  writer.date(20_454);
  writer.varuint(buckets);
  for (let key = 0; key < buckets; key += 1) {
    writer.uint16(key);
    writer.int64(-key);
  }
  writer.int64s(Array.from({ length: buckets }, (_, index) => index - 2 ** 40));
  writer.strings(Array.from({ length: buckets }, (_, index) => `${text}${index}`));
  writer.uint32(1_767_225_600);
  writer.dateTime64Ms(1_767_225_599_123);
}

function rowsOf(...rows: [string, number | null, number][]): Buffer {
  const writer = new RowWriter();
  for (const row of rows) write(writer, ...row);
  return writer.take();
}

describe('RowReader', () => {
  it('says where rows of any length end', () => {
    const rows: [string, number | null, number][] = [
      ['', null, 0],
      ['a', -7, 1],
      [LONG, 0, 200],
      ['b', null, 3],
    ];
    const bytes = rowsOf(...rows);
    const reader = new RowReader(columns);
    const lengths: number[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = reader.endOf(bytes, start);
      lengths.push(end - start);
      start = end;
    }
    expect(lengths).toEqual(rows.map((row) => rowsOf(row).length));
  });

  it('reads a row in the middle as an object', () => {
    const before = rowsOf(['x', null, 2]);
    const bytes = Buffer.concat([before, rowsOf([LONG, -7, 2], ['y', null, 0])]);
    expect(new RowReader(columns).decode(bytes, before.length)).toEqual({
      text: LONG,
      tag: 'tag',
      byte: 255,
      short: 65_535,
      word: 4_294_967_295,
      count: Number.MAX_SAFE_INTEGER,
      sum: -(2 ** 40) - 3,
      maybe: -7,
      day: 20_454,
      sketch: [
        [0, 0],
        [1, -1],
      ],
      sums: [-(2 ** 40), 1 - 2 ** 40],
      names: [`${LONG}0`, `${LONG}1`],
      second: 1_767_225_600,
      at: 1_767_225_599_123,
    });
  });

  it('gives integers beyond 2^53 exactly, and the bytes of a string that is no text', () => {
    const reader = new RowReader([
      column('a', 'UInt64', ''),
      column('b', 'Int64', ''),
      column('c', 'Nullable(Int64)', ''),
      column('d', 'String', ''),
    ]);
    const bytes = Buffer.alloc(26 + 2, 0xff);
    bytes.writeBigUInt64LE(2n ** 64n - 1n, 0);
    bytes.writeBigInt64LE(-(2n ** 63n), 8);
    bytes.writeUInt8(0, 16);
    bytes.writeBigInt64LE(2n ** 53n, 17);
    bytes.writeUInt8(2, 25);
    const cells = reader.cellsOf(bytes, 0);
    expect(cells).toEqual([0, 8, 16, 25, 28]);
    const values = [0, 1, 2].map((index) => reader.valueAt(bytes, cells[index] ?? 0, index));
    expect(values).toEqual([2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n]);
    expect(stringBytes(bytes, 25)).toEqual(Buffer.from([0xff, 0xff]));
    expect(new RowReader(reader.columns, 'latin1').decode(bytes, 0).d).toBe('\xff\xff');
  });

  it('refuses a row that is cut, wherever it is cut', () => {
    const whole = rowsOf([LONG, 5, 2]);
    const reader = new RowReader(columns);
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.subarray(0, length);
      expect(() => reader.endOf(cut, 0)).toThrow(RangeError);
      expect(() => reader.decode(cut, 0)).toThrow(RangeError);
    }
    expect(reader.endOf(whole, 0)).toBe(whole.length);
  });

  it('refuses the name of a column that is not there', () => {
    expect(new RowReader(columns).indexOf('tag')).toBe(1);
    expect(() => new RowReader(columns).indexOf('tags')).toThrow(TypeError);
  });
});
