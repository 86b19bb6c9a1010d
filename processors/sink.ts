/**
 * Writes epochs into the store, each once: one insert for each table, then one row into `epochs`, the commit.
 *
 * An epoch is deterministic, so one in doubt is settled by counting: all rows there, go on; none, insert; some, delete
 * them and insert under a new attempt, because the engine would drop the old token silently.
 */
import { RowWriter } from '../platform/store/row-binary.ts';
import type { Store } from '../platform/store/store.ts';
import type { Table } from '../schemas/tables/table.ts';
import {
  epochs,
  epochTables,
  playback5s,
  rejected,
  viewEvents,
  viewersNow,
  views,
} from '../schemas/tables/tables.ts';
import type { Epoch } from './partition.ts';

/** Rows of one table of one epoch. */
interface TableRows {
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
}

export interface Sink {
  /** The newest commit of a partition; undefined when it has none. */
  lastCommit(partition: number): Promise<Commit | undefined>;
  /** Writes an epoch and commits it. `inDoubt`: an earlier attempt may have written some of it. */
  write(epoch: SealedEpoch, inDoubt: boolean): Promise<void>;
}

/** Takes an epoch's rows out of the fold, which may then go on. */
export function sealEpoch(epoch: Epoch): SealedEpoch {
  const { rows, ...rest } = epoch;
  const writers = [
    [views, rows.views],
    [viewEvents, rows.viewEvents],
    [rejected, rows.rejected],
    [playback5s, rows.playback],
    [viewersNow, rows.viewersNow],
  ] as const;
  const tables = writers.map(([table, writer]) => ({
    table,
    rows: writer.rows,
    bytes: writer.take(),
  }));
  rows.reset();
  return { ...rest, tables };
}

export function createSink(deps: { readonly store: Store; readonly topic: string }): Sink {
  const { store, topic } = deps;

  async function lastCommit(partition: number): Promise<Commit | undefined> {
    const [row] = await store.queryOnWriter<{ epoch: number; next_offset: number }>(
      `SELECT _epoch AS epoch, next_offset FROM epochs
       WHERE topic = {topic:String} AND _partition = {partition:UInt16}
       ORDER BY _epoch DESC LIMIT 1`,
      { params: { topic, partition } },
    );
    return row === undefined ? undefined : { epoch: row.epoch, nextOffset: row.next_offset };
  }

  async function countRows(table: Table, epoch: SealedEpoch): Promise<number> {
    const [row] = await store.queryOnWriter<{ rows: number }>(
      `SELECT count() AS rows FROM ${table.name}
       WHERE _partition = {partition:UInt16} AND _epoch = {epoch:UInt64}`,
      { params: { partition: epoch.partition, epoch: epoch.epoch } },
    );
    return row?.rows ?? 0;
  }

  async function deleteRows(table: Table, epoch: SealedEpoch): Promise<void> {
    await store.command(
      `DELETE FROM ${table.name} WHERE _partition = {partition:UInt16} AND _epoch = {epoch:UInt64}
       SETTINGS lightweight_deletes_sync = 2`,
      { params: { partition: epoch.partition, epoch: epoch.epoch } },
    );
  }

  async function insert(part: TableRows, epoch: SealedEpoch, attempt: number): Promise<void> {
    await store.insert(part.table.name, part.bytes, {
      columns: part.table.columns.map(({ name }) => name),
      token: [topic, epoch.partition, epoch.epoch, part.table.name, attempt].join('/'),
    });
  }

  /** Writes a table's rows that an earlier attempt may have written. Returns the attempt whose rows stand. */
  async function settle(part: TableRows, epoch: SealedEpoch): Promise<number> {
    const there = await countRows(part.table, epoch);
    if (there === part.rows) return 0;
    if (there === 0) {
      await insert(part, epoch, 0);
      if ((await countRows(part.table, epoch)) === part.rows) return 0;
    }
    await deleteRows(part.table, epoch);
    await insert(part, epoch, 1);
    return 1;
  }

  async function write(epoch: SealedEpoch, inDoubt: boolean): Promise<void> {
    let attempt = 0;
    for (const part of epoch.tables) {
      if (inDoubt) attempt = Math.max(attempt, await settle(part, epoch));
      else if (part.rows > 0) await insert(part, epoch, 0);
    }
    await store.insert(epochs.name, commitRow(topic, epoch, attempt), {
      columns: epochs.columns.map(({ name }) => name),
      token: [topic, epoch.partition, epoch.epoch, epochs.name, attempt].join('/'),
    });
  }

  return { lastCommit, write };
}

function commitRow(topic: string, epoch: SealedEpoch, attempt: number): Buffer {
  const out = new RowWriter(256);
  out.string(topic);
  out.uint16(epoch.partition);
  out.uint64(epoch.epoch);
  out.uint64(epoch.nextOffset);
  out.uint64(epoch.records);
  out.dateTime64Ms(epoch.logTimeMs);
  out.dateTime64Ms(epoch.openSinceMs);
  for (const table of epochTables) {
    out.uint64(epoch.tables.find((part) => part.table === table)?.rows ?? 0);
  }
  out.uint16(attempt);
  out.uint32(epoch.foldVersion);
  out.endRow();
  return out.take();
}
