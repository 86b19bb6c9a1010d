/**
 * Retention: which records go next, oldest first over all partitions.
 *
 * Guarantees: a record goes only when it is expired or when all records together are too large; of two partitions the
 * one with the older head loses first; the newest record of a partition stays, so none is ever emptied; each
 * transaction is small, and appends get their turn between two of them.
 */
import type { EmbeddedLogLimits } from './embedded-limits.ts';
import {
  type EmbeddedStore,
  type PartitionState,
  RECORD_OVERHEAD_BYTES,
  type RecordPosition,
} from './embedded-store.ts';

/** What retention removed. */
export interface RetentionResult {
  readonly removedRecords: number;
  /** Bytes of the records themselves. */
  readonly removedBytes: number;
}

export interface RemovalLimits {
  /** Records appended before this moment are expired, ms. */
  readonly expiredBeforeMs: number;
  /** Bytes, with keys and times, that are too many. Zero or less: none. */
  readonly excessBytes: number;
  readonly recordsMax: number;
  readonly bytesMax: number;
}

export interface RetentionDeps {
  readonly store: EmbeddedStore;
  /** States by partition, shared with the log; changed only inside `write`. */
  readonly states: PartitionState[];
  readonly limits: EmbeddedLogLimits;
  readonly counters: { removedRecords: number; removedBytes: number };
  readonly now: () => number;
  /** Runs work while nothing else writes. */
  write<T>(work: () => Promise<T>): Promise<T>;
}

export class Retention {
  readonly #deps: RetentionDeps;
  #underWay: Promise<RetentionResult> | undefined;
  #stopped = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** Removes what must go. A call while another is under way shares its result. */
  enforce(): Promise<RetentionResult> {
    this.#underWay ??= this.#enforce().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** Ends after the transaction under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#underWay?.catch(() => undefined);
  }

  async #enforce(): Promise<RetentionResult> {
    let removedRecords = 0;
    let removedBytes = 0;
    while (!this.#stopped) {
      const removed = await this.#deps.write(() => this.#removeSome());
      if (removed.length === 0) break;
      removedRecords += removed.length;
      for (const { valueBytes } of removed) removedBytes += valueBytes;
    }
    return { removedRecords, removedBytes };
  }

  /** One transaction. Gives what it removed; nothing when there is nothing more to remove. */
  async #removeSome(): Promise<readonly RecordPosition[]> {
    const { store, states, counters } = this.#deps;
    const plan = this.#plan();
    if (plan.length === 0) return plan;
    const before = [...states];
    const changes = statesWithout(states, plan);
    // Readers are told before the records go: one that asked in between would find a hole and not know it.
    for (const [partition, state] of changes) states[partition] = state;
    try {
      await store.remove(plan, changes);
    } catch (error) {
      states.splice(0, before.length, ...before);
      throw error;
    }
    counters.removedRecords += plan.length;
    for (const { valueBytes } of plan) counters.removedBytes += valueBytes;
    return plan;
  }

  #plan(): RecordPosition[] {
    const { store, states, limits, now } = this.#deps;
    const bytes = states.reduce((sum, state) => sum + state.bytes, 0);
    const removable = states.map(({ startOffset, nextOffset }, partition) =>
      // The newest record, at nextOffset - 1, is not among them.
      store.positions(partition, startOffset, Math.max(startOffset, nextOffset - 1)),
    );
    return planRemoval(removable, {
      expiredBeforeMs: now() - limits.retentionMs,
      excessBytes: bytes - limits.retentionBytesMax,
      recordsMax: limits.retentionTransactionRecordsMax,
      bytesMax: limits.retentionTransactionBytesMax,
    });
  }
}

function statesWithout(
  states: readonly PartitionState[],
  plan: readonly RecordPosition[],
): Map<number, PartitionState> {
  const changes = new Map<number, PartitionState>();
  for (const position of plan) {
    const state = changes.get(position.partition) ?? states[position.partition];
    if (state === undefined) continue;
    const bytes = state.bytes - storedBytes(position);
    changes.set(position.partition, { ...state, startOffset: position.offset + 1, bytes });
  }
  return changes;
}

/** The next records to remove; empty when there is nothing to do. Ends the iterators. */
export function planRemoval(
  partitions: readonly Iterator<RecordPosition, undefined>[],
  limits: RemovalLimits,
): RecordPosition[] {
  const heads = partitions.map((positions) => ({ positions, head: positions.next().value }));
  const plan: RecordPosition[] = [];
  let bytes = 0;
  try {
    while (plan.length < limits.recordsMax && bytes < limits.bytesMax) {
      const oldest = oldestOf(heads);
      if (oldest?.head === undefined || !mustGo(oldest.head, limits, bytes)) break;
      plan.push(oldest.head);
      bytes += storedBytes(oldest.head);
      oldest.head = oldest.positions.next().value;
    }
  } finally {
    for (const { positions } of heads) positions.return?.();
  }
  return plan;
}

/** Bytes that a record takes with key and time. */
function storedBytes(position: RecordPosition): number {
  return position.valueBytes + RECORD_OVERHEAD_BYTES;
}

function mustGo(head: RecordPosition, limits: RemovalLimits, plannedBytes: number): boolean {
  return head.appendTimeMs < limits.expiredBeforeMs || plannedBytes < limits.excessBytes;
}

function oldestOf<Head extends { head: RecordPosition | undefined }>(
  heads: readonly Head[],
): Head | undefined {
  let oldest: Head | undefined;
  for (const candidate of heads) {
    if (candidate.head === undefined) continue;
    if (!oldest?.head || candidate.head.appendTimeMs < oldest.head.appendTimeMs) oldest = candidate;
  }
  return oldest;
}
