/** The shell around the fold on the real engines: epochs once, also after a kill, settings by the log. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';
import type { Log } from '../../platform/log/log.ts';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import type { Store } from '../../platform/store/store.ts';
import { PartitionFold } from '../../processors/partition.ts';
import { Processor, type ProcessorOptions } from '../../processors/processor.ts';
import { createEpochStore } from '../../processors/shell/clickhouse-epochs.ts';
import type { SealedEpoch } from '../../processors/shell/epoch-store.ts';
import { createSink, type Sink, sealEpoch } from '../../processors/shell/sink.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { beat, states } from '../support/beats.ts';
import { until } from '../support/running.ts';

const TOPIC = 'test';
const SETTINGS = { epochMs: 200, reorderMs: 300, viewTimeoutMs: 1_500 };

let directory: string;
let log: Log;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  log = await openEmbeddedLog({ directory: join(directory, 'log'), topic: TOPIC, partitions: 2 });
  store = await openStore({ directory: join(directory, 'store'), database: 'streamgauge' });
  await migrate(store, migrations);
});

afterEach(async () => {
  await log.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const logger = { info: () => undefined, error: () => undefined };

function createProcessor(options: Partial<ProcessorOptions> = {}): Processor {
  return new Processor({ log, store, settings: SETTINGS, logger, ...options });
}

function sinkOf(): Sink {
  const epochs = createEpochStore({ store, topic: TOPIC, owner: 'test' });
  return createSink({ epochs, logger, sleep: () => Promise.resolve() });
}

/** A view that began now and lasted a second on its own clock. */
function viewBeat(id: string): Buffer {
  const events = states([0, 'starting'], [100, 'playing'], [1_100, 'ended']);
  return encodeRecord('beat', beat(events, { view: id }));
}

async function countViews(): Promise<number> {
  const [row] = await store.query<{ views: number }>('SELECT count() AS views FROM views FINAL');
  return row?.views ?? 0;
}

async function countRows(table: string): Promise<number> {
  const [row] = await store.query<{ rows: number }>(`SELECT count() AS rows FROM ${table}`);
  return row?.rows ?? 0;
}

describe('a processor', () => {
  it('writes what the log holds, ticks when nobody writes, and goes on where it stopped', async () => {
    await log.append(0, viewBeat('a'));
    const first = createProcessor();
    await first.start();
    await until(countViews, (views) => views === 1);
    await log.append(1, viewBeat('b'));
    await first.stop();

    const second = createProcessor();
    await second.start();
    await log.append(0, viewBeat('c'));
    await until(countViews, (views) => views === 3);
    await second.stop();
    expect(await countRows('view_events')).toBe(9);
    const gaps = await store.query<{ gaps: number }>(
      `SELECT countIf(_epoch != previous + 1) AS gaps FROM (
         SELECT _epoch, lagInFrame(_epoch) OVER (PARTITION BY _partition ORDER BY _epoch) AS previous FROM epochs)`,
    );
    expect(gaps).toEqual([{ gaps: 0 }]);
  });

  it('announces settings that differ, in every partition, and folds by them from the next epoch', async () => {
    const processor = createProcessor();
    await processor.start();
    await until(
      async () => processor.partitions.map(({ fold }) => fold.settings.epochMs),
      (lengths) => lengths.every((epochMs) => epochMs === SETTINGS.epochMs),
    );
    await processor.stop();
  });

  it('stops with a stable code when the log ends before its last commit', async () => {
    await log.append(0, viewBeat('a'));
    const first = createProcessor();
    await first.start();
    await until(countViews, (views) => views === 1);
    await first.stop();
    const emptied = await openEmbeddedLog({
      directory: join(directory, 'other'),
      topic: TOPIC,
      partitions: 2,
    });
    const second = createProcessor({ log: emptied });
    await expect(second.start()).rejects.toMatchObject({ code: 'commit_beyond_log' });
    await emptied.close();
  });
});

describe('an epoch in doubt', () => {
  /** An epoch with a few rows in each table. */
  function someEpoch(): SealedEpoch {
    const fold = new PartitionFold(0);
    const now = Date.now();
    fold.fold({ offset: 0, appendTimeMs: now, value: viewBeat('a') }, () => undefined);
    fold.fold({ offset: 1, appendTimeMs: now + 1, value: Buffer.from('foreign') }, () => undefined);
    // Later records of the same epoch place the view, which gives it a row.
    fold.beats.advance(now + 60_000, fold.epoch);
    return sealEpoch(fold.endEpoch());
  }

  const tables = ['views', 'view_events', 'rejected', 'epochs'];
  const counts = () => Promise.all(tables.map(countRows));

  it('is written whole when nothing of it is there', async () => {
    await sinkOf().write(someEpoch(), true);
    expect(await counts()).toEqual([1, 3, 1, 1]);
  });

  it('is not touched when it is committed', async () => {
    const sink = sinkOf();
    const epoch = someEpoch();
    await sink.write(epoch, false);
    await store.command('DELETE FROM view_events WHERE seq = 1');
    await sink.write(epoch, true);
    expect(await counts()).toEqual([1, 2, 1, 1]);
  });

  it('loses what an owner wrote that came too late, when it is committed', async () => {
    const sink = sinkOf();
    const epoch = someEpoch();
    await sink.write(epoch, false);
    const [late] = epoch.tables.filter(({ table }) => table.name === 'view_events');
    if (late === undefined) throw new Error('the epoch has no events');
    const epochStore = createEpochStore({ store, topic: TOPIC, owner: 'late' });
    await epochStore.insertRows(late, { partition: 0, epoch: epoch.epoch, attempt: 7 });
    expect(await countRows('view_events')).toBe(6);
    await sink.write(epoch, true);
    expect(await counts()).toEqual([1, 3, 1, 1]);
  });

  it('is left as it is when all of it is there', async () => {
    const sink = sinkOf();
    const epoch = someEpoch();
    await sink.write(epoch, false);
    await sink.write(epoch, true);
    expect((await counts()).slice(0, 3)).toEqual([1, 3, 1]);
  });

  it('is put right when some of it is there', async () => {
    const sink = sinkOf();
    const epoch = someEpoch();
    await sink.write(epoch, false);
    await store.command('DELETE FROM view_events WHERE seq = 1');
    await store.command('TRUNCATE TABLE epochs');
    expect(await countRows('view_events')).toBe(2);
    await sink.write(epoch, true);
    expect((await counts()).slice(0, 3)).toEqual([1, 3, 1]);
    expect(sink.counters.attemptsRaised).toBe(1);
  });
});

describe('kill -9', () => {
  it('leaves every accepted view in the tables, once', async () => {
    await log.close();
    await store.close();
    const main = join(import.meta.dirname, '..', '..', 'main.ts');
    const data = join(directory, 'killed');
    const start = async (): Promise<{ url: string; kill: () => Promise<void> }> => {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', main, '--port', '0', '--data-dir', data, '--epoch-ms', '200'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const url = await new Promise<string>((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (chunk: Buffer) => {
          text += String(chunk);
          const found = /http:\S+/.exec(text);
          if (found !== null) resolve(found[0]);
        });
        child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
      });
      const kill = async (): Promise<void> => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
      };
      return { url, kill };
    };

    let accepted = 0;
    for (let round = 0; round < 3; round++) {
      const running = await start();
      for (let index = 0; index < 25; index++) {
        const events = states([0, 'starting'], [100, 'playing'], [1_100, 'ended']).map(
          ({ seq, at, name }, order) => ({
            seq,
            at,
            type: name,
            state: ['starting', 'playing', 'ended'][order],
          }),
        );
        const answer = await fetch(`${running.url}/v1/beats?key=dev`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ view: `r${round}-${index}`, events }),
        });
        if (answer.status === 202) accepted++;
      }
      // Killed at a moment that differs from round to round, in the middle of epochs being written.
      await new Promise((resolve) => setTimeout(resolve, 90 * round));
      await running.kill();
    }
    expect(accepted).toBe(75);

    const last = await start();
    const authorization = `Basic ${Buffer.from('dev:dev').toString('base64')}`;
    const overall = async (metric: string): Promise<number> => {
      const answer = await fetch(`${last.url}/data/v1/metrics/${metric}/overall`, {
        headers: { authorization },
      });
      const body = (await answer.json()) as { data?: { value: number } };
      return body.data?.value ?? -1;
    };
    await until(
      () => overall('ended_views'),
      (views) => views >= 75,
    );
    expect(await overall('views')).toBe(75);
    expect(await overall('playing_time')).toBe(75_000);
    await last.kill();
    log = await openEmbeddedLog({ directory: join(directory, 'log'), topic: TOPIC, partitions: 2 });
    store = await openStore({ directory: join(directory, 'store'), database: 'streamgauge' });
  });
});
