/**
 * The brokers of a cluster as one topic sees them: who leads which partition, and a connection to each.
 *
 * Guarantees: connections are made when they are needed, shared by all who name the same broker and purpose, and made
 * anew after they failed; leaders are learnt again when asked to, from any broker that answers; nothing waits beyond
 * the limits. Nothing is tried again here but the first contact: who asked knows whether it may be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type KafkaConnection, openConnection } from './kafka-connection.ts';
import { CODE, isSignInRefused, KafkaError, refused } from './kafka-errors.ts';
import type { Apis } from './kafka-library.ts';
import type { KafkaAddress, KafkaSettings, KafkaTimes } from './kafka-options.ts';

/**
 * What a connection is for. A broker takes up the next request of a connection only when the one before is answered,
 * and some of these wait long: for replicas, for new records, for other members of a group.
 */
export type Purpose = 'control' | 'produce' | 'group' | `fetch-${number}`;

export interface KafkaClusterOptions {
  readonly settings: KafkaSettings;
  readonly times: KafkaTimes;
  readonly topic: string;
  /** Told once of each broker that cannot be reached, and not again until it was. */
  readonly onWarning?: (message: string, cause?: unknown) => void;
}

export class KafkaCluster {
  readonly topic: string;
  readonly #options: KafkaClusterOptions;
  readonly #connections = new Map<string, Promise<KafkaConnection>>();
  #nodes = new Map<number, KafkaAddress>();
  /** Leader by partition; -1 while there is none. Undefined when the topic does not exist. */
  #leaders: readonly number[] | undefined;
  #replicas = 0;
  #refreshing: Promise<void> | undefined;
  #turn = 0;
  /** Connections that could not be made when last tried. */
  readonly #failing = new Set<string>();
  #closed = false;

  constructor(options: KafkaClusterOptions) {
    this.topic = options.topic;
    this.#options = options;
  }

  /** Number of partitions when last looked; undefined when the topic does not exist. */
  get partitions(): number | undefined {
    return this.#leaders?.length;
  }

  /** True when every partition had a leader when last looked. */
  get isLed(): boolean {
    return this.#leaders?.every((leader) => leader >= 0) ?? false;
  }

  /** Replicas of the first partition when last looked. */
  get replicas(): number {
    return this.#replicas;
  }

  /** @throws KafkaError while the partition has no known leader. */
  leaderOf(partition: number): number {
    const leader = this.#leaders?.[partition] ?? -1;
    if (leader >= 0) return leader;
    const code =
      this.#leaders === undefined ? CODE.unknownTopicOrPartition : CODE.leaderNotAvailable;
    throw refused(`Partition ${partition} of ${this.topic}`, code);
  }

  leads(nodeId: number, partition: number): boolean {
    return this.#leaders?.[partition] === nodeId;
  }

  /** Learns leaders and addresses. Calls under way are shared. @throws KafkaError when no broker answers. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** The first contact: Kafka may be starting just as this program is. @throws KafkaError of the last attempt. */
  async reach(timeoutMs: number): Promise<void> {
    const endsAtMs = Date.now() + timeoutMs;
    for (;;) {
      try {
        return await this.refresh();
      } catch (error) {
        if (isSignInRefused(error) || Date.now() >= endsAtMs) throw error;
        await delay(this.#options.times.retryMs);
      }
    }
  }

  /**
   * What to do between two attempts: a pause, then look for leaders again, but not long. Failing is left to others.
   * Another broker is asked each time: one that is cut off from its cluster answers, but knows only what was.
   */
  async recover(): Promise<void> {
    const { retryMs, connectTimeoutMs } = this.#options.times;
    this.#turn += 1;
    await delay(retryMs);
    if (this.#closed) return;
    const patience = new AbortController();
    const { signal } = patience;
    const refreshed = this.refresh().catch(() => undefined);
    await Promise.race([
      refreshed,
      delay(connectTimeoutMs, undefined, { signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  /** The connection to a broker for a purpose. @throws KafkaError when it cannot be reached. */
  async connectionTo(nodeId: number, purpose: Purpose): Promise<KafkaConnection> {
    const address = this.#nodes.get(nodeId);
    if (address === undefined) throw unreachable(`Broker ${nodeId} is not known`);
    const connection = await this.#connect(`${nodeId} ${purpose}`, address);
    if (connection.isOpen) return connection;
    throw unreachable(`The connection to broker ${nodeId} was lost`);
  }

  /** Asks brokers, one after the other, until one answers. @throws KafkaError of the last. */
  async askAny<Name extends keyof Apis>(
    name: Name,
    args: Apis[Name]['args'],
    // A broker that is well answers most of these at once.
    timeoutMs = this.#options.times.connectTimeoutMs,
  ): Promise<Apis[Name]['reply']> {
    let failure: unknown;
    for (const [key, address] of this.#candidates()) {
      try {
        const connection = await this.#connect(key, address);
        return await connection.ask(name, args, timeoutMs);
      } catch (error) {
        failure = error;
        // Another begins the next time: one that does not answer must not cost every request its time limit.
        this.#turn += 1;
      }
    }
    throw failure;
  }

  /** Fails what is under way. */
  close(): void {
    this.#closed = true;
    for (const connecting of this.#connections.values()) {
      connecting.then((connection) => connection.close()).catch(() => undefined);
    }
    this.#connections.clear();
  }

  async #refresh(): Promise<void> {
    const { topic } = this;
    const args = { topics: [topic], allowAutoTopicCreation: false } as const;
    const { brokers, topicMetadata } = await this.askAny('Metadata', args);
    this.#nodes = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const found = topicMetadata.find((entry) => entry.topic === topic);
    // Other errors are of a topic in change: its partitions are listed all the same, or will be soon.
    if (found === undefined || found.topicErrorCode === CODE.unknownTopicOrPartition) {
      this.#leaders = undefined;
      return;
    }
    if (found.topicErrorCode !== 0 && found.partitionMetadata.length === 0) {
      throw refused(`The topic ${topic}`, found.topicErrorCode);
    }
    const leaders: number[] = new Array(found.partitionMetadata.length).fill(-1);
    for (const { partitionId, leader } of found.partitionMetadata) leaders[partitionId] = leader;
    this.#leaders = leaders;
    this.#replicas = found.partitionMetadata[0]?.replicas.length ?? 0;
  }

  /**
   * Known brokers first, then those from the options, which are all that is known in the beginning. Those that could
   * not be reached when last tried come last, because each may cost its time limit.
   */
  #candidates(): readonly [string, KafkaAddress][] {
    const nodes = [...this.#nodes].map(([nodeId, address]): [string, KafkaAddress] => [
      `${nodeId} control`,
      address,
    ]);
    const first = nodes.length === 0 ? 0 : this.#turn % nodes.length;
    const { seeds } = this.#options.settings;
    const others = seeds.map((address): [string, KafkaAddress] => [nameOf(address), address]);
    const all = [...nodes.slice(first), ...nodes.slice(0, first), ...others];
    const failing = ([, address]: [string, KafkaAddress]) => this.#failing.has(nameOf(address));
    return [...all.filter((candidate) => !failing(candidate)), ...all.filter(failing)];
  }

  async #connect(key: string, address: KafkaAddress): Promise<KafkaConnection> {
    for (;;) {
      const current = this.#connections.get(key);
      if (current === undefined) return this.#open(key, address);
      const connection = await current;
      const here = nameOf(connection.address) === nameOf(address);
      if (connection.isOpen && here) return connection;
      // The first to see it clears it away; who comes later finds the new one.
      if (this.#connections.get(key) === current) {
        this.#connections.delete(key);
        connection.close();
      }
    }
  }

  #open(key: string, address: KafkaAddress): Promise<KafkaConnection> {
    if (this.#closed) throw unreachable('The log is closed');
    const { settings, times } = this.#options;
    const opening = openConnection(address, settings, times);
    this.#connections.set(key, opening);
    opening.then(
      (connection) => {
        this.#failing.delete(nameOf(address));
        if (this.#closed) connection.close();
      },
      (error) => {
        if (this.#connections.get(key) === opening) this.#connections.delete(key);
        this.#warn(address, error);
      },
    );
    return opening;
  }

  #warn(address: KafkaAddress, error: unknown): void {
    const name = nameOf(address);
    if (this.#failing.has(name) || this.#closed) return;
    this.#failing.add(name);
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onWarning?.(message, error);
  }
}

function nameOf({ host, port }: KafkaAddress): string {
  return `${host}:${port}`;
}

function unreachable(message: string): KafkaError {
  return new KafkaError(message, { mayHaveActed: false });
}
