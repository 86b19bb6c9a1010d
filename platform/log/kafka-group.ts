/**
 * A group of processes that share the partitions of a topic among themselves, each partition with one of them.
 *
 * Guarantees: a partition that stays is not spoken of, and its owner works on through every change of the group; one
 * that moves is given to its new owner only after `onRevoked` of the old one has returned; a member that the group has
 * given up learns of it as soon as it is heard again, with `lost`, because others may have its partitions since.
 * Heartbeats go on whatever the callbacks do. Callbacks are called one after the other.
 *
 * The group knows nothing of where an owner stands: offsets committed here are hints for lag monitors.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Group, GroupHandlers, Revocation } from './group.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { CODE, isSignInRefused, KafkaError } from './kafka-errors.ts';
import {
  type KafkaAccess,
  type KafkaTimes,
  kafkaTimes,
  readKafkaSettings,
} from './kafka-options.ts';
import { GroupSession } from './kafka-session.ts';
import { LogError } from './log.ts';

export interface GroupOptions extends KafkaAccess, GroupHandlers {
  /** Names the topic's generation too: members with different topics cannot share. */
  readonly groupId: string;
  readonly topic: string;
  readonly partitions: number;
  /** Silence after which the group gives a member up, ms. */
  readonly sessionTimeoutMs?: number;
  /** Longest that the group waits for a member to give up what moves, ms. */
  readonly rebalanceTimeoutMs?: number;
  /** How often a member is heard, ms: several times in a session's timeout. */
  readonly heartbeatMs?: number;
  readonly times?: Partial<KafkaTimes>;
  /** Told of what keeps the member from its group, once until it is back, and of callbacks that threw. */
  readonly onWarning?: (message: string, cause?: unknown) => void;
}

export const groupTimes = {
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatMs: 3_000,
};

/**
 * Joins, and resolves when the first assignment is known and told.
 * @throws LogError `log_unavailable` when the group cannot be joined, with the cause. RangeError when a heartbeat lost
 * would cost the membership.
 */
export async function joinGroup(options: GroupOptions): Promise<Group> {
  const settings = await readKafkaSettings(options);
  const times = { ...kafkaTimes, ...groupTimes, ...options.times };
  const wanted = { ...times, ...options };
  checkTimes(wanted);
  const { topic, onWarning } = options;
  const warning = onWarning === undefined ? {} : { onWarning };
  const cluster = new KafkaCluster({ settings, times, topic, ...warning });
  const member = new Member(cluster, wanted);
  try {
    await member.join();
    return member;
  } catch (error) {
    cluster.close();
    const message = `The group ${options.groupId} cannot be joined: check the brokers, the sign-in and the cause`;
    throw new LogError('log_unavailable', message, { cause: error });
  }
}

/** One heartbeat may be lost, or late. */
function checkTimes({ heartbeatMs, sessionTimeoutMs }: typeof groupTimes): void {
  if (heartbeatMs > 0 && heartbeatMs * 2 < sessionTimeoutMs) return;
  throw new RangeError(
    `heartbeatMs is ${heartbeatMs}: give less than half of sessionTimeoutMs, which is ${sessionTimeoutMs}`,
  );
}

type MemberOptions = GroupOptions & KafkaTimes & typeof groupTimes;

class Member implements Group {
  readonly #cluster: KafkaCluster;
  readonly #options: MemberOptions;
  readonly #session: GroupSession;
  readonly #hints = new Map<number, number>();
  readonly #ended = new AbortController();
  #owned: readonly number[] = [];
  /** What a heartbeat was answered with that asks for something to be done. */
  #alarm: unknown;
  #wake: (() => void) | undefined;
  #staying: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  #left: Promise<void> | undefined;
  #warned = false;

  constructor(cluster: KafkaCluster, options: MemberOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#session = new GroupSession(cluster, options);
  }

  get partitions(): readonly number[] {
    return this.#owned;
  }

  get lastContactMs(): number {
    return this.#session.lastContactMs;
  }

  get sessionTimeoutMs(): number {
    return this.#options.sessionTimeoutMs;
  }

  commitHint(partition: number, nextOffset: number): void {
    this.#hints.set(partition, nextOffset);
  }

  /** For the first time; then goes on by itself. */
  async join(): Promise<void> {
    const { rebalanceTimeoutMs, requestTimeoutMs } = this.#options;
    const endsAtMs = Date.now() + rebalanceTimeoutMs + requestTimeoutMs;
    this.#beating = this.#beatOn();
    for (;;) {
      try {
        await this.#rejoin();
        break;
      } catch (error) {
        if (!isPassing(error) || Date.now() >= endsAtMs) {
          await this.#withdraw();
          throw error;
        }
        await this.#consider(error);
      }
    }
    this.#staying = this.#stay();
  }

  /** What was had already goes; the group need not wait for one who did not come. */
  async #withdraw(): Promise<void> {
    this.#ended.abort();
    await this.#giveUp(this.#owned, 'lost');
    await this.#session.leave().catch(() => undefined);
  }

  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    this.#wake?.();
    this.#session.interrupt();
    await this.#staying;
    // Asked once more, because the owner finishes its work now, and others may have it already.
    const forgotten = this.#owned.length > 0 && (await this.#isGivenUp());
    await this.#giveUp(this.#owned, forgotten ? 'lost' : 'moved');
    this.#ended.abort();
    await this.#beating;
    // When it fails, the group notices the silence.
    await this.#session.leave().catch(() => undefined);
    this.#cluster.close();
  }

  /** An older round is no loss here: it means that the group has heard this member's claim to what it has. */
  async #isGivenUp(): Promise<boolean> {
    const error = await this.#session.beat().catch((reason: unknown) => reason);
    return codeOf(error) === CODE.unknownMember;
  }

  /** Joins again whenever the group changes, until it leaves. */
  async #stay(): Promise<void> {
    while (this.#left === undefined) {
      try {
        await this.#alarmed();
        if (this.#left === undefined) await this.#rejoin();
      } catch (error) {
        await this.#consider(error);
      }
    }
  }

  /** Waits until a heartbeat's answer asks for something, or until it is to leave. @throws what else it asks for. */
  async #alarmed(): Promise<void> {
    if (this.#alarm === undefined && this.#left === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const alarm = this.#alarm;
    this.#alarm = undefined;
    if (alarm !== undefined && codeOf(alarm) !== CODE.rebalanceInProgress) throw alarm;
  }

  /** Rounds until nothing has to be given up: what is given up is assigned in the next round only. */
  async #rejoin(): Promise<void> {
    for (;;) {
      const assigned = await this.#session.round(this.#owned);
      this.#alarm = undefined;
      this.#warned = false;
      const gone = this.#owned.filter((partition) => !assigned.includes(partition));
      const come = assigned.filter((partition) => !this.#owned.includes(partition));
      await this.#giveUp(gone, 'moved');
      // Giving up may have taken so long that the group has gone on: what it gave is not this member's any more.
      if (isForgotten(this.#alarm)) throw this.#alarm;
      this.#owned = assigned;
      if (come.length > 0) await this.#told(() => this.#options.onAssigned(come));
      if (gone.length === 0 || this.#left !== undefined) return;
    }
  }

  /** Heartbeats from the first to the last moment, also while callbacks run. */
  async #beatOn(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await delay(this.#options.heartbeatMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || !this.#session.isSettled) continue;
      try {
        await this.#session.beat();
        await this.#sendHints();
      } catch (error) {
        if (asksForRound(error)) this.#raise(error);
        else await this.#lookAgain(error);
      }
    }
  }

  #raise(alarm: unknown): void {
    this.#alarm = alarm;
    this.#wake?.();
  }

  /** Does what an error asks for. Returns when it makes sense to join again. */
  async #consider(error: unknown): Promise<void> {
    // Also of one that is leaving: others may have what it has.
    if (isForgotten(error)) {
      this.#session.fallBehind(codeOf(error) !== CODE.unknownMember);
      await this.#giveUp(this.#owned, 'lost');
    } else if (this.#left === undefined && codeOf(error) !== CODE.rebalanceInProgress) {
      await this.#lookAgain(error);
    }
    this.#raise(ROUND);
  }

  async #lookAgain(error: unknown): Promise<void> {
    if (!isPassing(error) && !this.#warned) {
      this.#warned = true;
      this.#options.onWarning?.('The member cannot take part in its group', error);
    }
    this.#session.loseCoordinator();
    await this.#cluster.recover();
  }

  async #giveUp(partitions: readonly number[], why: Revocation): Promise<void> {
    if (partitions.length === 0) return;
    await this.#told(() => this.#options.onRevoked(partitions, why));
    if (why === 'moved') await this.#sendHints().catch(() => undefined);
    this.#owned = this.#owned.filter((partition) => !partitions.includes(partition));
  }

  async #sendHints(): Promise<void> {
    const hints = [...this.#hints].filter(([partition]) => this.#owned.includes(partition));
    this.#hints.clear();
    if (hints.length > 0) await this.#session.commit(new Map(hints));
  }

  async #told(call: () => Promise<void> | void): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#options.onWarning?.('A callback of the group threw', error);
    }
  }
}

/** Asks for a new round and nothing else. */
const ROUND = new KafkaError('A new round is due', {
  code: CODE.rebalanceInProgress,
  mayHaveActed: false,
});

function codeOf(error: unknown): number | undefined {
  return error instanceof KafkaError ? error.code : undefined;
}

/** The group has gone on without this member. */
function isForgotten(error: unknown): boolean {
  const code = codeOf(error);
  return code === CODE.unknownMember || code === CODE.illegalGeneration;
}

/** The group is there and answers, but not to this round of this member. */
function asksForRound(error: unknown): boolean {
  return isForgotten(error) || codeOf(error) === CODE.rebalanceInProgress;
}

/** True of errors that go away without anyone's doing. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof KafkaError) || isSignInRefused(error)) return false;
  const codes: readonly (number | undefined)[] = [
    undefined,
    CODE.coordinatorLoading,
    CODE.coordinatorNotAvailable,
    CODE.notCoordinator,
  ];
  return asksForRound(error) || codes.includes(error.code);
}
