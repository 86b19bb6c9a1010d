/** Checkpoints in ClickHouse: a row for each chunk, a table partition for each checkpoint. */
import { RowWriter } from '../../platform/store/row-binary.ts';
import type { Store } from '../../platform/store/store.ts';
import { checkpoints } from '../../schemas/tables/tables.ts';
import type {
  CheckpointChunk,
  CheckpointEntry,
  CheckpointHead,
  CheckpointStore,
} from './epoch-store.ts';
import { avroText } from './forgets.ts';

export interface CheckpointsDeps {
  readonly store: Store;
  readonly topic: string;
  /** Makes tokens unlike those of any other process: a checkpoint begun again is written anew. */
  readonly owner: string;
}

interface HeadRow {
  readonly epoch: number;
  readonly next_offset: number;
  readonly log_time_ms: number;
  readonly fold_version: number;
  readonly chunks: number;
  readonly found: number;
}

export function createCheckpointStore({ store, topic, owner }: CheckpointsDeps): CheckpointStore {
  let inserts = 0;
  return {
    async list(partition) {
      const rows = await store.queryOnWriter<HeadRow>(
        `SELECT _epoch AS epoch, any(next_offset) AS next_offset, any(toUnixTimestamp64Milli(log_time)) AS log_time_ms,
           any(fold_version) AS fold_version, max(chunks) AS chunks, uniqExact(chunk) AS found
         FROM checkpoints WHERE topic = {topic:String} AND _partition = {partition:UInt16}
         GROUP BY _epoch ORDER BY _epoch DESC`,
        { params: { topic, partition } },
      );
      return rows.map((row) => entryOf(partition, row));
    },

    async readChunk(partition, epoch, chunk) {
      const [row] = await store.queryOnWriter<{ chunks: number; hash: string; state: string }>(
        `SELECT chunks, hash, base64Encode(state) AS state FROM checkpoints
         WHERE topic = {topic:String} AND _partition = {partition:UInt16} AND _epoch = {epoch:UInt64}
           AND chunk = {chunk:UInt32} LIMIT 1`,
        { params: { topic, partition, epoch, chunk } },
      );
      if (row === undefined) return undefined;
      return { chunk, chunks: row.chunks, hash: row.hash, state: Buffer.from(row.state, 'base64') };
    },

    async insertChunk(head, chunk) {
      inserts++;
      await store.insert(checkpoints.name, chunkRow(topic, head, chunk), {
        columns: checkpoints.columns.map(({ name }) => name),
        token: [topic, head.partition, head.epoch, checkpoints.name, owner, inserts].join('/'),
      });
    },

    async drop(partition, epoch) {
      await store.command(
        `ALTER TABLE ${checkpoints.name} DROP PARTITION ({topic:String}, {partition:UInt16}, {epoch:UInt64})`,
        { params: { topic, partition, epoch } },
      );
    },

    async holding(partition, text) {
      const rows = await store.queryOnWriter<{ epoch: number }>(
        `SELECT DISTINCT _epoch AS epoch FROM checkpoints
         WHERE topic = {topic:String} AND _partition = {partition:UInt16} AND position(state, unhex({text:String})) > 0`,
        { params: { topic, partition, text: avroText(text).toString('hex') } },
      );
      return rows.map(({ epoch }) => epoch);
    },
  };
}

function entryOf(partition: number, row: HeadRow): CheckpointEntry {
  return {
    partition,
    epoch: row.epoch,
    nextOffset: row.next_offset,
    logTimeMs: row.log_time_ms,
    foldVersion: row.fold_version,
    chunks: row.found === row.chunks ? row.chunks : 0,
  };
}

function chunkRow(topic: string, head: CheckpointHead, chunk: CheckpointChunk): Buffer {
  const out = new RowWriter(chunk.state.length + 512);
  out.string(topic);
  out.uint16(head.partition);
  out.uint64(head.epoch);
  out.uint64(head.nextOffset);
  out.dateTime64Ms(head.logTimeMs);
  out.uint32(head.foldVersion);
  out.uint32(chunk.chunk);
  out.uint32(chunk.chunks);
  out.string(chunk.hash);
  out.bytes(chunk.state);
  out.endRow();
  return out.take();
}
