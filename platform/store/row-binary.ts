/**
 * Rows as RowBinary, ClickHouse's row format: values of a row one after the other, no names, no separators.
 *
 * Guarantees: a value is written exactly or refused with a RangeError, never wrapped or rounded; no allocation per value.
 * Format: https://clickhouse.com/docs/interfaces/formats/RowBinary
 */

/** A writer refuses to grow beyond this many bytes: an epoch of that size is a bug. */
export const ROW_BYTES_MAX = 1024 * 1024 * 1024;

const TWO_TO_32 = 4_294_967_296;
const ASCII_LENGTH_MAX = 48;

function refuse(type: string, value: number): never {
  throw new RangeError(`${value} is not a ${type}; a row would hold another number`);
}

/** A growing buffer of rows. The caller writes the values of each row in the order of the columns, then `endRow`. */
export class RowWriter {
  #bytes: Buffer;
  #length = 0;
  #rows = 0;
  readonly #bytesMax: number;

  /** @param bytesInitial Size that the buffer starts with. It doubles as needed, and stays when the writer is reset. */
  constructor(bytesInitial = 64 * 1024, bytesMax = ROW_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#bytes = Buffer.allocUnsafe(Math.max(64, bytesInitial));
  }

  /** Bytes written since the last reset. */
  get length(): number {
    return this.#length;
  }

  /** Rows ended since the last reset. */
  get rows(): number {
    return this.#rows;
  }

  /** Counts a row. RowBinary itself has no mark between rows. */
  endRow(): void {
    this.#rows += 1;
  }

  /** Forgets what was written and keeps the memory. */
  reset(): void {
    this.#length = 0;
    this.#rows = 0;
  }

  /** The bytes written, as a copy that is safe to hold, and a reset. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(taken, 0, 0, this.#length);
    this.reset();
    return taken;
  }

  /** UInt8, Bool, and the null mark of a Nullable (1 is null). */
  uint8(value: number): void {
    if ((value & 0xff) !== value) refuse('UInt8', value);
    const at = this.#claim(1);
    this.#bytes[at] = value;
  }

  /** UInt16. */
  uint16(value: number): void {
    if ((value & 0xffff) !== value) refuse('UInt16', value);
    const at = this.#claim(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }

  /** UInt32, DateTime. */
  uint32(value: number): void {
    if (value >>> 0 !== value) refuse('UInt32', value);
    this.#word(this.#claim(4), value);
  }

  /** Int32. */
  int32(value: number): void {
    if ((value | 0) !== value) refuse('Int32', value);
    this.#word(this.#claim(4), value);
  }

  /** Int64, from a number that is a safe integer. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) refuse('safe Int64', value);
    const at = this.#claim(8);
    // Two's complement in halves: `>>> 0` is modulo 2^32, and dividing by a power of two is exact.
    this.#word(at, value);
    this.#word(at + 4, Math.floor(value / TWO_TO_32));
  }

  /** UInt64, from a number that is a safe integer. */
  uint64(value: number): void {
    if (value < 0) refuse('UInt64', value);
    this.int64(value);
  }

  /** Float64. */
  float64(value: number): void {
    // First the claim: it may replace the buffer.
    const at = this.#claim(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  /** LEB128: the length of a string, an array or a map. */
  varuint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) refuse('varuint', value);
    let at = this.#claim(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[at] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
      at += 1;
    }
    this.#bytes[at] = rest;
    this.#length = at + 1;
  }

  /** String, from a JavaScript string, as UTF-8. A lone surrogate becomes U+FFFD. */
  string(value: string): void {
    if (value.length <= ASCII_LENGTH_MAX && this.#asciiString(value)) return;
    const bytes = Buffer.byteLength(value);
    this.varuint(bytes);
    const at = this.#claim(bytes);
    this.#bytes.write(value, at, bytes, 'utf8');
  }

  /** String, from bytes as they are. */
  bytes(source: Buffer, offset = 0, length = source.length - offset): void {
    this.varuint(length);
    this.raw(source, offset, length);
  }

  /** Bytes without a length before them: a FixedString, or values that were encoded before. */
  raw(source: Buffer, offset = 0, length = source.length - offset): void {
    if (offset < 0 || length < 0 || offset + length > source.length) refuse('length', length);
    const at = this.#claim(length);
    // For a short run, a loop is cheaper than a call out of JavaScript.
    if (length > 32) source.copy(this.#bytes, at, offset, offset + length);
    else for (let i = 0; i < length; i += 1) this.#bytes[at + i] = source[offset + i] as number;
  }

  /** Nullable(Int64). */
  nullableInt64(value: number | null): void {
    if (value === null) {
      this.uint8(1);
      return;
    }
    this.uint8(0);
    this.int64(value);
  }

  /** Array(Int64). */
  int64s(values: readonly number[]): void {
    this.varuint(values.length);
    for (const value of values) this.int64(value);
  }

  /** Array(String), whatever its strings are stored as. */
  strings(values: readonly string[]): void {
    this.varuint(values.length);
    for (const value of values) this.string(value);
  }

  /** Date, days since 1970. */
  date(days: number): void {
    this.uint16(days);
  }

  /** DateTime64(3), milliseconds since 1970. */
  dateTime64Ms(ms: number): void {
    this.int64(ms);
  }

  /** Makes room for `size` bytes and gives the place of the first. */
  #claim(size: number): number {
    const at = this.#length;
    const end = at + size;
    if (end > this.#bytes.length) this.#grow(end);
    this.#length = end;
    return at;
  }

  #grow(bytesNeeded: number): void {
    if (bytesNeeded > this.#bytesMax) {
      throw new RangeError(`rows of ${bytesNeeded} bytes exceed the limit of ${this.#bytesMax}`);
    }
    const grown = Buffer.allocUnsafeSlow(
      Math.min(this.#bytesMax, Math.max(bytesNeeded, this.#bytes.length * 2)),
    );
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  #word(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }

  /** Most strings are short and ASCII: their length is one byte, and the encoder's call costs more than a loop. */
  #asciiString(value: string): boolean {
    const start = this.#claim(value.length + 1);
    const bytes = this.#bytes;
    bytes[start] = value.length;
    for (let i = 0; i < value.length; i += 1) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) {
        this.#length = start;
        return false;
      }
      bytes[start + 1 + i] = unit;
    }
    return true;
  }
}
