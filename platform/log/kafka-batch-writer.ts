/**
 * Writes records into one record batch, as bytes that go to the broker as they are.
 *
 * Guarantees: a record is copied once, when it is added; the batch holds its records in the order they were added;
 * a compressed batch is never larger than the same batch plain.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { BATCH, CODEC, LENGTH_COUNTS_FROM, MAGIC } from './kafka-batch.ts';
import { crc32c } from './kafka-crc32c.ts';
import type { Compression } from './kafka-options.ts';

const gzipped = promisify(gzip);
const FIRST_BYTES = 1_024;
/** Beyond a record's value at most: its length, five fields of a byte, its number and the value's length. */
const RECORD_OVERHEAD_BYTES = 20;
/** The fastest: beats are repetitive, and higher levels take four times as long for a tenth less. */
const GZIP_LEVEL = 1;

export class BatchWriter {
  #bytes: Buffer;
  #end: number = BATCH.records;
  #count = 0;

  constructor() {
    this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
  }

  get count(): number {
    return this.#count;
  }

  /** True when a record of so many bytes still fits; one always does. */
  fits(valueBytes: number, batchBytesMax: number): boolean {
    return (
      this.#count === 0 ||
      this.#end + valueBytes + RECORD_OVERHEAD_BYTES - BATCH.records <= batchBytesMax
    );
  }

  add(value: Uint8Array): void {
    this.#reserve(value.byteLength + RECORD_OVERHEAD_BYTES);
    const number = this.#count;
    // Attributes, time, key and headers take a byte each: none, none, null and none.
    const bodyBytes = 4 + varintBytes(number) + varintBytes(value.byteLength) + value.byteLength;
    this.#varint(bodyBytes);
    this.#bytes[this.#end++] = 0;
    this.#varint(0);
    this.#varint(number);
    this.#varint(-1);
    this.#varint(value.byteLength);
    this.#bytes.set(value, this.#end);
    this.#end += value.byteLength;
    this.#varint(0);
    this.#count += 1;
  }

  /** The whole batch. `nowMs` is the records' time where the broker does not set its own. Nothing can be added after. */
  async finish(compression: Compression, nowMs: number): Promise<Buffer> {
    const plain = this.#bytes.subarray(0, this.#end);
    if (compression === 'none') return this.#headed(plain, CODEC.none, nowMs);
    const records = await gzipped(plain.subarray(BATCH.records), { level: GZIP_LEVEL });
    if (BATCH.records + records.length >= plain.length) {
      return this.#headed(plain, CODEC.none, nowMs);
    }
    const header = Buffer.allocUnsafe(BATCH.records);
    return this.#headed(Buffer.concat([header, records]), CODEC.gzip, nowMs);
  }

  #headed(batch: Buffer, codec: number, nowMs: number): Buffer {
    batch.writeBigInt64BE(0n, BATCH.baseOffset);
    batch.writeInt32BE(batch.length - LENGTH_COUNTS_FROM, BATCH.length);
    batch.writeInt32BE(-1, BATCH.leaderEpoch);
    batch.writeInt8(MAGIC, BATCH.magic);
    batch.writeInt16BE(codec, BATCH.attributes);
    batch.writeInt32BE(this.#count - 1, BATCH.lastOffsetDelta);
    batch.writeBigInt64BE(BigInt(nowMs), BATCH.baseTimestamp);
    batch.writeBigInt64BE(BigInt(nowMs), BATCH.maxTimestamp);
    // Neither idempotent nor transactional: no producer, no sequence.
    batch.writeBigInt64BE(-1n, BATCH.producerId);
    batch.writeInt16BE(-1, BATCH.producerEpoch);
    batch.writeInt32BE(-1, BATCH.baseSequence);
    batch.writeInt32BE(this.#count, BATCH.count);
    batch.writeUInt32BE(crc32c(batch, BATCH.attributes), BATCH.crc);
    return batch;
  }

  #reserve(bytes: number): void {
    const wanted = this.#end + bytes;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }

  #varint(value: number): void {
    let rest = zigzag(value);
    while (rest > 127) {
      this.#bytes[this.#end++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#end++] = rest;
  }
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest > 127; rest >>>= 7) bytes += 1;
  return bytes;
}
