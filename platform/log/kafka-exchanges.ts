/**
 * The two requests that carry records, encoded and decoded here.
 *
 * kafkajs's own make several objects of each record and give one outcome for a whole request. These leave records as
 * bytes, and give the outcome of each partition. Versions are those of Kafka 2.3; Kafka 4 takes them too.
 */
import type { EncodedRequest, Exchange } from './kafka-library.ts';

const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' };
const FETCH = { apiKey: 1, apiVersion: 11, apiName: 'Fetch' };

/** Wait for all replicas in sync. */
const ACKS_ALL = -1;
/** A consumer, not a replica. */
const NO_REPLICA = -1;
/** Records below the high watermark, whatever becomes of transactions: nothing here writes with one. */
const READ_UNCOMMITTED = 0;

export interface PartitionBatch {
  readonly partition: number;
  /** One whole record batch. */
  readonly bytes: Buffer;
}

export interface ProduceOutcome {
  readonly partition: number;
  readonly errorCode: number;
  /** Offset of the batch's first record; -1 when nothing was written. */
  readonly baseOffset: number;
  /** -1 when the topic keeps the writers' times. */
  readonly logAppendTimeMs: number;
}

export interface PartitionFetch {
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
}

export interface FetchOutcome {
  readonly partition: number;
  readonly errorCode: number;
  /** Record batches, the last perhaps cut off; empty when there is nothing new. */
  readonly records: Buffer;
}

/** kafkajs looks at `clientSideThrottleTime` to hold requests back when the broker's quota asks for it. */
interface Throttled<Outcome> {
  readonly clientSideThrottleTime: number;
  readonly outcomes: readonly Outcome[];
}

export function produceExchange(
  topic: string,
  batches: readonly PartitionBatch[],
  ackTimeoutMs: number,
): Exchange<Throttled<ProduceOutcome>> {
  const name = Buffer.from(topic);
  const head = Buffer.alloc(2 + 2 + 4 + 4 + 2 + name.length + 4);
  let at = head.writeInt16BE(-1, 0);
  at = head.writeInt16BE(ACKS_ALL, at);
  at = head.writeInt32BE(ackTimeoutMs, at);
  at = writeTopic(head, name, at);
  head.writeInt32BE(batches.length, at);
  const parts: Buffer[] = [head];
  for (const { partition, bytes } of batches) {
    const entry = Buffer.alloc(8);
    entry.writeInt32BE(partition, 0);
    entry.writeInt32BE(bytes.length, 4);
    parts.push(entry, bytes);
  }
  return {
    request: { ...PRODUCE, encode: async () => encoded(Buffer.concat(parts)) },
    response: { decode: decodeProduced, parse: async (reply) => reply },
  };
}

/** One topic in an array of topics. Gives the position after it. */
function writeTopic(bytes: Buffer, name: Buffer, from: number): number {
  let at = bytes.writeInt32BE(1, from);
  at = bytes.writeInt16BE(name.length, at);
  return at + name.copy(bytes, at);
}

function encoded(bytes: Buffer): EncodedRequest {
  return { buf: bytes, buffer: bytes };
}

async function decodeProduced(raw: Buffer): Promise<Throttled<ProduceOutcome>> {
  const reader = new ReplyReader(raw);
  const outcomes: ProduceOutcome[] = [];
  reader.topicPartitions(() => {
    outcomes.push({
      partition: reader.int32(),
      errorCode: reader.int16(),
      baseOffset: reader.int64(),
      logAppendTimeMs: reader.int64(),
    });
    // Where the partition begins.
    reader.int64();
  });
  return { clientSideThrottleTime: reader.int32(), outcomes };
}

export function fetchExchange(
  topic: string,
  fetches: readonly PartitionFetch[],
  limits: { readonly waitMs: number; readonly bytesMax: number },
): Exchange<Throttled<FetchOutcome>> {
  return {
    request: { ...FETCH, encode: async () => encoded(encodeFetch(topic, fetches, limits)) },
    response: { decode: decodeFetched, parse: async (reply) => reply },
  };
}

function encodeFetch(
  topic: string,
  fetches: readonly PartitionFetch[],
  limits: { readonly waitMs: number; readonly bytesMax: number },
): Buffer {
  const name = Buffer.from(topic);
  const bytes = Buffer.alloc(
    4 * 3 + 4 + 1 + 4 + 4 + 4 + 2 + name.length + 4 + 28 * fetches.length + 6,
  );
  let at = bytes.writeInt32BE(NO_REPLICA, 0);
  at = bytes.writeInt32BE(limits.waitMs, at);
  // An answer as soon as there is anything.
  at = bytes.writeInt32BE(1, at);
  at = bytes.writeInt32BE(limits.bytesMax, at);
  at = bytes.writeInt8(READ_UNCOMMITTED, at);
  // No fetch session: each request says all it wants.
  at = bytes.writeInt32BE(0, at);
  at = bytes.writeInt32BE(-1, at);
  at = writeTopic(bytes, name, at);
  at = bytes.writeInt32BE(fetches.length, at);
  for (const { partition, offset, bytesMax } of fetches) {
    at = bytes.writeInt32BE(partition, at);
    // Any leader epoch will do.
    at = bytes.writeInt32BE(-1, at);
    at = bytes.writeBigInt64BE(BigInt(offset), at);
    at = bytes.writeBigInt64BE(-1n, at);
    at = bytes.writeInt32BE(bytesMax, at);
  }
  // No topics forgotten from a session, and an empty rack.
  return bytes;
}

async function decodeFetched(raw: Buffer): Promise<Throttled<FetchOutcome>> {
  const reader = new ReplyReader(raw);
  const clientSideThrottleTime = reader.int32();
  const requestCode = reader.int16();
  reader.int32();
  const outcomes: FetchOutcome[] = [];
  reader.topicPartitions(() => {
    const partition = reader.int32();
    const errorCode = reader.int16() || requestCode;
    // High watermark, last stable offset, start of the partition.
    reader.skip(3 * 8);
    reader.skip(Math.max(0, reader.int32()) * 16);
    reader.int32();
    outcomes.push({ partition, errorCode, records: reader.bytes() });
  });
  return { clientSideThrottleTime, outcomes };
}

/** Reads an answer from its first byte on. */
class ReplyReader {
  readonly #raw: Buffer;
  #at = 0;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  int16(): number {
    this.#at += 2;
    return this.#raw.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#raw.readInt32BE(this.#at - 4);
  }

  int64(): number {
    const high = this.int32();
    this.#at += 4;
    return high * 2 ** 32 + this.#raw.readUInt32BE(this.#at - 4);
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    this.#at += length;
    return this.#raw.subarray(this.#at - length, this.#at);
  }

  /** Calls for each partition of each topic; there is only one topic. */
  topicPartitions(readPartition: () => void): void {
    for (let topics = this.int32(); topics > 0; topics -= 1) {
      this.skip(this.int16());
      for (let partitions = this.int32(); partitions > 0; partitions -= 1) readPartition();
    }
  }
}
