/**
 * The log over Apache Kafka, for many machines.
 *
 * Guarantees, beside those of every log:
 * - An append resolves when all replicas in sync have it, and writes at most once: it is never sent again after it may
 *   have been written. A caller that tries again after `log_unavailable` may double the record.
 * - Brokers that are away, restart or hand over a partition need no help: appends fail within a bounded time and work
 *   again by themselves, and readers wait and go on at the same offset.
 * - Nothing creates a topic but `createKafkaTopic`; nothing moves a reader to another offset.
 * - Records handed out are views of what was fetched, which is not used again: they stay valid.
 */
import { type AppendCounters, KafkaAppends } from './kafka-appends.ts';
import { BATCH_OVERHEAD_BYTES } from './kafka-batch.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { KafkaError } from './kafka-errors.ts';
import { type FetchCounters, FetchLanes } from './kafka-fetch.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import {
  type Compression,
  type KafkaAccess,
  type KafkaLogLimits,
  readKafkaSettings,
  resolveKafkaLimits,
} from './kafka-options.ts';
import { PartitionReader, topicMissing } from './kafka-reader.ts';
import { describeTopic, type TopicConfig } from './kafka-topic.ts';
import { topicWarnings } from './kafka-topic-check.ts';
import { type AppendResult, type Log, LogError, type LogRecord, type ReadOptions } from './log.ts';

export interface KafkaLogOptions extends KafkaAccess {
  readonly topic: string;
  /** What the topic must have; another count is refused with `log_partitions_changed`. */
  readonly partitions: number;
  /** Of batches on their way to the broker, and at rest. */
  readonly compression?: Compression;
  readonly limits?: Partial<KafkaLogLimits>;
  /** Told of brokers that cannot be reached, once until they are again, and of settings of the topic that are not right. */
  readonly onWarning?: (message: string, cause?: unknown) => void;
}

export type KafkaLogCounters = AppendCounters & FetchCounters;

/** How far someone who processes a partition is behind. */
export interface Lag {
  /** Offsets to go; records at most, because offsets may have gaps. */
  readonly records: number;
  /** How long ago the next record was appended, ms; 0 when there is none. */
  readonly ageMs: number;
}

export interface KafkaLog extends Log {
  readonly counters: Readonly<KafkaLogCounters>;
  /** @throws LogError `log_offset_out_of_range`, `log_unavailable`, `log_partition_unknown`, `log_closed`. */
  lag(partition: number, nextOffset: number): Promise<Lag>;
}

/**
 * Connects to the topic.
 * @throws LogError `log_topic_missing`, `log_partitions_changed`, `log_format_unknown` for a topic whose records could
 * not be read, or `log_unavailable` with the cause. RangeError for options that make no sense.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const limits = resolveKafkaLimits(options.limits);
  const settings = await readKafkaSettings(options);
  const { topic, onWarning } = options;
  const cluster = new KafkaCluster({
    ...{ settings, times: limits, topic },
    ...(onWarning === undefined ? {} : { onWarning }),
  });
  try {
    const config = await checkTopic(cluster, options, limits.requestTimeoutMs);
    return new ConnectedLog(cluster, options, fitted(limits, config));
  } catch (error) {
    cluster.close();
    if (error instanceof LogError) throw error;
    const message = `The topic ${topic} cannot be opened: check KAFKA_BROKERS, the sign-in and the cause`;
    throw new LogError('log_unavailable', message, { cause: error });
  }
}

/** How long a topic may be missing: brokers learn of a new one a moment after it was created, ms. */
const MISSING_MS = 2_000;

async function untilFound(cluster: KafkaCluster): Promise<void> {
  const endsAtMs = Date.now() + MISSING_MS;
  while (cluster.partitions === undefined && Date.now() < endsAtMs) await cluster.recover();
}

async function checkTopic(
  cluster: KafkaCluster,
  { topic, partitions, onWarning }: KafkaLogOptions,
  openTimeoutMs: number,
): Promise<TopicConfig | undefined> {
  await cluster.reach(openTimeoutMs);
  await untilFound(cluster);
  if (cluster.partitions === undefined) throw topicMissing(topic);
  if (cluster.partitions !== partitions) {
    const message =
      `The topic ${topic} has ${cluster.partitions} partitions and cannot be opened with ${partitions}: ` +
      'use its number, or drain it and start a new generation of the topic';
    throw new LogError('log_partitions_changed', message);
  }
  const config = await describeTopic(cluster).catch((error: unknown) => {
    onWarning?.(`The settings of the topic ${topic} cannot be read: they are not checked`, error);
    return undefined;
  });
  if (config === undefined) return undefined;
  const warnings = topicWarnings({ topic, replicas: cluster.replicas, config });
  for (const warning of warnings) onWarning?.(warning);
  return config;
}

/** A batch of one record must fit what the topic takes. */
function fitted(limits: KafkaLogLimits, config: TopicConfig | undefined): KafkaLogLimits {
  const topicBytesMax = Number(config?.get('max.message.bytes') ?? Number.POSITIVE_INFINITY);
  const bytesMax = topicBytesMax - BATCH_OVERHEAD_BYTES;
  return {
    ...limits,
    recordBytesMax: Math.min(limits.recordBytesMax, bytesMax),
    batchBytesMax: Math.min(limits.batchBytesMax, bytesMax),
  };
}

class ConnectedLog implements KafkaLog {
  readonly topic: string;
  readonly partitions: number;
  readonly counters: KafkaLogCounters = {
    appendedRecords: 0,
    appendedBytes: 0,
    overloaded: 0,
    produceRequests: 0,
    retriedBatches: 0,
    failedBatches: 0,
    fetchRequests: 0,
    fetchedBytes: 0,
  };
  readonly #cluster: KafkaCluster;
  readonly #limits: KafkaLogLimits;
  readonly #appends: KafkaAppends;
  readonly #lanes: FetchLanes;
  readonly #offsets: KafkaOffsets;
  readonly #onWarning: KafkaLogOptions['onWarning'];
  readonly #readers = new Set<PartitionReader>();
  #closed: Promise<void> | undefined;

  constructor(cluster: KafkaCluster, options: KafkaLogOptions, limits: KafkaLogLimits) {
    const { counters } = this;
    this.topic = options.topic;
    this.partitions = options.partitions;
    this.#cluster = cluster;
    this.#limits = limits;
    this.#onWarning = options.onWarning;
    const compression = options.compression ?? 'none';
    this.#appends = new KafkaAppends({ cluster, limits, compression, counters });
    this.#lanes = new FetchLanes(cluster, limits, counters);
    this.#offsets = new KafkaOffsets(cluster);
  }

  async append(partition: number, value: Uint8Array): Promise<AppendResult> {
    this.#check(partition);
    const { recordBytesMax } = this.#limits;
    if (value.byteLength > recordBytesMax) {
      const message = `A record has ${value.byteLength} bytes, more than ${recordBytesMax}: split it`;
      throw new LogError('log_record_too_large', message);
    }
    return this.#appends.push(partition, value);
  }

  async *read(partition: number, options: ReadOptions): AsyncGenerator<readonly LogRecord[]> {
    const { fromOffset, signal } = options;
    if (signal?.aborted) return;
    this.#check(partition);
    if (!Number.isSafeInteger(fromOffset) || fromOffset < 0) {
      const message = `${fromOffset} is no offset: give a whole number from 0`;
      throw new LogError('log_offset_out_of_range', message);
    }
    yield* this.#stream(partition, options, this.#limits);
  }

  async *#stream(
    partition: number,
    options: ReadOptions,
    limits: KafkaLogLimits,
  ): AsyncGenerator<readonly LogRecord[]> {
    const { follow, signal } = options;
    const reader = new PartitionReader(partition, options, {
      ...{ cluster: this.#cluster, lanes: this.#lanes, offsets: this.#offsets, limits },
      ...(this.#onWarning === undefined ? {} : { onWarning: this.#onWarning }),
    });
    const stop = () => reader.stop();
    this.#readers.add(reader);
    signal?.addEventListener('abort', stop);
    try {
      yield* reader.batches();
      if (!follow && !signal?.aborted) this.#refuseClosed();
    } finally {
      reader.stop();
      this.#readers.delete(reader);
      signal?.removeEventListener('abort', stop);
    }
  }

  earliest(partition: number): Promise<number> {
    return this.#offset(partition, () => this.#offsets.earliest(partition));
  }

  latest(partition: number): Promise<number> {
    return this.#offset(partition, () => this.#offsets.latest(partition));
  }

  async lag(partition: number, nextOffset: number): Promise<Lag> {
    const latest = await this.latest(partition);
    if (nextOffset >= latest) return { records: 0, ageMs: 0 };
    const options = { fromOffset: nextOffset, follow: false, batchRecordsMax: 1 };
    // One batch is enough, and one is always given.
    const limits = { ...this.#limits, fetchBytesMax: 1 };
    for await (const [next] of this.#stream(partition, options, limits)) {
      const ageMs = next === undefined ? 0 : Math.max(0, Date.now() - next.appendTimeMs);
      return { records: latest - nextOffset, ageMs };
    }
    // What was left were markers, or records that were removed.
    return { records: 0, ageMs: 0 };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const reader of this.#readers) reader.stop();
    await this.#appends.drain();
    this.#cluster.close();
  }

  /** Tries again through a change of leader, but not for ever. */
  async #offset(partition: number, ask: () => Promise<number>): Promise<number> {
    this.#check(partition);
    const endsAtMs = Date.now() + this.#limits.requestTimeoutMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        this.#refuseClosed();
        if (!(error instanceof KafkaError)) throw error;
        if (Date.now() >= endsAtMs) {
          const message = `Kafka does not tell the offsets of partition ${partition}: check the brokers and the cause`;
          throw new LogError('log_unavailable', message, { cause: error });
        }
        await this.#cluster.recover();
      }
    }
  }

  #check(partition: number): void {
    this.#refuseClosed();
    if (Number.isInteger(partition) && partition >= 0 && partition < this.partitions) return;
    const message = `${this.topic} has partitions 0 to ${this.partitions - 1}, not ${partition}`;
    throw new LogError('log_partition_unknown', message);
  }

  #refuseClosed(): void {
    if (this.#closed !== undefined)
      throw new LogError('log_closed', `The log ${this.topic} is closed`);
  }
}
