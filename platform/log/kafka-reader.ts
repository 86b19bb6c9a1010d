/**
 * Reads one partition from an offset on, through whatever becomes of the brokers.
 *
 * Guarantees: records come from exactly that offset on, each once, in order; the next fetch is under way while a batch
 * is worked on, and no more than that, so that a slow reader holds little and stops the flow; lost brokers and new
 * leaders are waited for, at the same offset; an offset that the log does not have is an error, never a jump; a reader
 * that is stopped ends at once, whatever it waits for.
 */
import { ChunkReader, offsetAfter } from './kafka-batch-reader.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { CODE, KafkaError } from './kafka-errors.ts';
import type { FetchLanes, FetchReader } from './kafka-fetch.ts';
import type { KafkaOffsets } from './kafka-offsets.ts';
import type { KafkaLogLimits } from './kafka-options.ts';
import { LogError, type LogRecord, type ReadOptions } from './log.ts';

export interface ReaderDeps {
  readonly cluster: KafkaCluster;
  readonly lanes: FetchLanes;
  readonly offsets: KafkaOffsets;
  readonly limits: KafkaLogLimits;
  /** Told once of a partition that a following reader waits for in vain, until it can be read again. */
  readonly onWarning?: (message: string, cause?: unknown) => void;
}

/** What one fetch brought, from the offset it was wanted from. */
interface Chunk {
  readonly records: Buffer;
  readonly fromOffset: number;
  readonly nextOffset: number;
}

export class PartitionReader {
  readonly #deps: ReaderDeps;
  readonly #partition: number;
  readonly #options: ReadOptions;
  readonly #place: FetchReader;
  #stopped = false;
  #warned = false;
  /** Ends what is waited for now. */
  #wake: (() => void) | undefined;

  constructor(partition: number, options: ReadOptions, deps: ReaderDeps) {
    this.#deps = deps;
    this.#partition = partition;
    this.#options = options;
    this.#place = deps.lanes.reader(partition);
  }

  /** Ends the stream at the next turn. */
  stop(): void {
    this.#stopped = true;
    this.#place.close();
    this.#wake?.();
  }

  async *batches(): AsyncGenerator<readonly LogRecord[]> {
    const { fromOffset, follow } = this.#options;
    const latest = await this.#tried(() => this.#latestIfWithin(fromOffset));
    if (latest === undefined) return;
    const endOffset = follow ? Number.POSITIVE_INFINITY : latest;
    let upcoming = this.#next(fromOffset, endOffset);
    for (;;) {
      const chunk = await upcoming;
      if (chunk === undefined) return;
      upcoming = this.#next(chunk.nextOffset, endOffset);
      // Its error comes when its turn comes, and not at all when the reader leaves before.
      upcoming.catch(() => undefined);
      yield* this.#recordsOf(chunk);
    }
  }

  async *#recordsOf({ records, fromOffset }: Chunk): AsyncGenerator<readonly LogRecord[]> {
    const { cluster, limits } = this.#deps;
    const { batchRecordsMax, inflatedBytesMax } = limits;
    const where = `partition ${this.#partition} of ${cluster.topic}`;
    const reader = new ChunkReader(records, fromOffset, { where, inflatedBytesMax });
    const wanted = this.#options.batchRecordsMax ?? batchRecordsMax;
    const most = Math.max(1, Math.min(wanted, batchRecordsMax));
    while (!this.#stopped) {
      const batch = await reader.take(most);
      if (batch.length === 0) return;
      yield batch;
    }
  }

  /** Waits for records from an offset on. Undefined at the end, or when it was stopped. */
  async #next(fromOffset: number, endOffset: number): Promise<Chunk | undefined> {
    if (fromOffset >= endOffset) return undefined;
    const { fetchBytesMax } = this.#deps.limits;
    for (;;) {
      const records = await this.#tried(
        () => this.#place.fetch(fromOffset, fetchBytesMax),
        fromOffset,
      );
      if (records === undefined) return undefined;
      const nextOffset = offsetAfter(records);
      if (nextOffset !== undefined) return { records, fromOffset, nextOffset };
      if (records.length > 0) throw this.#noBatch(fromOffset);
    }
  }

  /** A broker gives one whole batch at least, or nothing: asked again it would give the same for ever. */
  #noBatch(fromOffset: number): LogError {
    const message =
      `Partition ${this.#partition} of ${this.#deps.cluster.topic} has no whole batch at offset ${fromOffset}: ` +
      'its bytes are damaged, or older than Kafka 0.11';
    return new LogError('log_format_unknown', message);
  }

  /** Tries until it succeeds, or can never. Undefined when it was stopped. */
  async #tried<T>(attempt: () => Promise<T>, fromOffset?: number): Promise<T | undefined> {
    let failingSinceMs: number | undefined;
    while (!this.#stopped) {
      const triedAtMs = Date.now();
      try {
        const result = await this.#unlessStopped(attempt());
        this.#warned = false;
        return result;
      } catch (error) {
        // A wait for news may have gone well for long before it failed.
        if (Date.now() - triedAtMs > this.#deps.limits.readTimeoutMs) failingSinceMs = undefined;
        failingSinceMs ??= Date.now();
        await this.#consider(error, failingSinceMs, fromOffset);
      }
    }
    return undefined;
  }

  /** Undefined, at once, when it is stopped meanwhile. One reader waits for one thing at a time. */
  #unlessStopped<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      work.then(resolve, reject);
    });
  }

  /** Returns when another attempt makes sense. */
  async #consider(error: unknown, failingSinceMs: number, fromOffset?: number): Promise<void> {
    if (!(error instanceof KafkaError)) throw error;
    const { cluster, limits } = this.#deps;
    const over = Date.now() - failingSinceMs >= limits.readTimeoutMs;
    const missing = cluster.partitions === undefined && error.code === CODE.unknownTopicOrPartition;
    if (over && missing) throw topicMissing(cluster.topic, error);
    if (error.code === CODE.topicAuthorizationFailed || (over && !this.#options.follow)) {
      const message = `Partition ${this.#partition} cannot be read: check the brokers and the cause`;
      throw new LogError('log_unavailable', message, { cause: error });
    }
    if (over) this.#warn(error);
    if (error.code === CODE.offsetOutOfRange && fromOffset !== undefined) {
      // A new leader may not know yet how far it may show its records: ask before giving up.
      const asked = this.#latestIfWithin(fromOffset).catch((reason) => {
        if (reason instanceof LogError) throw reason;
      });
      await this.#unlessStopped(asked);
    }
    if (!this.#stopped) await this.#unlessStopped(cluster.recover());
  }

  #warn(cause: KafkaError): void {
    if (this.#warned) return;
    this.#warned = true;
    const { cluster, limits, onWarning } = this.#deps;
    const message = `Partition ${this.#partition} of ${cluster.topic} could not be read for ${limits.readTimeoutMs} ms`;
    onWarning?.(`${message}: its reader waits for the brokers, see the cause`, cause);
  }

  /** The partition's end. @throws LogError `log_offset_out_of_range`. */
  async #latestIfWithin(offset: number): Promise<number> {
    const { offsets, cluster } = this.#deps;
    const [earliest, latest] = await offsets.range(this.#partition);
    if (offset >= earliest && offset <= latest) return latest;
    const message =
      `Partition ${this.#partition} of ${cluster.topic} has no offset ${offset}, ` +
      `only ${earliest} to ${latest}: what is before was removed, what is after is not there yet`;
    throw new LogError('log_offset_out_of_range', message);
  }
}

export function topicMissing(topic: string, cause?: unknown): LogError {
  const message = `Kafka has no topic ${topic}: create it with "streamgauge topics"`;
  return new LogError('log_topic_missing', message, { cause });
}
