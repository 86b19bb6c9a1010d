/**
 * What recovery needs of the store, and no more: inserts with a name, counts, deletes, commits. `clickhouse-epochs.ts`
 * says it in SQL; a simulation says it in memory and lies about everything that a network and a crash can lie about.
 *
 * Every call may fail with a StoreError, and then what it did is unknown.
 */
import type { Table } from '../../schemas/tables/table.ts';
import type { Epoch } from '../partition.ts';

/** Rows of one table of one epoch. */
export interface TableRows {
  readonly table: Table;
  readonly bytes: Buffer;
  readonly rows: number;
}

/** An epoch taken out of the fold, safe to hold while the fold goes on. */
export interface SealedEpoch extends Omit<Epoch, 'rows'> {
  readonly tables: readonly TableRows[];
}

/** The last commit of a partition. */
export interface Commit {
  readonly epoch: number;
  readonly nextOffset: number;
  readonly foldVersion: number;
}

/** Names an insert: the engine drops a second one of the same name. */
export interface EpochAttempt {
  readonly partition: number;
  readonly epoch: number;
  /** Raised when the rows of an earlier attempt were deleted: its name would be dropped for ever. */
  readonly attempt: number;
}

export interface EpochStore {
  /** The newest commit of a partition; undefined when it has none. */
  lastCommit(partition: number): Promise<Commit | undefined>;
  /** How many rows of an epoch each table holds, by the table's name. */
  countRows(
    tables: readonly Table[],
    partition: number,
    epoch: number,
  ): Promise<ReadonlyMap<string, number>>;
  /** Inserts rows of one table, in one block. */
  insertRows(part: TableRows, at: EpochAttempt): Promise<void>;
  /** Deletes the rows of an epoch; returns when no reader sees them. */
  deleteRows(table: Table, partition: number, epoch: number): Promise<void>;
  /** Ends the inserts of an epoch that may still run, whoever began them; returns when none runs any more. */
  stopInserts(partition: number, epoch: number): Promise<void>;
  /** Commits an epoch whose rows are all there. */
  insertCommit(epoch: SealedEpoch, attempt: number): Promise<void>;
}

/** What is known of a checkpoint without reading it. */
export interface CheckpointHead {
  readonly partition: number;
  /** Last epoch that the state has seen. */
  readonly epoch: number;
  readonly nextOffset: number;
  /** Log time at the end of that epoch, ms. */
  readonly logTimeMs: number;
  readonly foldVersion: number;
}

export interface CheckpointEntry extends CheckpointHead {
  /** Number of chunks; 0 when some are missing: it was never finished. */
  readonly chunks: number;
}

export interface CheckpointChunk {
  readonly chunk: number;
  /** Number of chunks, said by the last one; 0 in those before it. */
  readonly chunks: number;
  /** Ties it to all chunks before it. */
  readonly hash: string;
  readonly state: Buffer;
}

export interface CheckpointStore {
  /** Checkpoints of a partition, newest first. */
  list(partition: number): Promise<readonly CheckpointEntry[]>;
  readChunk(partition: number, epoch: number, chunk: number): Promise<CheckpointChunk | undefined>;
  insertChunk(head: CheckpointHead, chunk: CheckpointChunk): Promise<void>;
  /** Removes a checkpoint, whole or not; one that is not there is none. */
  drop(partition: number, epoch: number): Promise<void>;
  /** Epochs of the checkpoints whose state holds this text anywhere. */
  holding(partition: number, text: string): Promise<readonly number[]>;
}
