/** Checkpoints, recovery and forgetting on the real engines. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';
import type { Log } from '../../platform/log/log.ts';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import { type Store, StoreError } from '../../platform/store/store.ts';
import { createForgetCommand } from '../../processors/forget-command.ts';
import { Processor, type ProcessorOptions } from '../../processors/processor.ts';
import { FOLD_VERSION } from '../../processors/settings.ts';
import { createVerifyCommand } from '../../processors/verify-command.ts';
import { type Entry, part } from '../../schemas/beat.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { epochTables } from '../../schemas/tables/tables.ts';
import { beat, event, states } from '../support/beats.ts';
import { until } from '../support/running.ts';

const TOPIC = 'test';
const SETTINGS = { epochMs: 200, reorderMs: 300, viewTimeoutMs: 60_000 };
const LIMITS = { checkpointMs: 600, checkpointEventsMax: 1_000_000 };
const VIEWER = 'viewer-to-forget';

let directory: string;
let log: Log;
let store: Store;
let told: { message: string; fields: Record<string, unknown> }[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  log = await openEmbeddedLog({ directory: join(directory, 'log'), topic: TOPIC, partitions: 1 });
  store = await openStore({ directory: join(directory, 'store'), database: 'streamgauge' });
  await migrate(store, migrations);
  told = [];
});

afterEach(async () => {
  await log.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function startProcessor(options: Partial<ProcessorOptions> = {}): Promise<Processor> {
  const tell = (fields: object, message: string) => {
    told.push({ message, fields: { ...fields } });
  };
  const logger = { info: tell, error: tell };
  const processor = new Processor({
    log,
    store,
    settings: SETTINGS,
    limits: LIMITS,
    logger,
    ...options,
  });
  await processor.start();
  return processor;
}

/** A view that plays on: its first beat, and one for each second after. */
function playingBeat(view: string, second: number, context: readonly Entry[] = []): Buffer {
  const events =
    second === 0
      ? states([0, 'starting'], [400, 'playing'])
      : [event(second + 1, second * 1_000, 'heartbeat', part.status({ playhead: second * 1_000 }))];
  return encodeRecord('beat', beat(events, { view, context, trustedClock: false }));
}

async function untilCommitted(processor: Processor, offset: number): Promise<void> {
  await until(
    () => store.query<{ done: number }>('SELECT max(next_offset) AS done FROM epochs'),
    ([row]) => (row?.done ?? 0) > offset && processor.failure === undefined,
  );
}

async function verifyAll(): Promise<{ exit: number; lines: string[] }> {
  const lines: string[] = [];
  const command = createVerifyCommand({ log, store, retention: [] });
  const exit = await command({}, (line) => lines.push(line), new AbortController().signal);
  return { exit, lines };
}

function wholeCheckpoints(): Promise<{ epoch: number }[]> {
  return store.query('SELECT _epoch AS epoch FROM checkpoints WHERE chunks > 0 ORDER BY epoch');
}

describe('a checkpoint', () => {
  it('is left by a clean stop, and the next start goes on from there', async () => {
    const first = await startProcessor();
    for (let second = 0; second < 5; second++) await log.append(0, playingBeat('a', second));
    await first.stop();
    const [newest] = (await wholeCheckpoints()).reverse();
    const second = await startProcessor();
    const begun = told.find(({ message }) => message.includes('goes on from its checkpoint'));
    expect(begun?.fields).toMatchObject({ checkpoint: newest?.epoch, commit: newest?.epoch });
    await log.append(0, encodeRecord('beat', beat(states([5_000, 'ended']), { view: 'other' })));
    const { offset } = await log.append(0, playingBeat('a', 5));
    await untilCommitted(second, offset);
    await second.stop();
    expect(await verifyAll()).toMatchObject({ exit: 0 });
  });

  it('is written while the partition goes on; the two newest and the first of the day stay', async () => {
    const processor = await startProcessor();
    await log.append(0, playingBeat('a', 0));
    await until(
      async () => processor.checkpoints.counters,
      ({ written, dropped }) => written >= 5 && dropped >= 2,
    );
    await processor.stop();
    expect((await wholeCheckpoints()).length).toBe(3);
  });

  it('that is broken is passed over for an older one', async () => {
    const first = await startProcessor();
    await log.append(0, playingBeat('a', 0));
    await until(wholeCheckpoints, (list) => list.length >= 2);
    await first.stop();
    const [newest, older] = (await wholeCheckpoints()).reverse();
    await store.command(
      "ALTER TABLE checkpoints UPDATE state = concat(state, 'x') WHERE _epoch = {epoch:UInt64} SETTINGS mutations_sync = 2",
      { params: { epoch: newest?.epoch ?? 0 } },
    );
    const second = await startProcessor();
    const begun = told.findLast(({ message }) => message.includes('goes on from its checkpoint'));
    expect(begun?.fields).toMatchObject({ checkpoint: older?.epoch, commit: newest?.epoch });
    const { offset } = await log.append(0, playingBeat('a', 1));
    await untilCommitted(second, offset);
    await second.stop();
    expect(await verifyAll()).toMatchObject({ exit: 0 });
  });
});

describe('recovery', () => {
  it('is refused where a newer version of the fold has concluded', async () => {
    const first = await startProcessor();
    await log.append(0, playingBeat('a', 0));
    await first.stop();
    await store.command(
      'ALTER TABLE epochs UPDATE fold_version = fold_version + 1 WHERE 1 SETTINGS mutations_sync = 2',
    );
    await expect(startProcessor()).rejects.toMatchObject({ code: 'fold_version_newer' });
  });

  it('stops where the log says that a newer version is in force', async () => {
    const processor = await startProcessor();
    const foldVersion = FOLD_VERSION + 1;
    await log.append(0, encodeRecord('settings', { foldVersion, values: {} }));
    const failure = await until(
      async () => processor.failure,
      (error) => error !== undefined,
    );
    expect(failure).toMatchObject({ code: 'fold_version_newer' });
    await processor.stop();
  });

  it('waits out a store that fails, and writes every epoch once', async () => {
    let inserts = 0;
    const failing: Store = {
      ...bound(store),
      insert: async (table, rows, options) => {
        inserts++;
        if (inserts % 3 !== 0) return store.insert(table, rows, options);
        // Every other failure is an answer that was lost.
        if (inserts % 2 === 0) await store.insert(table, rows, options);
        throw new StoreError('store_unavailable', 'no answer came');
      },
    };
    const processor = await startProcessor({ store: failing });
    let offset = 0;
    for (let second = 0; second < 8; second++) {
      offset = (await log.append(0, playingBeat('a', second))).offset;
    }
    await untilCommitted(processor, offset);
    await processor.stop();
    expect(processor.sink.counters.failuresRetried).toBeGreaterThan(0);
    expect(await verifyAll()).toMatchObject({ exit: 0 });
  });
});

/** A store's methods, to lay others over. */
function bound(from: Store): Store {
  return {
    database: from.database,
    query: (sql, options) => from.query(sql, options),
    queryOnWriter: (sql, options) => from.queryOnWriter(sql, options),
    queryBinary: (sql, options) => from.queryBinary(sql, options),
    queryFormat: (sql, format, options) => from.queryFormat(sql, format, options),
    command: (sql, options) => from.command(sql, options),
    insert: (table, rows, options) => from.insert(table, rows, options),
    close: () => from.close(),
  };
}

describe('forget', () => {
  const WHO: readonly Entry[] = [{ name: 'viewer_user_id', value: VIEWER }];

  /** Where a text stands: tables whose rows hold it anywhere, `forgotten` left out, which must. */
  async function tracesOf(text: string): Promise<string[]> {
    const found: string[] = [];
    for (const name of [...epochTables.map((table) => table.name), 'checkpoints']) {
      if (name === 'forgotten') continue;
      const rows = await store.query<{ rows: number }>(
        `SELECT count() AS rows FROM ${name} WHERE position(toString(tuple(*)), {text:String}) > 0`,
        { params: { text } },
      );
      if ((rows[0]?.rows ?? 0) > 0) found.push(name);
    }
    return found;
  }

  async function forget(): Promise<void> {
    const project = { id: 'default', rawViewerIds: true } as never;
    const command = createForgetCommand({ log, store, projects: { list: () => [project] } });
    const signal = new AbortController().signal;
    const args = { project: 'default', viewerId: VIEWER };
    expect(await command(args, () => undefined, signal)).toBe(0);
  }

  /** One view that ended, one that plays, another viewer's, and a reject of each viewer. */
  async function appendViews(): Promise<number> {
    const ended = states([0, 'starting'], [100, 'playing'], [1_100, 'ended']);
    await log.append(0, encodeRecord('beat', beat(ended, { view: 'ended-view', context: WHO })));
    await log.append(0, playingBeat('open-view', 0, WHO));
    await log.append(0, playingBeat('other-view', 0, [{ name: 'viewer_user_id', value: 'other' }]));
    const reject = { project: 'default', view: '', route: 'beats', code: 'x', message: '' };
    const bytes = Buffer.from(`{"context":{"viewer_user_id":"${VIEWER}"},"events":`);
    await log.append(0, encodeRecord('reject', { ...reject, bytes }));
    const other = Buffer.from('{"context":{"viewer_user_id":"other"}');
    return (await log.append(0, encodeRecord('reject', { ...reject, bytes: other }))).offset;
  }

  it('leaves no trace in tables, rejects and checkpoints, then or after a replay', async () => {
    const processor = await startProcessor();
    await untilCommitted(processor, await appendViews());
    await until(
      () => tracesOf(VIEWER),
      (found) => ['views', 'rejected', 'checkpoints'].every((name) => found.includes(name)),
    );
    await forget();
    await until(
      () => Promise.all([VIEWER, 'ended-view', 'open-view'].map(tracesOf)),
      (found) => found.flat().length === 0,
    );
    const left = await store.query('SELECT DISTINCT view_id FROM views ORDER BY view_id');
    expect(left).toEqual([{ view_id: 'other-view' }]);
    expect(await store.query("SELECT count() AS rows FROM rejected WHERE code = 'x'")).toEqual([
      { rows: 1 },
    ]);
    await processor.stop();
    expect(await verifyAll()).toMatchObject({ exit: 0 });

    // Without any checkpoint, all of the log is folded again.
    await store.command('TRUNCATE TABLE checkpoints');
    const again = await startProcessor();
    const { offset } = await log.append(0, playingBeat('other-view', 1));
    await untilCommitted(again, offset);
    await again.stop();
    for (const text of [VIEWER, 'ended-view', 'open-view'])
      expect(await tracesOf(text)).toEqual([]);
    expect(await verifyAll()).toMatchObject({ exit: 0 });
  });

  it('keeps the sums that name nobody, and takes later views of the viewer as new', async () => {
    const processor = await startProcessor();
    const sums = () => store.query('SELECT sum(playing_ms) AS playing FROM playback_5s');
    await untilCommitted(processor, await appendViews());
    await until(sums, ([row]) => Number((row as { playing: number }).playing) > 0);
    const before = await sums();
    await forget();
    expect(await sums()).toEqual(before);
    const { offset } = await log.append(0, playingBeat('later-view', 0, WHO));
    await untilCommitted(processor, offset);
    await until(
      () => store.query("SELECT view_id FROM views WHERE view_id = 'later-view'"),
      (rows) => rows.length > 0,
    );
    await processor.stop();
    expect(await verifyAll()).toMatchObject({ exit: 0 });
  });
});
