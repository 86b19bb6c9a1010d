/** Verify on the real engines: what processors wrote is right, and one value changed by hand is found. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';
import type { Log, LogRecord } from '../../platform/log/log.ts';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import { RowReader } from '../../platform/store/row-reader.ts';
import type { OpenStore } from '../../platform/store/store.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { createEpochStore } from '../../processors/shell/clickhouse-epochs.ts';
import type { Commit } from '../../processors/shell/epoch-store.ts';
import { sealEpoch } from '../../processors/shell/sink.ts';
import { createSqlTableSource, viewKeyText } from '../../processors/verify/table-source.ts';
import { type VerifyOptions, verify } from '../../processors/verify/verify.ts';
import { part } from '../../schemas/beat.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { epochTables, tables } from '../../schemas/tables/tables.ts';
import { beat, event } from '../support/beats.ts';
import { drain, type Verified } from '../support/verify.ts';

const TOPIC = 'test';
const PARTITIONS = 2;
/** Text that a line reader, a JSON reader or a parser of SQL takes for something else. */
const HOSTILE = 'a\n\nDROP TABLE views;\0\t"\\\'é😀';

let directory: string;
let log: Log;
let store: OpenStore;
const commits = new Map<number, Commit>();

const VIEWER = 'viewer-11';

/** Append times: what `viewers_now` keeps for an hour is partly gone, or going, when verify looks. */
const startMs = Date.now() - 75 * 60_000;
let nowMs = startMs;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    topic: TOPIC,
    partitions: PARTITIONS,
    now: () => nowMs,
  });
  store = await openStore({ directory: join(directory, 'store'), database: 'streamgauge' });
  await migrate(store, migrations);
  await fillLog();
  for (let partition = 0; partition < PARTITIONS; partition++) await writePartition(partition);
  for (const table of ['view_events', 'views']) {
    await store.command(
      `ALTER TABLE ${table} DELETE WHERE startsWith(view_id, 'view-11') SETTINGS mutations_sync = 2`,
    );
  }
});

afterAll(async () => {
  await log.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

/** Views that play for some minutes with everything that a row can hold, rejects, and a viewer who is forgotten. */
async function fillLog(): Promise<void> {
  for (let second = 0; second < 60; second++) {
    nowMs = startMs + second * 1_000;
    const appends = Array.from({ length: 12 }, (_, view) =>
      log.append(view % PARTITIONS, viewBeat(view, second)),
    );
    if (second % 10 === 0) appends.push(log.append(0, Buffer.from(`foreign ${HOSTILE}`)));
    await Promise.all(appends);
  }
  const forget = encodeRecord('forget', { project: 'default', viewer: VIEWER });
  await Promise.all([log.append(0, forget), log.append(1, forget)]);
  for (let minute = 1; minute < 70; minute++) {
    nowMs = startMs + minute * 60_000;
    const tick = encodeRecord('tick', {});
    await Promise.all([log.append(0, tick), log.append(1, tick)]);
  }
}

function viewBeat(view: number, second: number): Buffer {
  const ms = second * 1_000;
  const parts = [
    part.state(second === 0 ? 'starting' : second % 9 === 8 ? 'rebuffering' : 'playing'),
    part.rendition({ bitrate: 1_000_000 + view * 1_000 + second, width: 1280, height: 720 }),
    part.status({ liveLatency: 3_000 + second, droppedFrames: second, shownFrames: 100 }),
    part.request({ kind: 'segment', status: 200, bytes: 5_000, ttfb: 40 + view, ttlb: 90 }),
    part.custom({ name: 'note', value: `${HOSTILE} ${second}` }),
  ];
  const events = parts.map((one, index) => event(second * 5 + index, ms + index, HOSTILE, one));
  const context = [
    { name: 'video_title', value: HOSTILE },
    { name: 'viewer_user_id', value: `viewer-${view}` },
    { name: 'cdn', value: `cdn ${view % 3}` },
  ];
  return encodeRecord('beat', beat(events, { view: `view-${view}${HOSTILE}`, context }));
}

/** Writes what a partition came to, as a processor does. */
async function writePartition(partition: number): Promise<void> {
  const epochStore = createEpochStore({ store, topic: TOPIC, owner: 'test' });
  const fold = new PartitionFold(partition);
  const end = async (): Promise<void> => {
    const sealed = sealEpoch(fold.endEpoch());
    for (const rows of sealed.tables) {
      if (rows.rows === 0) continue;
      await epochStore.insertRows(rows, { partition, epoch: sealed.epoch, attempt: 0 });
    }
    await epochStore.insertCommit(sealed, 0);
    commits.set(partition, sealed);
  };
  for (const record of await readAll(partition)) {
    if (fold.endsBefore(record)) await end();
    fold.take(record);
  }
}

async function readAll(partition: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const batch of log.read(partition, { fromOffset: 0, follow: false })) {
    records.push(...batch);
  }
  return records;
}

function run(rowsPerPieceMax: number, options: VerifyOptions = {}): Promise<Verified> {
  return drain(
    verify(
      {
        log,
        tables: createSqlTableSource({ store, topic: TOPIC, rowsPerPieceMax }),
        startFold: async (partition) => ({
          fold: new PartitionFold(partition),
          fromOffset: 0,
          epoch: 0,
          isFresh: true,
        }),
        lastCommit: async (partition) => commits.get(partition),
        now: Date.now,
        pause: () => new Promise((resolve) => setImmediate(resolve)),
      },
      options,
    ),
  );
}

/** Columns by which a row of a table is told from all others. */
function hashed(table: string): string {
  const columns = tables.find(({ name }) => name === table)?.columns ?? [];
  return columns
    .filter(({ type }) => !type.startsWith('Nullable'))
    .map(({ name }) => name)
    .join(', ');
}

describe('verify', () => {
  it.each([
    [50_000, 200_000],
    [150, 100],
  ])('finds nothing in pieces of %d rows and batches of %d', async (pieces, rowsPerBatchMax) => {
    const { findings, summary } = await run(pieces, { rowsPerBatchMax });
    expect(findings).toEqual([]);
    expect(summary.epochs).toBeGreaterThan(150);
    for (const { name } of epochTables) expect([name, summary.rows[name]]).not.toEqual([name, 0]);
    expect(summary.forgotten).toBeGreaterThan(0);
  });

  it('finds nothing after merges', async () => {
    for (const { name } of epochTables) await store.command(`OPTIMIZE TABLE ${name} FINAL`);
    const { findings, summary } = await run(50_000);
    expect(findings).toEqual([]);
    expect(summary.superseded).toBeGreaterThan(0);
    expect(summary.expired).toBeGreaterThan(0);
  });

  it.each([
    ['views', 'playing_ms', 'playing_ms + 1'],
    ['view_events', 'parts', "concat(parts, '\\n')"],
    ['playback_5s', 'startup_sketch', 'map(1, 1)'],
    ['rejected', 'message', "''"],
    ['epochs', 'records', 'records + 1'],
  ])('finds one value of %s that was changed by hand', async (table, column, value) => {
    const kept = `${table}_kept`;
    await store.command(`CREATE TABLE ${kept} AS ${table}`);
    await store.command(`INSERT INTO ${kept} SELECT * FROM ${table}`);
    // One row, by what tells it from all others.
    const one = `(_partition, _epoch, sipHash64(${hashed(table)}))`;
    await store.command(
      `ALTER TABLE ${table} UPDATE ${column} = ${value}
       WHERE ${one} = (SELECT ${one} FROM ${kept} ORDER BY ${one} LIMIT 1) SETTINGS mutations_sync = 2`,
    );
    const { findings } = await run(50_000);
    await store.command(`EXCHANGE TABLES ${table} AND ${kept}`);
    await store.command(`DROP TABLE ${kept}`);
    expect(findings).toMatchObject([{ table, columns: [{ name: column }] }]);
    expect(findings[0]?.kind).toBe(table === 'epochs' ? 'commit_different' : 'different');
    if (table.startsWith('view')) expect(findings[0]?.key).toMatch(/view_id=.*view-/);
    expect((await run(50_000)).findings).toEqual([]);
  });

  it('does not look at commits of another topic, nor at epochs after the last commit', async () => {
    await store.command(
      "INSERT INTO epochs SELECT * REPLACE ('other' AS topic) FROM epochs WHERE _epoch < 5",
    );
    await store.command(
      'INSERT INTO rejected SELECT * REPLACE (_epoch + 1000000 AS _epoch) FROM rejected',
    );
    expect((await run(50_000)).findings).toEqual([]);
    await store.command('DELETE FROM rejected WHERE _epoch > 1000000');
  });
});

/** The rows of the first epochs of a table, and in how many pieces they came. */
async function rowsIn(
  name: string,
  rowsPerPieceMax: number,
): Promise<{ rows: string[]; pieces: number }> {
  const table = tables.find((one) => one.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  const source = createSqlTableSource({ store, topic: TOPIC, rowsPerPieceMax });
  const reader = new RowReader(table.columns);
  const rows: string[] = [];
  let pieces = 0;
  for await (const bytes of source.rows(table, { partition: 0, fromEpoch: 0, toEpoch: 40 })) {
    pieces++;
    for (let start = 0; start < bytes.length; ) {
      const end = reader.endOf(bytes, start);
      rows.push(bytes.toString('latin1', start, end));
      start = end;
    }
  }
  return { rows, pieces };
}

describe('the tables in SQL', () => {
  it('tell the newest epoch of views by their whole key', async () => {
    const source = createSqlTableSource({ store, topic: TOPIC });
    const rows = await store.query<{ view_id: string; day: number; epoch: number }>(
      'SELECT view_id, toUInt16(start_day) AS day, max(_epoch) AS epoch FROM views WHERE _partition = 0 GROUP BY ALL',
    );
    expect(rows).toHaveLength(6);
    const keys = rows.map(({ view_id, day }) => ({
      project: 'default',
      viewId: view_id,
      startDay: day,
    }));
    const [first] = keys;
    if (first === undefined) throw new Error('no view');
    const strangers = [
      { ...first, startDay: first.startDay + 1 },
      { ...first, project: 'other' },
    ];
    const newest = await source.newestEpochs(0, [...keys, ...strangers]);
    const expected = rows.map(({ epoch }, index) => [viewKeyText(keys[index] ?? first), epoch]);
    expect([...newest].sort()).toEqual(expected.sort());
    expect(await source.newestEpochs(1, keys)).toEqual(new Map());
    expect(await source.newestEpochs(0, [])).toEqual(new Map());
  });

  it('tell who was to be forgotten after an epoch', async () => {
    const source = createSqlTableSource({ store, topic: TOPIC });
    const [forget] = await source.forgets(0, 0);
    expect(forget).toMatchObject({ project: 'default', viewer: VIEWER });
    expect(await source.forgets(0, forget?.epoch ?? 0)).toEqual([]);
  });

  it.each([
    ['views', 3],
    ['view_events', 40],
    ['playback_5s', 5],
    ['rejected', 1],
    ['epochs', 10],
  ])(
    'give the rows of %s in pieces of some %d, each row once, an epoch in several pieces',
    async (name, rowsMax) => {
      const one = await rowsIn(name, 50_000);
      expect(one.pieces).toBe(1);
      const many = await rowsIn(name, rowsMax);
      expect(many.rows.sort()).toEqual(one.rows.sort());
      expect(many.pieces).toBeGreaterThan(1);
      expect(many.pieces).toBeGreaterThanOrEqual(Math.floor(one.rows.length / rowsMax / 4));
    },
  );

  it('end a query with their signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const source = createSqlTableSource({ store, topic: TOPIC, signal });
    await expect(source.forgets(0, 0)).rejects.toMatchObject({ cause: { message: 'enough' } });
  });
});
