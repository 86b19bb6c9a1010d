/** Epochs, checkpoints, recovery and forgetting with the store over HTTP, one server and a cluster of one node. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openEmbeddedLog } from '../../../platform/log/embedded.ts';
import { migrate } from '../../../platform/store/migrate.ts';
import { openStore } from '../../../platform/store/open.ts';
import { RowWriter } from '../../../platform/store/row-binary.ts';
import type { OpenStore } from '../../../platform/store/store.ts';
import { createForgetCommand } from '../../../processors/forget-command.ts';
import { Processor } from '../../../processors/processor.ts';
import { createCheckpointStore } from '../../../processors/shell/clickhouse-checkpoints.ts';
import { createEpochStore } from '../../../processors/shell/clickhouse-epochs.ts';
import type { EpochStore, SealedEpoch } from '../../../processors/shell/epoch-store.ts';
import { createVerifyCommand } from '../../../processors/verify-command.ts';
import { part } from '../../../schemas/beat.ts';
import { localName } from '../../../schemas/cluster.ts';
import { migrations } from '../../../schemas/migrations/index.ts';
import { encodeRecord } from '../../../schemas/records.ts';
import { epochTables, forgotten } from '../../../schemas/tables/tables.ts';
import { beat, event, states } from '../../support/beats.ts';
import {
  type ClickHouse,
  type ClickHouseOptions,
  type Fate,
  startClickHouse,
} from '../../support/clickhouse/front.ts';
import {
  type ClickHouseProcess,
  startClickHouseProcess,
} from '../../support/clickhouse/process.ts';
import type { FrontRequest } from '../../support/clickhouse/request.ts';
import { until } from '../../support/running.ts';

const TOPIC = 'test';
const CLUSTER = 'main';
const directory = mkdtempSync(join(tmpdir(), 'streamgauge-epochs-'));
let server: ClickHouse;
/** What becomes of a request, as the test that runs wants it. */
let beforeRun: (request: FrontRequest) => Fate = () => 'go on';

beforeAll(async () => {
  const options: ClickHouseOptions = {
    directory: join(directory, 'chdb'),
    cluster: CLUSTER,
    beforeRun: (request) => beforeRun(request),
  };
  server = await startClickHouse(options);
});

afterEach(() => {
  beforeRun = () => 'go on';
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Rows of `forgotten`, the table with the fewest columns. */
function rowsOf(partition: number, epoch: number, rows: number): Buffer {
  const out = new RowWriter();
  for (let row = 0; row < rows; row++) {
    out.string('default');
    out.string(`viewer ${row}`);
    out.dateTime64Ms(1_767_225_600_000);
    out.uint64(row);
    out.uint16(partition);
    out.uint64(epoch);
    out.endRow();
  }
  return out.take();
}

function sealed(partition: number, epoch: number, rows: number): SealedEpoch {
  return {
    partition,
    epoch,
    nextOffset: 100 + epoch,
    records: 10,
    logTimeMs: 1_767_225_600_000,
    openSinceMs: 1_767_225_600_000,
    foldVersion: 1,
    counts: { recordsRejected: 0, events: 0, eventsDuplicate: 0, eventsRejected: 0 },
    forgets: [],
    tables: [{ table: forgotten, bytes: rowsOf(partition, epoch, rows), rows }],
  };
}

describe.each([
  ['one server', 'qos', undefined],
  ['a cluster', 'qos_on_all', CLUSTER],
] as const)('over HTTP, on %s', (_what, database, cluster) => {
  let store: OpenStore;

  beforeAll(async () => {
    store = await openStore({ url: server.url, database, cluster });
    await migrate(store, migrations);
  });

  afterAll(() => store.close());

  describe('an epoch', () => {
    const epochsOf = (owner: string): EpochStore =>
      createEpochStore({ store, topic: TOPIC, owner });

    async function countIn(epochs: EpochStore, partition: number, epoch: number): Promise<number> {
      const counts = await epochs.countRows(epochTables, partition, epoch);
      expect(counts.size).toBe(epochTables.length);
      return counts.get(forgotten.name) ?? -1;
    }

    it('is inserted, counted, deleted, inserted again under another attempt, and committed', async () => {
      const epochs = epochsOf('a');
      const epoch = sealed(1, 7, 5);
      const [rows] = epoch.tables;
      if (rows === undefined) throw new Error('no rows');
      expect(await epochs.lastCommit(1)).toBeUndefined();
      await epochs.insertRows(rows, { partition: 1, epoch: 7, attempt: 0 });
      await epochs.insertRows(rows, { partition: 1, epoch: 7, attempt: 0 });
      expect(await countIn(epochs, 1, 7)).toBe(5);
      await epochs.deleteRows(forgotten, 1, 7);
      expect(await countIn(epochs, 1, 7)).toBe(0);
      await epochs.stopInserts(1, 7);
      await epochs.insertRows(rows, { partition: 1, epoch: 7, attempt: 1 });
      expect(await countIn(epochs, 1, 7)).toBe(5);
      await epochs.insertCommit(epoch, 1);
      expect(await epochs.lastCommit(1)).toEqual({ epoch: 7, nextOffset: 107, foldVersion: 1 });
    });

    it('has names by which a successor ends inserts and deletes of its dead owner, and no others', async () => {
      const names: string[] = [];
      beforeRun = ({ queryId, text }) => {
        if (/INSERT|DELETE/.test(text)) names.push(queryId);
        return 'go on';
      };
      const epochs = epochsOf('a');
      const epoch = sealed(2, 7, 1);
      await epochs.insertRows({ ...epoch.tables[0]! }, { partition: 2, epoch: 7, attempt: 0 });
      await epochs.deleteRows(forgotten, 2, 7);
      await epochs.insertCommit(epoch, 0);
      expect(names).toEqual([
        `streamgauge/${database}/${TOPIC}/2/7/forgotten/a/1`,
        `streamgauge/${database}/${TOPIC}/2/7/forgotten/a/2`,
        `streamgauge/${database}/${TOPIC}/2/7/epochs/a/3`,
      ]);
    });

    it('is not taken for stopped while a delete that nobody waits for is at work', async () => {
      const epochs = epochsOf('a');
      const epoch = sealed(3, 7, 5);
      await epochs.insertRows({ ...epoch.tables[0]! }, { partition: 3, epoch: 7, attempt: 0 });
      const local = cluster === undefined ? forgotten.name : localName(forgotten.name);
      const direct = (body: string) =>
        fetch(`${server.url}/?database=${database}`, { method: 'POST', body });
      await direct(`SYSTEM STOP MERGES ${local}`);
      await direct(
        `DELETE FROM ${local} WHERE _partition = 3 AND _epoch = 7 SETTINGS lightweight_deletes_sync = 0`,
      );
      let looks = 0;
      beforeRun = ({ text }) => {
        if (text.includes('system.mutations')) looks++;
        return 'go on';
      };
      let stopped = false;
      const stopping = epochsOf('b')
        .stopInserts(3, 7)
        .then(() => {
          stopped = true;
        });
      await vi.waitFor(() => expect(looks).toBeGreaterThan(3), { timeout: 60_000 });
      expect(stopped).toBe(false);
      await direct(`SYSTEM START MERGES ${local}`);
      await stopping;
      expect(await countIn(epochs, 3, 7)).toBe(0);
    });
  });

  describe('a checkpoint', () => {
    it('is written, listed, read, found by what it holds, and dropped', async () => {
      const checkpoints = createCheckpointStore({ store, topic: TOPIC, owner: 'a' });
      const head = { partition: 1, epoch: 3, nextOffset: 9, logTimeMs: 1_000, foldVersion: 2 };
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
      const chunk = { chunk: 0, chunks: 1, hash: 'h', state: bytes };
      await checkpoints.insertChunk(head, chunk);
      expect(await checkpoints.list(1)).toEqual([{ ...head, chunks: 1 }]);
      expect(await checkpoints.readChunk(1, 3, 0)).toEqual(chunk);
      expect(await checkpoints.holding(1, 'nothing')).toEqual([]);
      await checkpoints.drop(1, 3);
      await checkpoints.drop(1, 3);
      expect(await checkpoints.list(1)).toEqual([]);
    });
  });

  describe('a processor whose ClickHouse dies', () => {
    let child: ClickHouseProcess;
    afterAll(() => child.kill());

    it('waits, settles what is in doubt, forgets a viewer, and agrees with the log', async () => {
      const place = join(directory, `process-${database}`);
      child = await startClickHouseProcess({ directory: place, cluster: CLUSTER });
      const remote = await openStore({ url: child.url, database, cluster });
      await migrate(remote, migrations);
      const log = await openEmbeddedLog({
        directory: join(directory, `log-${database}`),
        topic: TOPIC,
        partitions: 3,
      });
      const quiet = { info: () => undefined, error: () => undefined };
      const processor = new Processor({
        log,
        store: remote,
        settings: { epochMs: 200, reorderMs: 300, viewTimeoutMs: 60_000 },
        limits: { checkpointMs: 600, checkpointEventsMax: 1_000_000 },
        logger: quiet,
      });
      await processor.start();
      const context = [{ name: 'viewer_user_id', value: 'viewer-to-forget' }] as const;
      const append = async (second: number): Promise<number> => {
        const events =
          second === 0
            ? states([0, 'starting'], [400, 'playing'])
            : [event(second + 1, second * 1_000, 'heartbeat', part.status({ playhead: second }))];
        let offset = 0;
        for (const partition of [0, 1, 2]) {
          const one = beat(events, { view: `v${partition}`, context, trustedClock: false });
          offset = (await log.append(partition, encodeRecord('beat', one))).offset;
        }
        return offset;
      };
      const committed = (offset: number) =>
        until(
          () =>
            remote
              .query<{ done: number }>(
                'SELECT min(done) AS done FROM (SELECT max(next_offset) AS done FROM epochs GROUP BY _partition)',
              )
              .catch(() => []),
          ([row]) => (row?.done ?? 0) > offset && processor.failure === undefined,
        );
      for (let second = 0; second < 12; second++) {
        const offset = await append(second);
        if (second % 4 !== 2) continue;
        await committed(offset);
        await append(second + 100);
        const before = processor.sink.counters.failuresRetried;
        await child.kill();
        await until(
          async () => processor.sink.counters.failuresRetried,
          (failures) => failures > before,
        );
        child = await startClickHouseProcess({
          directory: place,
          cluster: CLUSTER,
          port: child.port,
        });
      }
      await committed(await append(12));
      const signal = new AbortController().signal;
      const project = { id: 'default', rawViewerIds: true } as never;
      const forget = createForgetCommand({
        log,
        store: remote,
        projects: { list: () => [project] },
      });
      const args = { project: 'default', viewerId: 'viewer-to-forget' };
      expect(await forget(args, () => undefined, signal)).toBe(0);
      await until(
        () =>
          remote.query<{ rows: number }>(
            "SELECT count() AS rows FROM views WHERE viewer_user_id = 'viewer-to-forget'",
          ),
        ([row]) => row?.rows === 0,
      );
      await processor.stop();
      const verify = createVerifyCommand({ log, store: remote, retention: [] });
      const lines: string[] = [];
      expect([await verify({}, (line) => lines.push(line), signal), lines]).toEqual([
        0,
        expect.anything(),
      ]);
      await log.close();
      await remote.close();
    });
  });
});
