import { describe, expect, it } from 'vitest';
import { RowWriter } from '../../../platform/store/row-binary.ts';

function bytesOf(write: (writer: RowWriter) => void): Buffer {
  const writer = new RowWriter(64);
  write(writer);
  return writer.take();
}

describe('RowWriter', () => {
  it('writes signed 64-bit integers exactly, from the smallest safe one to the largest', () => {
    const values = [0, 1, -1, 255, -256, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, -(2 ** 32), 2 ** 40 + 7];
    values.push(-(2 ** 40) - 7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1767225599000);
    const bytes = bytesOf((writer) => {
      for (const value of values) writer.int64(value);
    });
    const read = values.map((_, i) => Number(bytes.readBigInt64LE(i * 8)));
    expect(read).toEqual(values);
  });

  it('writes unsigned integers and floats of every width', () => {
    const bytes = bytesOf((writer) => {
      writer.uint8(255);
      writer.uint16(65_535);
      writer.uint32(4_294_967_295);
      writer.int32(-2_147_483_648);
      writer.uint64(2 ** 52 + 1);
      writer.float64(-0.1);
    });
    expect(bytes.readUInt8(0)).toBe(255);
    expect(bytes.readUInt16LE(1)).toBe(65_535);
    expect(bytes.readUInt32LE(3)).toBe(4_294_967_295);
    expect(bytes.readInt32LE(7)).toBe(-2_147_483_648);
    expect(bytes.readBigUInt64LE(11)).toBe(2n ** 52n + 1n);
    expect(bytes.readDoubleLE(19)).toBe(-0.1);
    expect(bytes).toHaveLength(27);
  });

  it('refuses a value that its column cannot hold, instead of writing another', () => {
    const writer = new RowWriter();
    const refused: (() => void)[] = [
      () => writer.uint8(256),
      () => writer.uint8(-1),
      () => writer.uint16(65_536),
      () => writer.uint32(2 ** 32),
      () => writer.uint32(1.5),
      () => writer.int32(2 ** 31),
      () => writer.int64(2 ** 53),
      () => writer.int64(0.5),
      () => writer.int64(Number.NaN),
      () => writer.uint64(-1),
      () => writer.varuint(-1),
      () => writer.raw(Buffer.alloc(4), 2, 3),
    ];
    for (const write of refused) expect(write).toThrow(RangeError);
    expect(writer.length).toBe(0);
  });

  it('writes lengths as LEB128', () => {
    const bytes = bytesOf((writer) => {
      for (const value of [0, 127, 128, 300, 2 ** 32, Number.MAX_SAFE_INTEGER])
        writer.varuint(value);
    });
    expect(bytes.toString('hex')).toBe('007f8001ac028080808010ffffffffffffff0f');
  });

  it('writes strings as UTF-8 with their length in bytes', () => {
    const texts = ['', 'a', 'ü', '日本', '😀', 'x'.repeat(48), 'x'.repeat(49), `${'é'.repeat(64)}`];
    texts.push(`ascii then é`, 'x'.repeat(20_000), 'nul\0inside');
    const bytes = bytesOf((writer) => {
      for (const text of texts) writer.string(text);
    });
    let at = 0;
    for (const text of texts) {
      const utf8 = Buffer.from(text);
      const head = bytesOf((writer) => writer.varuint(utf8.length));
      expect(bytes.subarray(at, at + head.length)).toEqual(head);
      expect(bytes.subarray(at + head.length, at + head.length + utf8.length)).toEqual(utf8);
      at += head.length + utf8.length;
    }
    expect(at).toBe(bytes.length);
  });

  it('writes bytes from the middle of a buffer, short and long', () => {
    const source = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const bytes = bytesOf((writer) => {
      writer.bytes(source, 10, 5);
      writer.bytes(source, 100, 100);
      writer.raw(source, 250);
    });
    const expected = [
      [5],
      source.subarray(10, 15),
      [100],
      source.subarray(100, 200),
      source.subarray(250),
    ];
    expect(bytes).toEqual(Buffer.concat(expected.map((part) => Uint8Array.from(part))));
  });

  it('marks null with one byte and nothing after it', () => {
    const bytes = bytesOf((writer) => {
      writer.nullableInt64(null);
      writer.nullableInt64(-2);
    });
    expect(bytes.toString('hex')).toBe('0100feffffffffffffff');
  });

  it('gives bytes that later rows do not change, and counts rows from zero again', () => {
    const writer = new RowWriter(64);
    writer.uint32(1);
    writer.endRow();
    expect([writer.rows, writer.length]).toEqual([1, 4]);
    const first = writer.take();
    expect([writer.rows, writer.length]).toEqual([0, 0]);
    writer.uint32(2);
    expect(first.readUInt32LE(0)).toBe(1);
    expect(writer.take().readUInt32LE(0)).toBe(2);
  });

  it('refuses to grow beyond its limit', () => {
    const writer = new RowWriter(64, 100);
    for (let i = 0; i < 12; i += 1) writer.int64(i);
    expect(() => writer.int64(12)).toThrow(/exceed the limit of 100/);
    expect(writer.length).toBe(96);
  });
});
