/** The budget of rejects on the real engines: the oldest go, nothing that may still be written, and verify knows of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';
import type { Log, LogRecord } from '../../platform/log/log.ts';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import type { OpenStore } from '../../platform/store/store.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { RejectBudgetWatch } from '../../processors/reject-budget-watch.ts';
import { createEpochStore } from '../../processors/shell/clickhouse-epochs.ts';
import { createRejectBudget, REJECT_ROW_BYTES } from '../../processors/shell/reject-budget.ts';
import { sealEpoch } from '../../processors/shell/sink.ts';
import { createVerifyCommand } from '../../processors/verify-command.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { until } from '../support/running.ts';

const TOPIC = 'test';
const HOUR_MS = 3_600_000;
/** Ten past midnight: the days of the rows end within them. */
const START_MS = Date.UTC(2026, 0, 10, 0, 10);
const HOURS = 30;
const BYTES = 10_000;

let directory: string;
let log: Log;
let store: OpenStore;
let nowMs = START_MS;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    topic: TOPIC,
    partitions: 2,
    now: () => nowMs,
  });
  store = await openStore({ directory: join(directory, 'store'), database: 'streamgauge' });
  await migrate(store, migrations);
  for (let hour = 0; hour <= HOURS; hour++) {
    nowMs = START_MS + hour * HOUR_MS;
    for (const partition of [0, 1]) await log.append(partition, reject(hour));
  }
  nowMs += 60_000;
  for (const partition of [0, 1]) await log.append(partition, encodeRecord('tick', {}));
});

afterEach(async () => {
  await log.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

function reject(hour: number): Buffer {
  return encodeRecord('reject', {
    project: 'default',
    view: `view-${hour}`,
    route: '/v1/beats',
    code: 'seq_invalid',
    message: 'seq is wrong',
    bytes: Buffer.alloc(BYTES, 'x'),
  });
}

/** Writes what a partition came to, as a processor does. */
async function writePartition(partition: number): Promise<void> {
  const epochs = createEpochStore({ store, topic: TOPIC, owner: 'test' });
  const fold = new PartitionFold(partition);
  const end = async (): Promise<void> => {
    const sealed = sealEpoch(fold.endEpoch());
    for (const part of sealed.tables) {
      if (part.rows === 0) continue;
      await epochs.insertRows(part, { partition, epoch: sealed.epoch, attempt: 0 });
    }
    await epochs.insertCommit(sealed, 0);
  };
  const records: LogRecord[] = [];
  for await (const batch of log.read(partition, { fromOffset: 0, follow: false })) {
    records.push(...batch);
  }
  for (const record of records) {
    if (fold.endsBefore(record)) await end();
    fold.take(record);
  }
}

function budget(bytesMax: number) {
  return createRejectBudget({ store, log, bytesMax });
}

async function verifyNow(): Promise<{ exit: number; text: string }> {
  const lines: string[] = [];
  const verify = createVerifyCommand({ log, store, retention: [] });
  const print = (line: string): void => {
    lines.push(line);
  };
  const exit = await verify({}, print, new AbortController().signal);
  return { exit, text: lines.join('\n') };
}

async function left(): Promise<{ rows: number; bytes: number; firstMs: number }> {
  const [row] = await store.query<{ rows: number; bytes: number; firstMs: number }>(
    `SELECT count() AS rows, sum(${REJECT_ROW_BYTES}) AS bytes,
       toUnixTimestamp64Milli(min(at)) AS firstMs FROM rejected`,
  );
  if (row === undefined) throw new Error('no answer');
  return row;
}

describe('a table of rejects beyond its budget', () => {
  it('loses its oldest rows, whole days and a part of one, and verify excuses them and no others', async () => {
    for (const partition of [0, 1]) await writePartition(partition);
    const before = await left();
    expect(before.rows).toBe(2 * (HOURS + 1));
    const bytesMax = Math.floor(before.bytes / 6);

    const enforce = budget(bytesMax);
    const eviction = await enforce();

    const after = await left();
    expect(eviction).toMatchObject({
      rows: before.rows - after.rows,
      bytes: before.bytes - after.bytes,
    });
    expect(after.bytes).toBeLessThanOrEqual(bytesMax);
    expect(after.bytes).toBeGreaterThan(bytesMax * 0.7);
    expect(after.firstMs).toBeGreaterThanOrEqual(eviction?.beforeMs ?? 0);
    // A day and more went: both ways of removing were taken.
    expect((eviction?.beforeMs ?? 0) - START_MS).toBeGreaterThan(24 * HOUR_MS);
    expect(await enforce()).toBeUndefined();

    const verified = await verifyNow();
    expect(verified.text).toContain(`evicted ${eviction?.rows}`);
    expect(verified).toMatchObject({ exit: 0 });

    await store.command(
      `ALTER TABLE rejected DELETE WHERE at = (SELECT max(at) FROM rejected) SETTINGS mutations_sync = 2`,
    );
    const spoilt = await verifyNow();
    expect(spoilt.exit).toBe(1);
    expect(spoilt.text).toContain('missing rejected');
  });

  it('keeps what is younger than ten minutes before what every partition has committed', async () => {
    for (const partition of [0, 1]) await writePartition(partition);
    const eviction = await budget(1)();
    // The last two rows are a minute older than the last tick.
    expect(eviction?.rows).toBe(2 * HOURS);
    expect(await left()).toMatchObject({ rows: 2, firstMs: START_MS + HOURS * HOUR_MS });
  });

  it('keeps everything while a partition has committed nothing: its epochs may be old', async () => {
    await writePartition(0);
    expect(await budget(1)()).toBeUndefined();
    expect(await left()).toMatchObject({ rows: HOURS + 1 });
    await writePartition(1);
    expect(await budget(1)()).toMatchObject({ rows: 2 * HOURS });
  });

  it('keeps everything without a limit, and below it', async () => {
    for (const partition of [0, 1]) await writePartition(partition);
    expect(await budget(0)()).toBeUndefined();
    expect(await budget(2 ** 30)()).toBeUndefined();
    expect(await left()).toMatchObject({ rows: 2 * (HOURS + 1) });
  });

  it('is looked after by the owner of partition 0 alone, which counts, and tells it once', async () => {
    for (const partition of [0, 1]) await writePartition(partition);
    const told: object[] = [];
    const logger = { warn: (fields: object) => told.push(fields), error: () => undefined };
    const [one, other] = [0, 1].map((partition) => {
      const processor = { partitions: [{ partition, caughtUp: true }] } as never;
      return new RejectBudgetWatch({ enforce: budget(1), processor, logger, lookMs: 20 });
    });
    other?.start();
    one?.start();
    await until(
      async () => one?.counters.evictedRows,
      (rows) => rows === 2 * HOURS,
    );
    await Promise.all([one?.close(), other?.close()]);
    expect(other?.counters).toEqual({ evictedRows: 0, evictedBytes: 0, evictionsFailed: 0 });
    expect(told).toMatchObject([{ rows: 2 * HOURS }]);
  });
});
