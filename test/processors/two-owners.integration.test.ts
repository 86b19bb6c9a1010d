/**
 * Two processors that own the same partitions at once, as after a pause that cost one its membership without its
 * knowing: each writes what it concludes, and what stands is concluded once.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';
import type { Log } from '../../platform/log/log.ts';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import type { Store } from '../../platform/store/store.ts';
import { Processor } from '../../processors/processor.ts';
import { createVerifyCommand } from '../../processors/verify-command.ts';
import { part } from '../../schemas/beat.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { beat, event, states } from '../support/beats.ts';
import { until } from '../support/running.ts';

const PARTITIONS = 2;
const SETTINGS = { epochMs: 200, reorderMs: 300, viewTimeoutMs: 60_000 };
const SECONDS = 40;

let directory: string;
let log: Log;
let store: Store;
let errors: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  log = await openEmbeddedLog({
    ...{ directory: join(directory, 'log'), topic: 'test', partitions: PARTITIONS },
  });
  store = await openStore({ directory: join(directory, 'store'), database: 'streamgauge' });
  await migrate(store, migrations);
  errors = [];
});

afterEach(async () => {
  await log.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

/** One of the owners; `mayBeTaken` is what tells it to look before it writes. */
function createOwner(mayBeTaken: () => boolean): Processor {
  const error = (_: object, message: string) => errors.push(message);
  return new Processor({
    ...{ log, store, settings: SETTINGS, mayBeTaken },
    limits: { checkpointMs: 500, checkpointEventsMax: 1_000_000 },
    logger: { info: () => undefined, error },
  });
}

async function appendViews(): Promise<number[]> {
  const last = Array.from({ length: PARTITIONS }, () => 0);
  for (let second = 0; second < SECONDS; second++) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const view = `view-${partition}-${second % 4}`;
      const events =
        second < 4
          ? states([0, 'starting'], [400, 'playing'])
          : [event(second, second * 1_000, 'heartbeat', part.status({ playhead: second }))];
      const value = encodeRecord('beat', beat(events, { view }));
      last[partition] = (await log.append(partition, value)).offset;
    }
  }
  return last;
}

async function verifyAll(): Promise<{ exit: number; lines: string[] }> {
  const lines: string[] = [];
  const command = createVerifyCommand({ log, store, retention: [] });
  const exit = await command({}, (line) => lines.push(line), new AbortController().signal);
  return { exit, lines };
}

it.each([
  ['that look before each write', () => true],
  ['that do not know of each other', () => false],
])('two owners %s conclude everything once', async (_, mayBeTaken) => {
  const owners = [createOwner(mayBeTaken), createOwner(mayBeTaken)];
  await Promise.all(owners.map((owner) => owner.start()));
  const last = await appendViews();
  await until(
    () =>
      store.query<{ done: number }>(
        'SELECT max(next_offset) AS done FROM epochs GROUP BY _partition ORDER BY _partition',
      ),
    (rows) => rows.length === PARTITIONS && rows.every(({ done }, at) => done > (last[at] ?? 0)),
  );
  await Promise.all(owners.map((owner) => owner.stop()));
  expect(owners.map(({ failure }) => failure)).toEqual([undefined, undefined]);
  expect(await verifyAll()).toMatchObject({ exit: 0 });
  const doubled = await store.query(
    'SELECT _partition, _epoch, count() AS times FROM epochs GROUP BY _partition, _epoch HAVING times > 1',
  );
  expect(doubled).toEqual([]);
  expect(errors).toEqual([]);
});
