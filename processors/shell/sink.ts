/**
 * Writes epochs into the store, each once, whatever fails: one insert for each table, the counts read back, then one row
 * into `epochs`, the commit.
 *
 * An epoch is deterministic, so one in doubt is settled by counting, once nothing of it runs any more: all rows there, go
 * on; none, insert; some, delete them and insert under a new name, because the engine would drop the old one silently.
 * A store that fails is asked again, with a growing wait, for as long as it takes: nothing is skipped.
 */
import { delivery5s, requests } from '../../schemas/tables/delivery.ts';
import {
  epochs as epochsTable,
  epochTables,
  forgotten,
  playback5s,
  rejected,
  viewEvents,
  viewersNow,
  views,
} from '../../schemas/tables/tables.ts';
import type { Epoch } from '../partition.ts';
import type { Commit, EpochStore, SealedEpoch, TableRows } from './epoch-store.ts';
import { createPersist, type PersistDeps } from './persist.ts';

/** A token can outlive its rows, but hardly this many: beyond, something else writes or deletes rows of the epoch. */
const ATTEMPTS_MAX = 100;

export interface SinkCounters {
  epochsWritten: number;
  /** Epochs that had to be settled by counting. */
  epochsInDoubt: number;
  /** Inserts under a new name because rows of an earlier one were deleted, or its name alone was left. */
  attemptsRaised: number;
  /** Failures of the store that were waited out. */
  failuresRetried: number;
}

export interface Sink {
  readonly counters: Readonly<SinkCounters>;
  /** The newest commit of a partition; undefined when it has none. */
  lastCommit(partition: number): Promise<Commit | undefined>;
  /**
   * Writes an epoch and commits it. `inDoubt`: an earlier attempt may have written some of it.
   * @throws the signal's reason when it is aborted before the commit.
   */
  write(epoch: SealedEpoch, inDoubt: boolean, signal?: AbortSignal): Promise<void>;
}

export interface SinkDeps extends PersistDeps {
  readonly epochs: EpochStore;
}

/** The writer of each table among an epoch's rows. */
const WRITERS = [
  [views, 'views'],
  [viewEvents, 'viewEvents'],
  [rejected, 'rejected'],
  [playback5s, 'playback'],
  [viewersNow, 'viewersNow'],
  [forgotten, 'forgotten'],
  [delivery5s, 'delivery'],
  [requests, 'requests'],
] as const;

/** Takes an epoch's rows out of the fold, which may then go on. */
export function sealEpoch(epoch: Epoch): SealedEpoch {
  const { rows, ...rest } = epoch;
  const tables = WRITERS.map(([table, name]) => ({
    table,
    rows: rows[name].rows,
    bytes: rows[name].take(),
  }));
  rows.reset();
  return { ...rest, tables };
}

export function createSink(deps: SinkDeps): Sink {
  const { epochs } = deps;
  const counters: SinkCounters = {
    epochsWritten: 0,
    epochsInDoubt: 0,
    attemptsRaised: 0,
    failuresRetried: 0,
  };

  const persist = createPersist({
    ...deps,
    onRetry: () => {
      counters.failuresRetried++;
    },
  });

  async function insertAll(epoch: SealedEpoch): Promise<void> {
    for (const part of epoch.tables) {
      if (part.rows > 0) await epochs.insertRows(part, attemptOf(epoch, 0));
    }
  }

  async function countOf({ table }: TableRows, epoch: SealedEpoch): Promise<number> {
    const counts = await epochs.countRows([table], epoch.partition, epoch.epoch);
    return counts.get(table.name) ?? 0;
  }

  /** Brings one table to exactly the epoch's rows. Returns the attempt whose rows stand. */
  async function settle(part: TableRows, epoch: SealedEpoch): Promise<number> {
    let there = await countOf(part, epoch);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; ) {
      if (there === part.rows) return attempt;
      if (there > 0) {
        await epochs.stopInserts(epoch.partition, epoch.epoch);
        await epochs.deleteRows(part.table, epoch.partition, epoch.epoch);
        attempt++;
        counters.attemptsRaised++;
      }
      if (part.rows > 0) await epochs.insertRows(part, attemptOf(epoch, attempt));
      there = await countOf(part, epoch);
      // The engine knew the name and dropped the rows: an earlier attempt got so far, and its rows were deleted.
      if (there === 0 && part.rows > 0) {
        attempt++;
        counters.attemptsRaised++;
      }
    }
    throw notKept(part.table.name, epoch);
  }

  /**
   * Another owner has committed the epoch, and this one may have written since, under a name that the other had to give
   * up. Fewer rows than were committed are no fault: merges and forgetting take some. More are.
   */
  async function removeExcess(epoch: SealedEpoch): Promise<void> {
    const counts = await epochs.countRows(epochTables, epoch.partition, epoch.epoch);
    for (const part of epoch.tables) {
      if ((counts.get(part.table.name) ?? 0) > part.rows) await settle(part, epoch);
    }
  }

  /** Settles an epoch of which some may be written. Its attempt, or that it is committed already. */
  async function settleAll(epoch: SealedEpoch): Promise<number | 'committed'> {
    counters.epochsInDoubt++;
    await epochs.stopInserts(epoch.partition, epoch.epoch);
    const commit = await epochs.lastCommit(epoch.partition);
    if (commit !== undefined && commit.epoch >= epoch.epoch) {
      await removeExcess(epoch);
      return 'committed';
    }
    let attempt = 0;
    for (const part of epoch.tables) attempt = Math.max(attempt, await settle(part, epoch));
    return attempt;
  }

  /** Reads the counts back that the commit will say. */
  async function isWhole(epoch: SealedEpoch): Promise<boolean> {
    const counts = await epochs.countRows(epochTables, epoch.partition, epoch.epoch);
    return epoch.tables.every(({ table, rows }) => (counts.get(table.name) ?? 0) === rows);
  }

  /** Commits where a name may be known to the engine without its row: until the row is there. */
  async function commitInDoubt(epoch: SealedEpoch): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      await epochs.insertCommit(epoch, attempt);
      const commit = await epochs.lastCommit(epoch.partition);
      if (commit !== undefined && commit.epoch >= epoch.epoch) return;
      counters.attemptsRaised++;
    }
    throw notKept(epochsTable.name, epoch);
  }

  async function tryWrite(epoch: SealedEpoch, inDoubt: boolean): Promise<void> {
    if (!inDoubt) {
      await insertAll(epoch);
      if (await isWhole(epoch)) {
        await epochs.insertCommit(epoch, 0);
        return;
      }
    }
    let attempt = await settleAll(epoch);
    while (attempt !== 'committed' && !(await isWhole(epoch))) attempt = await settleAll(epoch);
    if (attempt !== 'committed') await commitInDoubt(epoch);
  }

  return {
    counters,
    lastCommit: epochs.lastCommit,
    async write(epoch, inDoubt, signal) {
      const what = { partition: epoch.partition, epoch: epoch.epoch };
      await persist(what, signal, (retried) => tryWrite(epoch, inDoubt || retried));
      counters.epochsWritten++;
    },
  };
}

function notKept(table: string, { epoch, partition }: SealedEpoch): Error {
  return new Error(
    `${table} does not keep the rows of epoch ${epoch} of partition ${partition}: something else deletes them`,
  );
}

function attemptOf({ partition, epoch }: SealedEpoch, attempt: number) {
  return { partition, epoch, attempt };
}
