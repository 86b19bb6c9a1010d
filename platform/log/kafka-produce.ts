/**
 * Produce requests: batches of many partitions that one broker leads go in one request, one request at a time.
 *
 * Guarantees: a batch is sent at most once; its outcome is its own, whatever becomes of the others in the request; an
 * error says whether the batch may have been written all the same.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KafkaCluster } from './kafka-cluster.ts';
import { CODE, KafkaError, refused } from './kafka-errors.ts';
import { type PartitionBatch, type ProduceOutcome, produceExchange } from './kafka-exchanges.ts';

/** Of the time a request may take, what the broker may wait for its replicas: its answer must still arrive in time. */
const ACK_SHARE = 0.8;

interface Submitted extends PartitionBatch {
  resolve(outcome: ProduceOutcome): void;
  reject(error: unknown): void;
}

export interface ProduceLimits {
  readonly requestBytesMax: number;
  readonly requestTimeoutMs: number;
}

/** All that is on its way to one broker. */
interface Lane {
  readonly nodeId: number;
  readonly waiting: Submitted[];
  sending: boolean;
}

export class ProduceLanes {
  readonly #cluster: KafkaCluster;
  readonly #limits: ProduceLimits;
  readonly #counters: { produceRequests: number };
  readonly #lanes = new Map<number, Lane>();

  constructor(cluster: KafkaCluster, limits: ProduceLimits, counters: { produceRequests: number }) {
    this.#cluster = cluster;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Sends a batch to the partition's leader. @throws KafkaError when it was refused, or its outcome is unknown. */
  async send(batch: PartitionBatch): Promise<ProduceOutcome> {
    const lane = this.#laneTo(this.#cluster.leaderOf(batch.partition));
    const outcome = await new Promise<ProduceOutcome>((resolve, reject) => {
      lane.waiting.push({ ...batch, resolve, reject });
      if (!lane.sending) this.#run(lane).catch(reject);
    });
    if (outcome.errorCode === 0) return outcome;
    throw outcomeError(outcome, this.#cluster.topic);
  }

  #laneTo(nodeId: number): Lane {
    const known = this.#lanes.get(nodeId);
    if (known !== undefined) return known;
    const lane = { nodeId, waiting: [], sending: false };
    this.#lanes.set(nodeId, lane);
    return lane;
  }

  async #run(lane: Lane): Promise<void> {
    lane.sending = true;
    // Partitions whose waits end together go together.
    await nextTurn();
    while (lane.waiting.length > 0) {
      await this.#request(lane, this.#take(lane.waiting));
      await nextTurn();
    }
    lane.sending = false;
  }

  #take(waiting: Submitted[]): Submitted[] {
    let bytes = 0;
    let count = 0;
    for (const batch of waiting) {
      bytes += batch.bytes.length;
      if (count > 0 && bytes > this.#limits.requestBytesMax) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  /** Settles every batch. */
  async #request(lane: Lane, batches: readonly Submitted[]): Promise<void> {
    try {
      const connection = await this.#cluster.connectionTo(lane.nodeId, 'produce');
      const ackTimeoutMs = Math.round(this.#limits.requestTimeoutMs * ACK_SHARE);
      this.#counters.produceRequests += 1;
      const { outcomes } = await connection.exchange(
        produceExchange(this.#cluster.topic, batches, ackTimeoutMs),
      );
      const byPartition = new Map(outcomes.map((outcome) => [outcome.partition, outcome]));
      for (const batch of batches) settle(batch, byPartition.get(batch.partition));
    } catch (error) {
      for (const batch of batches) batch.reject(error);
      // Those behind have not been sent. They look for the leader again, and at how long they have waited.
      const unsent = new KafkaError('The broker was lost', { mayHaveActed: false, cause: error });
      for (const batch of lane.waiting.splice(0)) batch.reject(unsent);
    }
  }
}

function settle(batch: Submitted, outcome: ProduceOutcome | undefined): void {
  const message = `The broker said nothing of partition ${batch.partition}`;
  if (outcome === undefined) batch.reject(new KafkaError(message, { mayHaveActed: true }));
  else batch.resolve(outcome);
}

/** Codes of a leader that has not taken the batch. */
const REFUSALS: readonly number[] = [
  CODE.corruptMessage,
  CODE.unknownTopicOrPartition,
  CODE.leaderNotAvailable,
  CODE.notLeader,
  CODE.messageTooLarge,
  CODE.recordListTooLarge,
  CODE.notEnoughReplicas,
  CODE.topicAuthorizationFailed,
  CODE.clusterAuthorizationFailed,
  CODE.fencedLeaderEpoch,
  CODE.unknownLeaderEpoch,
];

/**
 * A leader that steps down while a batch waits for its replicas answers `not leader` too, although it has written the
 * batch; then it gives the offset that it has written at.
 */
function outcomeError(outcome: ProduceOutcome, topic: string): KafkaError {
  const { errorCode, baseOffset, partition } = outcome;
  const what = `Partition ${partition} of ${topic} did not take a batch`;
  const error = refused(what, errorCode);
  if (REFUSALS.includes(errorCode) && baseOffset < 0) return error;
  return new KafkaError(error.message, { code: errorCode, mayHaveActed: true });
}
