/**
 * Where partitions begin and end, as their leaders say.
 *
 * A new leader answers only once it knows how far its records are durable, so that the end is never before a record
 * that was acknowledged.
 */
import type { KafkaCluster } from './kafka-cluster.ts';
import { KafkaError, refused } from './kafka-errors.ts';

/** Kafka's special times that stand for a partition's ends. */
const EARLIEST = -2;
const LATEST = -1;
/** Records below the high watermark. */
const READ_UNCOMMITTED = 0;

export class KafkaOffsets {
  readonly #cluster: KafkaCluster;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
  }

  /** Offset of the oldest record, and of the next. One attempt. @throws KafkaError. */
  range(partition: number): Promise<readonly [number, number]> {
    return Promise.all([this.#ask(partition, EARLIEST), this.#ask(partition, LATEST)]);
  }

  async earliest(partition: number): Promise<number> {
    return this.#ask(partition, EARLIEST);
  }

  async latest(partition: number): Promise<number> {
    return this.#ask(partition, LATEST);
  }

  async #ask(partition: number, timestamp: number): Promise<number> {
    const { topic } = this.#cluster;
    const leader = this.#cluster.leaderOf(partition);
    const connection = await this.#cluster.connectionTo(leader, 'control');
    const topics = [{ topic, partitions: [{ partition, timestamp }] }];
    const { responses } = await connection.ask('ListOffsets', {
      isolationLevel: READ_UNCOMMITTED,
      topics,
    });
    const answer = responses[0]?.partitions[0];
    if (answer === undefined) {
      throw new KafkaError(`The broker said nothing of partition ${partition}`, {
        mayHaveActed: false,
      });
    }
    if (answer.errorCode !== 0) {
      throw refused(`The offsets of partition ${partition} of ${topic}`, answer.errorCode);
    }
    return Number(answer.offset);
  }
}
