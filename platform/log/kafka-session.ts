/**
 * One member's talk with the broker that looks after its group: joining, being heard, leaving.
 *
 * Guarantee: it keeps the member's name and round, finds the broker again when the group has moved, and throws
 * Kafka's code for whatever the group answers; what follows from that is for who called.
 */
import { assignPartitions, type MemberClaim } from './kafka-assignment.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { CODE, KafkaError, refused } from './kafka-errors.ts';
import {
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeClaim,
  GROUP_PROTOCOL,
} from './kafka-group-codec.ts';
import type { Apis } from './kafka-library.ts';

export interface SessionOptions {
  readonly groupId: string;
  readonly topic: string;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

type Joined = Apis['JoinGroup']['reply'];

export class GroupSession {
  /** When something was sent that the group has answered as to one of its members, ms since 1970. */
  lastContactMs = 0;
  readonly #cluster: KafkaCluster;
  readonly #options: SessionOptions;
  #memberId = '';
  #generation = -1;
  #coordinator: number | undefined;
  /** Set while an answer is waited for that comes only when all members have joined. */
  #waiting: KafkaConnection | undefined;
  #interrupted = false;

  constructor(cluster: KafkaCluster, options: SessionOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** True between rounds, when heartbeats are due. */
  get isSettled(): boolean {
    return this.#generation >= 0 && this.#waiting === undefined;
  }

  /** One round of the group, told what this member has. Gives what it is to have. @throws KafkaError. */
  async round(owned: readonly number[]): Promise<readonly number[]> {
    try {
      this.#waiting = await this.#connection();
      if (this.#interrupted) throw new KafkaError('Leaving the group', { mayHaveActed: false });
      const { generationId, memberId, leaderId, members } = await this.#join(this.#waiting, owned);
      const groupAssignment = leaderId === memberId ? this.#assign(members) : [];
      // Before it is sent: this process may be stopped for a while before it reads the answer.
      const sentAtMs = Date.now();
      const place = { groupId: this.#options.groupId, generationId, memberId };
      const args = { ...place, groupAssignment };
      const synced = await this.#waiting.ask('SyncGroup', args, this.#patienceMs());
      this.#check(synced.errorCode);
      this.#generation = generationId;
      this.lastContactMs = sentAtMs;
      return decodeAssignment(synced.memberAssignment, this.#options.topic);
    } finally {
      this.#waiting = undefined;
    }
  }

  /** @throws KafkaError with `rebalanceInProgress` when the group wants a new round. */
  async beat(): Promise<void> {
    const generation = this.#generation;
    const sentAtMs = Date.now();
    const { errorCode } = await (await this.#connection()).ask('Heartbeat', this.#place());
    // The answer is about a round that is over.
    if (generation !== this.#generation) return;
    if (errorCode === 0 || errorCode === CODE.rebalanceInProgress) this.lastContactMs = sentAtMs;
    this.#check(errorCode);
  }

  /** @throws KafkaError. A refusal is not looked at: these offsets are hints. */
  async commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    const { topic } = this.#options;
    const partitions = [...offsets].map(([partition, offset]) => ({
      partition,
      offset: String(offset),
    }));
    const connection = await this.#connection();
    const topics = [{ topic, partitions }];
    await connection.ask('OffsetCommit', { ...this.#place(), topics });
  }

  async leave(): Promise<void> {
    if (this.#memberId === '') return;
    const { groupId } = this.#options;
    const connection = await this.#connection();
    await connection.ask('LeaveGroup', { groupId, memberId: this.#memberId });
  }

  /** Ends a wait for the other members, and every later one. */
  interrupt(): void {
    this.#interrupted = true;
    this.#waiting?.close(new Error('leaving the group'));
  }

  /** The group has gone on without this member. One that it does not even know by name begins anew. */
  fallBehind(known: boolean): void {
    if (!known) this.#memberId = '';
    this.#generation = -1;
  }

  /** Looks for the group's broker again the next time. */
  loseCoordinator(): void {
    this.#coordinator = undefined;
  }

  async #join(connection: KafkaConnection, owned: readonly number[]): Promise<Joined> {
    const { groupId, topic, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const metadata = encodeClaim(topic, owned, this.#generation);
    for (;;) {
      const args = {
        groupId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        memberId: this.#memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: GROUP_PROTOCOL, metadata }],
      } as const;
      const joined = await connection.ask('JoinGroup', args, this.#patienceMs());
      // The group gives a name first, so that one who never comes back does not take up a place.
      const named = joined.errorCode === CODE.memberIdRequired;
      if (named || joined.errorCode === 0) this.#memberId = joined.memberId;
      if (!named) {
        this.#check(joined.errorCode);
        return joined;
      }
    }
  }

  #assign(members: Joined['members']) {
    const { topic, partitions } = this.#options;
    const claims = members.map(
      ({ memberId, memberMetadata }): MemberClaim => ({
        member: memberId,
        ...decodeClaim(memberMetadata),
      }),
    );
    return [...assignPartitions(claims, partitions)].map(([memberId, taken]) => ({
      memberId,
      memberAssignment: encodeAssignment(topic, taken),
    }));
  }

  #place() {
    const { groupId } = this.#options;
    return { groupId, groupGenerationId: this.#generation, memberId: this.#memberId };
  }

  #patienceMs(): number {
    return this.#options.rebalanceTimeoutMs + this.#options.requestTimeoutMs;
  }

  #check(errorCode: number): void {
    if (errorCode !== 0) throw refused(`The group ${this.#options.groupId}`, errorCode);
  }

  /** To the broker that looks after the group. */
  async #connection(): Promise<KafkaConnection> {
    if (this.#coordinator === undefined) {
      const { groupId } = this.#options;
      const { errorCode, coordinator } = await this.#cluster.askAny('GroupCoordinator', {
        groupId,
      });
      this.#check(errorCode);
      // It may be a broker that was not known yet.
      await this.#cluster.refresh();
      this.#coordinator = coordinator.nodeId;
    }
    return this.#cluster.connectionTo(this.#coordinator, 'group');
  }
}
