/**
 * Group commit: appends gather for a few milliseconds into one batch for each partition.
 *
 * Guarantees: of a partition one batch is under way at a time, in the order of the calls, so that trying again cannot
 * change their order; a batch is tried again only while it is certain that it was not written, so that an append never
 * writes twice; each promise settles once, at the latest `appendTimeoutMs` and the time of one connection and one request
 * after its call; what waits and what is under way never holds more than the limits.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchWriter } from './kafka-batch-writer.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { CODE, KafkaError } from './kafka-errors.ts';
import type { ProduceOutcome } from './kafka-exchanges.ts';
import type { Compression, KafkaLogLimits } from './kafka-options.ts';
import { ProduceLanes } from './kafka-produce.ts';
import { type AppendResult, LogError } from './log.ts';

/** Since the log was opened. Bytes are those of the records themselves. */
export interface AppendCounters {
  appendedRecords: number;
  appendedBytes: number;
  /** Appends refused because the queue was full. */
  overloaded: number;
  produceRequests: number;
  /** Batches refused by the broker and sent again. */
  retriedBatches: number;
  /** Batches given up: never written, or nobody knows. */
  failedBatches: number;
}

export interface AppendDeps {
  readonly cluster: KafkaCluster;
  readonly limits: KafkaLogLimits;
  readonly compression: Compression;
  readonly counters: AppendCounters;
}

interface Waiting {
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
}

/** A batch and who waits for it. */
interface GatheredBatch {
  readonly writer: BatchWriter;
  readonly waiting: Waiting[];
  readonly startedAtMs: number;
  bytes: number;
}

export class KafkaAppends {
  readonly #deps: AppendDeps;
  readonly #lanes: ProduceLanes;
  /** Batches by partition, in order; the last one still grows. */
  readonly #batches: GatheredBatch[][] = [];
  readonly #loops = new Map<number, Promise<void>>();
  readonly #gather: Gather;
  #records = 0;
  #bytes = 0;

  constructor(deps: AppendDeps) {
    this.#deps = deps;
    this.#lanes = new ProduceLanes(deps.cluster, deps.limits, deps.counters);
    this.#gather = new Gather(deps.limits.gatherMs);
  }

  /** Queues a copy of the record. Rejects with `log_overloaded` when there is no room. */
  push(partition: number, value: Uint8Array): Promise<AppendResult> {
    const { limits, counters } = this.#deps;
    const full =
      this.#records >= limits.queueRecordsMax ||
      this.#bytes + value.byteLength > limits.queueBytesMax;
    if (full) {
      counters.overloaded += 1;
      return Promise.reject(this.#overloaded());
    }
    this.#records += 1;
    this.#bytes += value.byteLength;
    const batch = this.#openBatch(partition, value.byteLength);
    batch.writer.add(value);
    batch.bytes += value.byteLength;
    return new Promise((resolve, reject) => {
      batch.waiting.push({ resolve, reject });
      if (!this.#loops.has(partition)) this.#loops.set(partition, this.#run(partition));
    });
  }

  /** Resolves when everything queued has settled. Does not wait for company. */
  async drain(): Promise<void> {
    this.#gather.end();
    await Promise.all(this.#loops.values());
  }

  #openBatch(partition: number, valueBytes: number): GatheredBatch {
    this.#batches[partition] ??= [];
    const batches = this.#batches[partition];
    const last = batches.at(-1);
    if (last?.writer.fits(valueBytes, this.#deps.limits.batchBytesMax)) return last;
    const batch = { writer: new BatchWriter(), waiting: [], startedAtMs: Date.now(), bytes: 0 };
    batches.push(batch);
    return batch;
  }

  async #run(partition: number): Promise<void> {
    const batches = this.#batches[partition] ?? [];
    while (batches.length > 0) {
      // A full batch, with another behind it, waits for nobody.
      if (batches.length === 1) await this.#gather.wait();
      const batch = batches.shift();
      if (batch !== undefined) await this.#commit(partition, batch);
      // Callers answered just now come back within this turn.
      await nextTurn();
    }
    this.#loops.delete(partition);
  }

  async #commit(partition: number, batch: GatheredBatch): Promise<void> {
    const { counters, compression } = this.#deps;
    const nowMs = Date.now();
    try {
      const bytes = await batch.writer.finish(compression, nowMs);
      const outcome = await this.#deliver(partition, bytes, batch.startedAtMs);
      this.#leave(batch);
      counters.appendedRecords += batch.waiting.length;
      counters.appendedBytes += batch.bytes;
      const appendTimeMs = outcome.logAppendTimeMs >= 0 ? outcome.logAppendTimeMs : nowMs;
      for (const [index, { resolve }] of batch.waiting.entries()) {
        resolve({ offset: outcome.baseOffset + index, appendTimeMs });
      }
    } catch (error) {
      counters.failedBatches += 1;
      this.#leave(batch);
      const failure = failureOf(error, batch.waiting.length);
      for (const { reject } of batch.waiting) reject(failure);
      // The next batch must not go where this one was lost, only because nobody asked who leads now.
      if (error instanceof KafkaError && error.mayHaveActed) await this.#deps.cluster.recover();
    }
  }

  /** Sends until the batch is written, or may be, or its time is over. */
  async #deliver(partition: number, bytes: Buffer, startedAtMs: number): Promise<ProduceOutcome> {
    const { cluster, counters, limits } = this.#deps;
    const endsAtMs = startedAtMs + limits.appendTimeoutMs;
    let failure: unknown;
    // Batches that waited behind one that failed must not each take its time again.
    while (Date.now() < endsAtMs) {
      try {
        return await this.#lanes.send({ partition, bytes });
      } catch (error) {
        if (!mayTryAgain(error)) throw error;
        failure = error;
        counters.retriedBatches += 1;
        await cluster.recover();
      }
    }
    throw failure ?? new KafkaError('Its turn did not come in time', { mayHaveActed: false });
  }

  /** Room is made before callers are answered, so that their next append finds it. */
  #leave(batch: GatheredBatch): void {
    this.#records -= batch.waiting.length;
    this.#bytes -= batch.bytes;
  }

  #overloaded(): LogError {
    const { queueRecordsMax, queueBytesMax } = this.#deps.limits;
    const message =
      `The log's queue is full (${this.#records} of ${queueRecordsMax} records, ` +
      `${this.#bytes} of ${queueBytesMax} bytes): try again later`;
    return new LogError('log_overloaded', message);
  }
}

/** One wait that all partitions share, so that their batches are ready together and go in few requests. */
class Gather {
  readonly #gatherMs: number;
  #current: Promise<void> | undefined;
  #finish: (() => void) | undefined;
  #ended = false;

  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs;
  }

  wait(): Promise<void> {
    if (this.#ended || this.#gatherMs === 0) return nextTurn();
    this.#current ??= new Promise((resolve) => {
      const timer = setTimeout(() => this.#finish?.(), this.#gatherMs);
      this.#finish = () => {
        clearTimeout(timer);
        this.#current = undefined;
        this.#finish = undefined;
        resolve();
      };
    });
    return this.#current;
  }

  /** Ends the wait under way and every later one. */
  end(): void {
    this.#ended = true;
    this.#finish?.();
  }
}

const FINAL: readonly (number | undefined)[] = [
  CODE.messageTooLarge,
  CODE.recordListTooLarge,
  CODE.topicAuthorizationFailed,
  CODE.clusterAuthorizationFailed,
];

function mayTryAgain(error: unknown): boolean {
  return error instanceof KafkaError && !error.mayHaveActed && !FINAL.includes(error.code);
}

function failureOf(error: unknown, records: number): LogError {
  const kafka = error instanceof KafkaError ? error : undefined;
  const tooLarge = kafka?.code === CODE.messageTooLarge || kafka?.code === CODE.recordListTooLarge;
  if (tooLarge && records === 1) {
    const message =
      "A record is larger than the topic's max.message.bytes: split it, or raise that";
    return new LogError('log_record_too_large', message, { cause: error });
  }
  const known = kafka?.mayHaveActed === false ? 'not written' : 'perhaps written';
  const message = `Kafka did not acknowledge a batch, which was ${known}: check the brokers and the cause`;
  return new LogError('log_unavailable', message, { cause: error });
}
