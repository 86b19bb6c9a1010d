/** A log and tables in memory, as verify sees them: what a partition concluded, ready to be spoilt. */
import type { Log, LogRecord } from '../../platform/log/log.ts';
import { RowReader } from '../../platform/store/row-reader.ts';
import type { Store } from '../../platform/store/store.ts';
import { PartitionFold } from '../../processors/partition.ts';
import type { FoldSettings } from '../../processors/settings.ts';
import { createEpochStore } from '../../processors/shell/clickhouse-epochs.ts';
import type { Commit, SealedEpoch } from '../../processors/shell/epoch-store.ts';
import { sealEpoch } from '../../processors/shell/sink.ts';
import type { ExpiresAtMs } from '../../processors/verify/expiry.ts';
import type { VerifyFinding } from '../../processors/verify/findings.ts';
import type { FoldStart } from '../../processors/verify/fold-epochs.ts';
import type { VerifySummary } from '../../processors/verify/summary.ts';
import {
  type EpochRange,
  type StoredForget,
  type TableSource,
  type ViewKey,
  viewKeyText,
} from '../../processors/verify/table-source.ts';
import { type VerifyOptions, verify } from '../../processors/verify/verify.ts';
import type { Table } from '../../schemas/tables/table.ts';
import { epochs, forgotten, tables, views } from '../../schemas/tables/tables.ts';

/** Partition 0 of a log; it is never written to. */
export class MemoryLog implements Log {
  readonly topic = 'test';
  readonly partitions = 1;
  readonly records: LogRecord[];
  readonly batchRecords: number;

  constructor(records: readonly LogRecord[], batchRecords = 7) {
    this.records = [...records];
    this.batchRecords = batchRecords;
  }

  async append(): Promise<never> {
    throw new Error('verify writes nothing');
  }

  async *read(_: number, { fromOffset }: { fromOffset: number }) {
    const wanted = this.records.filter(({ offset }) => offset >= fromOffset);
    for (let from = 0; from < wanted.length; from += this.batchRecords) {
      yield wanted.slice(from, from + this.batchRecords);
    }
  }

  earliest = async (): Promise<number> => this.records[0]?.offset ?? 0;
  latest = async (): Promise<number> => (this.records.at(-1)?.offset ?? -1) + 1;
  close = async (): Promise<void> => undefined;
}

/** One row of a table. */
export interface StoredRow {
  readonly table: Table;
  readonly bytes: Buffer;
}

const readers = new Map(tables.map((table) => [table, new RowReader(table.columns)]));

export function readerOf(table: Table): RowReader {
  const reader = readers.get(table);
  if (reader === undefined) throw new Error(`no table ${table.name}`);
  return reader;
}

export function valueOfRow({ table, bytes }: StoredRow, column: string): unknown {
  const reader = readerOf(table);
  const index = reader.indexOf(column);
  return reader.valueAt(bytes, reader.cellsOf(bytes, 0)[index] ?? 0, index);
}

export function epochOf(row: StoredRow): number {
  if (row.table === epochs) return Number(valueOfRow(row, '_epoch'));
  return Number(row.bytes.readBigUInt64LE(row.bytes.length - 8));
}

/** The row with the bytes of one value replaced. */
export function withCell(row: StoredRow, column: string, cell: Buffer): StoredRow {
  const reader = readerOf(row.table);
  const cells = reader.cellsOf(row.bytes, 0);
  const index = reader.indexOf(column);
  const [from, to] = [cells[index], cells[index + 1]];
  const bytes = [row.bytes.subarray(0, from), cell, row.bytes.subarray(to)];
  return { table: row.table, bytes: Buffer.concat(bytes) };
}

export function cellOf({ table, bytes }: StoredRow, column: string): Buffer {
  const reader = readerOf(table);
  const cells = reader.cellsOf(bytes, 0);
  const index = reader.indexOf(column);
  return bytes.subarray(cells[index], cells[index + 1]);
}

/** Tables of partition 0. */
export class MemoryTables implements TableSource {
  rowsStored: StoredRow[];
  /** Order in which rows come, and how many in a piece. */
  readonly random: () => number;

  constructor(rows: readonly StoredRow[], random: () => number = () => 0.5) {
    this.rowsStored = [...rows];
    this.random = random;
  }

  async *rows(table: Table, { fromEpoch, toEpoch }: EpochRange): AsyncGenerator<Buffer> {
    const rows = this.rowsStored.filter((row) => {
      if (row.table !== table) return false;
      const epoch = epochOf(row);
      return epoch >= fromEpoch && epoch <= toEpoch;
    });
    for (let index = rows.length - 1; index > 0; index--) {
      const other = Math.floor(this.random() * (index + 1));
      [rows[index], rows[other]] = [rows[other] as StoredRow, rows[index] as StoredRow];
    }
    for (let from = 0; from < rows.length; ) {
      const to = from + 1 + Math.floor(this.random() * 40);
      yield Buffer.concat(rows.slice(from, to).map(({ bytes }) => bytes));
      from = to;
    }
  }

  async newestEpochs(_: number, keys: readonly ViewKey[]): Promise<Map<string, number>> {
    const wanted = new Set(keys.map(viewKeyText));
    const newest = new Map<string, number>();
    for (const row of this.rowsStored) {
      if (row.table !== views) continue;
      const key = viewKeyOf(row);
      if (!wanted.has(key)) continue;
      newest.set(key, Math.max(newest.get(key) ?? 0, epochOf(row)));
    }
    return newest;
  }

  /** As if rows of `rejected` from before had gone, ms. */
  evictedMs = 0;
  evictedBeforeMs = async (): Promise<number> => this.evictedMs;

  async forgets(_: number, afterEpoch: number): Promise<StoredForget[]> {
    return this.rowsStored
      .filter(({ table }) => table === forgotten)
      .map((row) => ({
        project: String(valueOfRow(row, 'project')),
        viewer: String(valueOfRow(row, 'viewer')),
        epoch: epochOf(row),
        offset: Number(valueOfRow(row, 'log_offset')),
      }))
      .filter(({ epoch }) => epoch > afterEpoch);
  }
}

export function viewKeyOf(row: StoredRow): string {
  return viewKeyText({
    project: String(valueOfRow(row, 'project')),
    viewId: String(valueOfRow(row, 'view_id')),
    startDay: Number(valueOfRow(row, 'start_day')),
  });
}

/** What a processor would have written of a partition of the log. */
export interface Written {
  readonly rows: readonly StoredRow[];
  readonly epochs: readonly SealedEpoch[];
  readonly commit: Commit;
}

/** Folds records and writes their epochs as a processor does, into memory. */
export async function writeEpochs(
  records: readonly LogRecord[],
  settings: FoldSettings,
): Promise<Written> {
  const fold = new PartitionFold(0, settings);
  const ended: SealedEpoch[] = [];
  for (const record of records) {
    if (fold.endsBefore(record)) ended.push(sealEpoch(fold.endEpoch()));
    fold.take(record);
  }
  const rows: StoredRow[] = [];
  const store = createEpochStore({ store: capturing(rows), topic: 'test', owner: 'test' });
  for (const epoch of ended) {
    for (const part of epoch.tables) {
      await store.insertRows(part, { partition: 0, epoch: epoch.epoch, attempt: 0 });
    }
    await store.insertCommit(epoch, 0);
  }
  const last = ended.at(-1);
  if (last === undefined) throw new Error('no epoch has ended');
  return { rows, epochs: ended, commit: last };
}

/** A store that only takes inserts, and cuts them into rows. */
function capturing(rows: StoredRow[]): Store {
  const taken: Pick<Store, 'database' | 'insert'> = {
    database: 'test',
    insert: async (name, inserted) => {
      const table = tables.find((one) => one.name === name);
      if (table === undefined) throw new Error(`no table ${name}`);
      const bytes = Buffer.from(inserted);
      for (let start = 0; start < bytes.length; ) {
        const end = readerOf(table).endOf(bytes, start);
        rows.push({ table, bytes: bytes.subarray(start, end) });
        start = end;
      }
    },
  };
  return taken as Store;
}

/** The state after an epoch, as a checkpoint gives it; after none for 0. */
export function foldedUpTo(
  records: readonly LogRecord[],
  settings: FoldSettings,
  epoch: number,
): FoldStart {
  const fold = new PartitionFold(0, settings);
  for (const record of records) {
    if (fold.epoch > epoch) break;
    if (fold.endsBefore(record)) sealEpoch(fold.endEpoch());
    if (fold.epoch > epoch) break;
    fold.take(record);
  }
  return { fold, fromOffset: fold.nextOffset, epoch, isFresh: epoch === 0 };
}

export interface Verified {
  readonly findings: readonly VerifyFinding[];
  readonly summary: VerifySummary;
}

/** Runs a verify to its end. */
export async function drain(
  running: AsyncGenerator<VerifyFinding, VerifySummary>,
): Promise<Verified> {
  const findings: VerifyFinding[] = [];
  for (;;) {
    const { value, done } = await running.next();
    if (done) return { findings, summary: value };
    findings.push(value);
  }
}

export interface VerifyMemory {
  readonly log: MemoryLog;
  readonly tables: MemoryTables;
  readonly settings: FoldSettings;
  readonly commit: Commit | undefined;
  readonly pause?: () => Promise<void>;
  readonly expiresAtMs?: ExpiresAtMs;
  /** Epoch of the state to begin with. */
  readonly startEpoch?: number;
  readonly nowMs?: number;
}

export function verifyMemory(memory: VerifyMemory, options: VerifyOptions = {}): Promise<Verified> {
  const { log, tables: source, settings, commit, startEpoch = 0, nowMs = 0 } = memory;
  return drain(
    verify(
      {
        log,
        tables: source,
        startFold: async () => foldedUpTo(log.records, settings, startEpoch),
        lastCommit: async () => commit,
        now: () => nowMs,
        ...(memory.expiresAtMs === undefined ? {} : { expiresAtMs: memory.expiresAtMs }),
        pause: memory.pause ?? (() => Promise.resolve()),
      },
      options,
    ),
  );
}
