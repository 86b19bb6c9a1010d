/**
 * Reads what a fetch brought: whole record batches, one after the other, the last perhaps cut off.
 *
 * Guarantees: records come in offset order from the wanted offset on; markers of transactions are left out and offsets
 * go on over them and over holes; a batch whose checksum is wrong, or that is in a format not known here, is an error
 * and never skipped. Values are views of the fetched bytes, except of compressed batches.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  BATCH,
  CODEC,
  CODEC_MASK,
  CONTROL,
  LENGTH_COUNTS_FROM,
  LOG_APPEND_TIME,
  MAGIC,
} from './kafka-batch.ts';
import { crc32c } from './kafka-crc32c.ts';
import { LogError, type LogRecord } from './log.ts';

const inflated = promisify(gunzip);
const NOTHING = Buffer.alloc(0);
const CODEC_NAMES: Readonly<Record<number, string>> = { 2: 'snappy', 3: 'lz4', 4: 'zstd' };

/** Names the partition in errors, and bounds a decompressed batch. */
export interface ChunkContext {
  readonly where: string;
  readonly inflatedBytesMax: number;
}

/** Offset after the last whole batch; undefined when there is none. */
export function offsetAfter(fetched: Buffer): number | undefined {
  let after: number | undefined;
  for (let at = 0; ; ) {
    const end = batchEnd(fetched, at);
    if (end === undefined) return after;
    after = offsetAt(fetched, at) + fetched.readInt32BE(at + BATCH.lastOffsetDelta) + 1;
    at = end;
  }
}

/** Where the batch at a position ends; undefined when it is not all there. */
function batchEnd(fetched: Buffer, at: number): number | undefined {
  if (at + BATCH.records > fetched.length) return undefined;
  const end = at + LENGTH_COUNTS_FROM + fetched.readInt32BE(at + BATCH.length);
  return end <= fetched.length && end >= at + BATCH.records ? end : undefined;
}

function offsetAt(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

/** Reads the fetched bytes little by little. */
export class ChunkReader {
  readonly #fetched: Buffer;
  readonly #fromOffset: number;
  readonly #context: ChunkContext;
  #at = 0;
  #batch: RecordCursor | undefined;

  constructor(fetched: Buffer, fromOffset: number, context: ChunkContext) {
    this.#fetched = fetched;
    this.#fromOffset = fromOffset;
    this.#context = context;
  }

  /** The next records, at most so many; none when there are no more. @throws LogError `log_format_unknown`. */
  async take(recordsMax: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    while (records.length < recordsMax) {
      this.#batch ??= await this.#nextBatch();
      if (this.#batch === undefined) break;
      const more = this.#batch.read(records, recordsMax, this.#fromOffset);
      if (!more) this.#batch = undefined;
    }
    return records;
  }

  async #nextBatch(): Promise<RecordCursor | undefined> {
    for (;;) {
      const end = batchEnd(this.#fetched, this.#at);
      if (end === undefined) return undefined;
      const batch = this.#fetched.subarray(this.#at, end);
      this.#at = end;
      this.#check(batch);
      const attributes = batch.readInt16BE(BATCH.attributes);
      if ((attributes & CONTROL) === 0) {
        const records = await this.#plain(batch, attributes & CODEC_MASK);
        return new RecordCursor(batch, records, this.#context);
      }
    }
  }

  #check(batch: Buffer): void {
    const magic = batch.readInt8(BATCH.magic);
    if (magic !== MAGIC) throw this.#unreadable(batch, `is of version ${magic}`);
    if (crc32c(batch, BATCH.attributes) !== batch.readUInt32BE(BATCH.crc)) {
      throw this.#unreadable(
        batch,
        'has a wrong checksum: its bytes were damaged on the way or on disk',
      );
    }
  }

  async #plain(batch: Buffer, codec: number): Promise<Buffer> {
    const records = batch.subarray(BATCH.records);
    if (codec === CODEC.none) return records;
    if (codec !== CODEC.gzip) {
      throw this.#unreadable(batch, `is compressed with ${CODEC_NAMES[codec] ?? codec}, not gzip`);
    }
    try {
      return await inflated(records, { maxOutputLength: this.#context.inflatedBytesMax });
    } catch (error) {
      throw this.#unreadable(batch, 'cannot be decompressed', error);
    }
  }

  #unreadable(batch: Buffer, what: string, cause?: unknown): LogError {
    const message = `The batch of ${this.#context.where} at offset ${offsetAt(batch, 0)} ${what}`;
    return new LogError('log_format_unknown', message, { cause });
  }
}

/** The records of one batch, read in order. */
class RecordCursor {
  readonly #bytes: Buffer;
  readonly #baseOffset: number;
  readonly #baseTimeMs: number;
  /** Set when all records have this time. */
  readonly #appendTimeMs: number | undefined;
  readonly #context: ChunkContext;
  #left: number;
  #at = 0;

  constructor(batch: Buffer, records: Buffer, context: ChunkContext) {
    this.#bytes = records;
    this.#baseOffset = offsetAt(batch, 0);
    this.#baseTimeMs = offsetAt(batch, BATCH.baseTimestamp);
    const byBroker = (batch.readInt16BE(BATCH.attributes) & LOG_APPEND_TIME) !== 0;
    this.#appendTimeMs = byBroker ? offsetAt(batch, BATCH.maxTimestamp) : undefined;
    this.#left = batch.readInt32BE(BATCH.count);
    this.#context = context;
  }

  /** Adds records from `fromOffset` on until there are `recordsMax`. True when some are left. */
  read(records: LogRecord[], recordsMax: number, fromOffset: number): boolean {
    while (this.#left > 0 && records.length < recordsMax) {
      const record = this.#next();
      if (record.offset >= fromOffset) records.push(record);
    }
    return this.#left > 0;
  }

  #next(): LogRecord {
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw this.#cutOff();
    // One byte of attributes, of which Kafka uses none.
    this.#at += 1;
    const sinceBaseMs = this.#varlong();
    const offset = this.#baseOffset + this.#varint();
    const keyBytes = this.#varint();
    this.#at += Math.max(0, keyBytes);
    const valueBytes = this.#varint();
    // A record without a value is one of zero bytes here. Headers are left unread.
    const value = valueBytes > 0 ? this.#bytes.subarray(this.#at, this.#at + valueBytes) : NOTHING;
    if (this.#at + Math.max(0, valueBytes) > end) throw this.#cutOff();
    this.#at = end;
    this.#left -= 1;
    return { offset, appendTimeMs: this.#appendTimeMs ?? this.#baseTimeMs + sinceBaseMs, value };
  }

  #varint(): number {
    let value = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = this.#bytes[this.#at++] ?? 0;
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    return (value >>> 1) ^ -(value & 1);
  }

  /** As above for up to 53 bits, which a time in ms stays far below. */
  #varlong(): number {
    let value = 0;
    let scale = 1;
    let byte: number;
    do {
      byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #cutOff(): LogError {
    const message = `A batch of ${this.#context.where} from offset ${this.#baseOffset} on has a record that goes beyond it`;
    return new LogError('log_format_unknown', message);
  }
}
