/**
 * Epochs and their commits in ClickHouse.
 *
 * Queries of one partition's epoch have ids that begin alike, so that a successor can find and end what a dead owner
 * left running on a server. The embedded engine's queries die with their process.
 */
import { RowWriter } from '../../platform/store/row-binary.ts';
import { mutationsDone, stopQueries } from '../../platform/store/stop-queries.ts';
import type { Store } from '../../platform/store/store.ts';
import type { Table } from '../../schemas/tables/table.ts';
import { epochs, epochTables } from '../../schemas/tables/tables.ts';
import type { Commit, EpochStore, SealedEpoch } from './epoch-store.ts';

export interface EpochsDeps {
  readonly store: Store;
  readonly topic: string;
  /** Makes query ids unlike those of any other process. */
  readonly owner: string;
}

export function createEpochStore({ store, topic, owner }: EpochsDeps): EpochStore {
  let statements = 0;

  /** What the ids of an epoch's inserts and deletes begin with. */
  function prefixOf(partition: number, epoch: number): string {
    return `streamgauge/${store.database}/${topic}/${partition}/${epoch}/`;
  }

  function queryId(table: Table, partition: number, epoch: number): string {
    statements++;
    return `${prefixOf(partition, epoch)}${table.name}/${owner}/${statements}`;
  }

  function insertOptions(table: Table, partition: number, epoch: number, token: string) {
    return {
      columns: table.columns.map(({ name }) => name),
      token,
      queryId: queryId(table, partition, epoch),
    };
  }

  async function lastCommit(partition: number): Promise<Commit | undefined> {
    const [row] = await store.queryOnWriter<{
      epoch: number;
      next_offset: number;
      fold_version: number;
    }>(
      `SELECT _epoch AS epoch, next_offset, fold_version FROM epochs
       WHERE topic = {topic:String} AND _partition = {partition:UInt16}
       ORDER BY _epoch DESC LIMIT 1`,
      { params: { topic, partition } },
    );
    if (row === undefined) return undefined;
    return { epoch: row.epoch, nextOffset: row.next_offset, foldVersion: row.fold_version };
  }

  return {
    lastCommit,

    async countRows(tables, partition, epoch) {
      const selects = tables.map(
        ({ name }) =>
          `SELECT '${name}' AS name, count() AS rows FROM ${name}
           WHERE _partition = {partition:UInt16} AND _epoch = {epoch:UInt64}`,
      );
      const counted = await store.queryOnWriter<{ name: string; rows: number }>(
        selects.join(' UNION ALL '),
        { params: { partition, epoch } },
      );
      return new Map(counted.map(({ name, rows }) => [name, rows]));
    },

    async insertRows({ table, bytes }, { partition, epoch, attempt }) {
      const token = [topic, partition, epoch, table.name, attempt].join('/');
      await store.insert(table.name, bytes, insertOptions(table, partition, epoch, token));
    },

    async deleteRows(table, partition, epoch) {
      await store.command(
        `DELETE FROM ${table.name} WHERE _partition = {partition:UInt16} AND _epoch = {epoch:UInt64}
         SETTINGS lightweight_deletes_sync = 2`,
        { params: { partition, epoch }, queryId: queryId(table, partition, epoch) },
      );
    },

    async stopInserts(partition, epoch) {
      await stopQueries(store, prefixOf(partition, epoch));
      // The ended query of a delete only waited: the engine goes on deleting, and what is counted next would be wrong.
      await mutationsDone(store);
    },

    async insertCommit(epoch, attempt) {
      const { partition } = epoch;
      const token = [topic, partition, epoch.epoch, epochs.name, attempt].join('/');
      const options = insertOptions(epochs, partition, epoch.epoch, token);
      await store.insert(epochs.name, commitRow(topic, epoch, attempt), options);
    },
  };
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
  const { recordsRejected, events, eventsDuplicate, eventsRejected } = epoch.counts;
  for (const count of [recordsRejected, events, eventsDuplicate, eventsRejected]) out.uint64(count);
  out.uint16(attempt);
  out.uint32(epoch.foldVersion);
  out.endRow();
  return out.take();
}
