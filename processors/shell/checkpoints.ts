/**
 * Checkpoints: the state of a partition at the end of an epoch, so that recovery folds a minute of the log and not all
 * of it.
 *
 * Guarantees: a checkpoint is written only of an epoch that is committed, one partition at a time; it is used only when
 * each of its chunks is there and their hashes follow from one another, and only when it is not beyond the last commit.
 * The two newest are kept, and the first of each day for as long as the log reaches back, so that `verify` has a start.
 */
import { createHash } from 'node:crypto';
import type { LimitFunction } from 'p-limit';
import { CheckpointError, encodeState, StateLoader } from '../checkpoint-state.ts';
import type { PartitionFold } from '../partition.ts';
import type { CheckpointEntry, CheckpointHead, CheckpointStore } from './epoch-store.ts';

const DAY_MS = 86_400_000;
/** Chunks that wait to be written while the fold's state is read: more would be held in memory. */
const CHUNKS_WAITING_MAX = 8;
/** Newest checkpoints that are kept whatever day they are of. */
const NEWEST_KEPT = 2;

export interface CheckpointCounters {
  written: number;
  writtenBytes: number;
  /** Checkpoints that could not be written whole; the log is folded again from the one before. */
  failed: number;
  /** Checkpoints that were found broken and passed over. */
  broken: number;
  dropped: number;
}

export interface CheckpointLogger {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface CheckpointsDeps {
  readonly store: CheckpointStore;
  readonly logger: CheckpointLogger;
  /** Gives the event loop to others between chunks. */
  readonly pause: () => Promise<void>;
  /** Lets one of them be written at a time, over all partitions. */
  readonly turns: LimitFunction;
}

/** What a checkpoint must fit to be a start. */
export interface CheckpointWanted {
  /** Newest epoch that may be used. */
  readonly epochMax: number;
  /** Oldest offset that the log still has. */
  readonly offsetMin: number;
  /** Latest log time wanted, ms. */
  readonly logTimeMaxMs?: number;
  /** The oldest that fits is wanted, not the newest. */
  readonly oldest?: boolean;
}

export interface Checkpoints {
  readonly counters: Readonly<CheckpointCounters>;
  /** One is being written, of whichever partition. */
  readonly busy: boolean;
  /**
   * Writes the state as it is now; the fold may go on when `encoded` is called, which is before all is stored. Never
   * fails: what could not be written is counted, told, and tried again with the next.
   */
  save(fold: PartitionFold, head: CheckpointHead, encoded: () => void): Promise<boolean>;
  /** The state that fits; undefined when there is none. */
  load(partition: number, wanted: CheckpointWanted): Promise<PartitionFold | undefined>;
  /** Removes what need not be kept; `offsetMin` is where the log begins. */
  prune(partition: number, offsetMin: number): Promise<void>;
  /** Removes every checkpoint before an epoch in which a text stands. */
  dropHolding(partition: number, text: string, beforeEpoch: number): Promise<void>;
  /** Epochs of the checkpoints that can be used, newest first. */
  list(partition: number): Promise<readonly CheckpointEntry[]>;
}

export function createCheckpoints(deps: CheckpointsDeps): Checkpoints {
  const { store, logger, pause, turns } = deps;
  const counters: CheckpointCounters = {
    written: 0,
    writtenBytes: 0,
    failed: 0,
    broken: 0,
    dropped: 0,
  };

  async function write(
    fold: PartitionFold,
    head: CheckpointHead,
    encoded: () => void,
  ): Promise<void> {
    const waiting: Promise<void>[] = [];
    let hash = '';
    let chunk = 0;
    // One chunk is held back, because only the last one says how many there are.
    let held: Buffer | undefined;
    const put = (state: Buffer, chunks: number): void => {
      hash = hashOf(hash, state);
      counters.writtenBytes += state.length;
      const stored = store.insertChunk(head, { chunk: chunk++, chunks, hash, state });
      stored.catch(() => undefined);
      waiting.push(stored);
    };
    for (const state of encodeState(fold)) {
      if (held !== undefined) put(held, 0);
      held = state;
      if (waiting.length >= CHUNKS_WAITING_MAX) await waiting.shift();
      await pause();
    }
    encoded();
    if (held !== undefined) put(held, chunk + 1);
    await Promise.all(waiting);
  }

  async function save(
    fold: PartitionFold,
    head: CheckpointHead,
    encoded: () => void,
  ): Promise<boolean> {
    return turns(async () => {
      try {
        await store.drop(head.partition, head.epoch);
        await write(fold, head, encoded);
        counters.written++;
        return true;
      } catch (error) {
        counters.failed++;
        logger.error({ error, ...head }, 'no checkpoint was written; the next is tried in time');
        return false;
      } finally {
        encoded();
      }
    });
  }

  async function read(entry: CheckpointEntry): Promise<PartitionFold | undefined> {
    const loader = new StateLoader(entry.partition);
    let hash = '';
    for (let chunk = 0; chunk < entry.chunks; chunk++) {
      const found = await store.readChunk(entry.partition, entry.epoch, chunk);
      if (found === undefined) return undefined;
      hash = hashOf(hash, found.state);
      if (hash !== found.hash) return undefined;
      loader.add(found.state);
      await pause();
    }
    return loader.finish();
  }

  /** A state that does not decode is broken; one that a newer program wrote is none of ours to replace. */
  async function readWhole(entry: CheckpointEntry): Promise<PartitionFold | undefined> {
    try {
      return await read(entry);
    } catch (error) {
      if (error instanceof CheckpointError && error.code === 'checkpoint_malformed')
        return undefined;
      throw error;
    }
  }

  async function load(
    partition: number,
    wanted: CheckpointWanted,
  ): Promise<PartitionFold | undefined> {
    const { epochMax, offsetMin, logTimeMaxMs = Number.POSITIVE_INFINITY } = wanted;
    const newestFirst = await store.list(partition);
    for (const entry of wanted.oldest === true ? [...newestFirst].reverse() : newestFirst) {
      const fits =
        entry.chunks > 0 &&
        entry.epoch <= epochMax &&
        entry.nextOffset >= offsetMin &&
        entry.logTimeMs <= logTimeMaxMs;
      if (!fits) continue;
      const fold = await readWhole(entry);
      if (fold !== undefined) return fold;
      counters.broken++;
      logger.error({ ...entry }, 'a checkpoint is broken; an older one is used');
    }
    return undefined;
  }

  async function prune(partition: number, offsetMin: number): Promise<void> {
    const entries = await store.list(partition);
    const kept = keptEpochs(entries, offsetMin);
    for (const { epoch } of entries) {
      if (kept.has(epoch)) continue;
      await store.drop(partition, epoch);
      counters.dropped++;
    }
  }

  async function dropHolding(partition: number, text: string, beforeEpoch: number): Promise<void> {
    for (const epoch of await store.holding(partition, text)) {
      if (epoch >= beforeEpoch) continue;
      await store.drop(partition, epoch);
      counters.dropped++;
    }
  }

  return {
    counters,
    get busy() {
      return turns.activeCount + turns.pendingCount > 0;
    },
    save,
    load,
    prune,
    dropHolding,
    list: async (partition) => (await store.list(partition)).filter(({ chunks }) => chunks > 0),
  };
}

function hashOf(before: string, state: Buffer): string {
  return createHash('sha256').update(before).update(state).digest('hex');
}

/** The newest, and the first of each day of which the log still has what follows. */
export function keptEpochs(
  newestFirst: readonly CheckpointEntry[],
  offsetMin: number,
): ReadonlySet<number> {
  const whole = newestFirst.filter(({ chunks }) => chunks > 0);
  const kept = new Set(whole.slice(0, NEWEST_KEPT).map(({ epoch }) => epoch));
  const firstOfDay = new Map<number, number>();
  for (const { epoch, logTimeMs, nextOffset } of whole) {
    if (nextOffset >= offsetMin) firstOfDay.set(Math.floor(logTimeMs / DAY_MS), epoch);
  }
  for (const epoch of firstOfDay.values()) kept.add(epoch);
  return kept;
}
