/**
 * Layout of a record batch, version 2, which every Kafka since 0.11 writes and Kafka 4 is the only one to read.
 *
 * A batch is a header of fixed size and then its records, compressed as a whole or not. Numbers in the header are
 * big-endian; those in records are zigzag varints.
 */

/** Where the fields of the header are. */
export const BATCH = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

/** `length` counts what comes after it. */
export const LENGTH_COUNTS_FROM = BATCH.leaderEpoch;
export const MAGIC = 2;

export const CODEC_MASK = 0x07;
export const CODEC = { none: 0, gzip: 1 } as const;
/** The broker set the time: all records have the header's `maxTimestamp`. */
export const LOG_APPEND_TIME = 0x08;
/** A marker of a transaction, not a record of anyone. */
export const CONTROL = 0x20;

/** Most bytes that a batch of one record has beyond the record's own. */
export const BATCH_OVERHEAD_BYTES = 80;
