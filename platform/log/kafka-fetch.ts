/**
 * Fetch requests: what many readers want of one broker goes in one request, which the broker holds until there is
 * something for one of them.
 *
 * Guarantees: a request names a partition once; a reader that was served goes to the end of the next request, so that
 * none starves; what a reader does not want, because it is busy, is not fetched; a failed request fails the wants in
 * it, and each reader decides for itself.
 *
 * A lane is one connection to one broker. Readers of the same partition take different lanes, because the answer to a
 * partition asked for twice in one request is not defined, and one must not wait while the other waits for news.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KafkaCluster } from './kafka-cluster.ts';
import { refused } from './kafka-errors.ts';
import { type FetchOutcome, fetchExchange } from './kafka-exchanges.ts';

export interface FetchLimits {
  readonly fetchWaitMs: number;
  readonly busyFetchWaitMs: number;
  readonly requestTimeoutMs: number;
}

export interface FetchCounters {
  fetchRequests: number;
  fetchedBytes: number;
}

/** Of one answer, over all partitions: the most that is asked of a broker's memory and of this process's at once. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** What a reader waits for: whatever comes after an offset. */
interface Want {
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
  resolve(records: Buffer): void;
  reject(error: unknown): void;
}

interface Lane {
  readonly nodeId: number;
  readonly number: number;
  /** By partition. Those served leave, and come back at the end. */
  readonly wants: Map<number, Want>;
  running: boolean;
}

export class FetchLanes {
  readonly #cluster: KafkaCluster;
  readonly #limits: FetchLimits;
  readonly #counters: FetchCounters;
  readonly #lanes = new Map<string, Lane>();
  /** Lane numbers in use by readers, by partition. */
  readonly #taken = new Map<number, Set<number>>();

  constructor(cluster: KafkaCluster, limits: FetchLimits, counters: FetchCounters) {
    this.#cluster = cluster;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** A place for one reader of a partition. It must be closed. */
  reader(partition: number): FetchReader {
    const taken = this.#taken.get(partition) ?? new Set<number>();
    this.#taken.set(partition, taken);
    let number = 0;
    while (taken.has(number)) number += 1;
    taken.add(number);
    return new FetchReader(this, partition, number);
  }

  /** For `FetchReader` only. */
  leave(partition: number, number: number): void {
    this.#taken.get(partition)?.delete(number);
  }

  /** For `FetchReader` only. */
  want(number: number, want: Want): Lane {
    const lane = this.#laneTo(this.#cluster.leaderOf(want.partition), number);
    lane.wants.set(want.partition, want);
    if (!lane.running) this.#run(lane).catch(want.reject);
    return lane;
  }

  #laneTo(nodeId: number, number: number): Lane {
    const key = `${nodeId} ${number}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane = { nodeId, number, wants: new Map<number, Want>(), running: false };
    this.#lanes.set(key, lane);
    return lane;
  }

  async #run(lane: Lane): Promise<void> {
    lane.running = true;
    // Readers that come back within this turn go into the same request.
    await nextTurn();
    while (lane.wants.size > 0) {
      const wants = [...lane.wants.values()];
      try {
        await this.#request(lane, wants);
      } catch (error) {
        for (const want of wants) take(lane, want)?.reject(error);
      }
      await nextTurn();
    }
    lane.running = false;
  }

  async #request(lane: Lane, wants: readonly Want[]): Promise<void> {
    const connection = await this.#cluster.connectionTo(lane.nodeId, `fetch-${lane.number}`);
    const { fetchWaitMs, busyFetchWaitMs, requestTimeoutMs } = this.#limits;
    const waitMs = wants.length < this.#readersOf(lane) ? busyFetchWaitMs : fetchWaitMs;
    const limits = { waitMs, bytesMax: ANSWER_BYTES_MAX };
    this.#counters.fetchRequests += 1;
    const { outcomes } = await connection.exchange(
      fetchExchange(this.#cluster.topic, wants, limits),
      requestTimeoutMs + waitMs,
    );
    const asked = new Map(wants.map((want) => [want.partition, want]));
    for (const outcome of outcomes) {
      const want = asked.get(outcome.partition);
      if (want !== undefined) this.#serve(lane, want, outcome);
    }
  }

  /** Readers with a place on this lane, those included that want nothing now. */
  #readersOf(lane: Lane): number {
    let readers = 0;
    for (const [partition, taken] of this.#taken) {
      if (taken.has(lane.number) && this.#cluster.leads(lane.nodeId, partition)) readers += 1;
    }
    return readers;
  }

  #serve(lane: Lane, want: Want, { errorCode, records }: FetchOutcome): void {
    if (errorCode === 0 && records.length === 0) return;
    const taken = take(lane, want);
    if (errorCode !== 0) {
      const what = `Partition ${want.partition} of ${this.#cluster.topic} cannot be read`;
      taken?.reject(refused(what, errorCode));
      return;
    }
    this.#counters.fetchedBytes += records.length;
    // A copy: one slow reader would keep the whole answer, with the records of all the others, in memory.
    taken?.resolve(Buffer.from(records));
  }
}

/** Takes a want out, unless it was taken back, or replaced, while the request was under way. */
function take(lane: Lane, want: Want): Want | undefined {
  if (lane.wants.get(want.partition) !== want) return undefined;
  lane.wants.delete(want.partition);
  return want;
}

/** One reader's place: it wants one thing at a time. */
export class FetchReader {
  readonly #lanes: FetchLanes;
  readonly #partition: number;
  readonly #number: number;
  #takeBack: (() => void) | undefined;
  #closed = false;

  constructor(lanes: FetchLanes, partition: number, number: number) {
    this.#lanes = lanes;
    this.#partition = partition;
    this.#number = number;
  }

  /**
   * Waits for records from an offset on, however long. Undefined when it was closed. The first batch may begin before
   * the offset, the last may be cut off.
   * @throws KafkaError.
   */
  fetch(offset: number, bytesMax: number): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return resolve(undefined);
      const want = { partition: this.#partition, offset, bytesMax, resolve, reject };
      const lane = this.#lanes.want(this.#number, want);
      this.#takeBack = () => {
        if (take(lane, want) !== undefined) resolve(undefined);
      };
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#takeBack?.();
    this.#lanes.leave(this.#partition, this.#number);
  }
}
