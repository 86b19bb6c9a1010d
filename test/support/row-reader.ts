/** Reads RowBinary back into objects, by a table's declared columns. Rows are objects only in tests. */
import type { ColumnType, Table } from '../../schemas/tables/table.ts';

export type RowValue = string | number | null | readonly (readonly [number, number])[];
export type Row = Record<string, RowValue>;

class Reader {
  pos = 0;
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  varuint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes.readUInt8(this.pos++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  fixed(size: number, read: (at: number) => number): number {
    const value = read(this.pos);
    this.pos += size;
    return value;
  }

  string(): string {
    const length = this.varuint();
    const text = this.bytes.toString('latin1', this.pos, this.pos + length);
    this.pos += length;
    return text;
  }
}

function readValue(reader: Reader, type: ColumnType): RowValue {
  const { bytes } = reader;
  switch (type) {
    case 'String':
    case 'LowCardinality(String)':
      return reader.string();
    case 'UInt8':
      return reader.fixed(1, (at) => bytes.readUInt8(at));
    case 'UInt16':
    case 'Date':
      return reader.fixed(2, (at) => bytes.readUInt16LE(at));
    case 'UInt32':
    case "DateTime('UTC')":
      return reader.fixed(4, (at) => bytes.readUInt32LE(at));
    case 'UInt64':
      return reader.fixed(8, (at) => Number(bytes.readBigUInt64LE(at)));
    case 'Nullable(Int64)':
      if (reader.fixed(1, (at) => bytes.readUInt8(at)) === 1) return null;
      return readValue(reader, 'Int64');
    case 'Map(UInt16, Int64)':
      return Array.from({ length: reader.varuint() }, () => [
        Number(readValue(reader, 'UInt16')),
        Number(readValue(reader, 'Int64')),
      ]);
    default:
      return reader.fixed(8, (at) => Number(bytes.readBigInt64LE(at)));
  }
}

/** All rows of the bytes. Strings come as latin-1, so that bytes survive. */
export function readRows(table: Table, bytes: Buffer): Row[] {
  const reader = new Reader(bytes);
  const rows: Row[] = [];
  while (reader.pos < bytes.length) {
    const row: Row = {};
    for (const { name, type } of table.columns) row[name] = readValue(reader, type);
    rows.push(row);
  }
  return rows;
}
