/**
 * The recorded telemetry through Kafka and a ClickHouse server, and through the embedded engines: the same conclusions.
 *
 * Only when something was seen differs, because it was sent at another time: moments, days and windows are left out,
 * and what lies in windows is added up.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../ingest/clients/replay.ts';
import type { Store } from '../platform/store/store.ts';
import type { Table } from '../schemas/tables/table.ts';
import { playback5s, rejected, viewEvents, views } from '../schemas/tables/tables.ts';
import { type ClickHouseProcess, startClickHouseProcess } from './support/clickhouse/process.ts';
import { CORPUS, eventSid, readRecordings } from './support/corpus.ts';
import { type KafkaForTests, kafkaForTests } from './support/kafka/kafka-for-tests.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

const PARTITIONS = 4;
const SETTINGS = {
  epochMs: 500,
  reorderMs: 1_000,
  viewTimeoutMs: 6_000,
  partitions: PARTITIONS,
};

/** One more is guessed, of the lines that name none. */
const viewsExpected = readRecordings().filter((recording) => eventSid(recording)).length + 1;

let directory: string;
let kafka: KafkaForTests;
let clickhouse: ClickHouseProcess;
let shared: TestServer;
let embedded: TestServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  [kafka, clickhouse] = await Promise.all([
    kafkaForTests(),
    startClickHouseProcess({ directory: join(directory, 'clickhouse') }),
  ]);
  const topic = await kafka.createTopic(PARTITIONS);
  const engines = { topic, kafkaBrokers: kafka.brokers.join(','), clickhouseUrl: clickhouse.url };
  shared = await startTestServer({ ...SETTINGS, ...engines });
  embedded = await startTestServer(SETTINGS);
  await Promise.all([shared, embedded].map(playCorpus));
}, 240_000);

afterAll(async () => {
  await shared?.close();
  await embedded?.close();
  await clickhouse?.kill();
  await kafka?.close();
  await rm(directory, { recursive: true, force: true });
});

/** The recordings have nothing that is rejected: events without a time are. */
const UNTIMED = ['a', 'b', 'c', 'd'].map((sid) => `e=t,sid="${sid}",v=2`).join('\n');

async function playCorpus(server: TestServer): Promise<void> {
  const result = await replay({
    paths: [CORPUS],
    url: server.url,
    key: 'dev',
    forms: ['cmcd', 'edge'],
  });
  expect(result.forms.cmcd).toMatchObject({ failed: 0, rejectedRecords: 0 });
  await fetch(`${server.url}/v1/cmcd?key=dev`, { method: 'POST', body: UNTIMED });
  await until(
    () =>
      server.get<{ data: { live: boolean }[] }>(
        '/data/v1/video-views?timeframe[]=1:hours&limit=200',
      ),
    ({ data }) => data.length >= viewsExpected && data.every(({ live }) => !live),
  );
}

/** When it was: by the type of the column, and by where in the log. */
function isMoment({ name, type }: Table['columns'][number]): boolean {
  return /^Date/.test(type) || ['_epoch', 'clock_skew_ms'].includes(name);
}

function columnsOf(table: Table): string {
  return table.columns
    .filter((column) => !isMoment(column))
    .map(({ name, type }) => (type === 'String' ? `hex(${name}) AS ${name}` : name))
    .join(', ');
}

/** The id of a guessed view is random, and with it the partition. */
const NOT_GUESSED = `WHERE NOT startsWith(t.view_id, 'guessed-')`;

type Read = (store: Store) => Promise<readonly unknown[]>;

function rowsOf(table: Table, clause: string): Read {
  return (store) => store.query(`SELECT ${columnsOf(table)} FROM ${table.name} AS t ${clause}`);
}

/**
 * A viewer counts once in each window that they watch in: how many those are depends on where windows begin, and so
 * whether there is a row of which nothing else is to be told.
 */
const BY_WINDOW = ['viewers', 'starting_viewers'];
const sums = playback5s.columns
  .filter(({ name, type }) => type === 'Int64' && !BY_WINDOW.includes(name))
  .map(({ name }) => name);
const tuple = playback5s.columns
  .filter((column) => column.type.includes('String') && !isMoment(column))
  .map(({ name }) => name);

const conclusions: readonly (readonly [what: string, read: Read])[] = [
  ['every view', rowsOf(views, `FINAL ${NOT_GUESSED} ORDER BY view_id`)],
  ['every event of a timeline', rowsOf(viewEvents, `${NOT_GUESSED} ORDER BY ALL`)],
  [
    'the sums of each combination of dimensions',
    (store) =>
      store.query(
        `SELECT ${tuple.join(', ')}, ${sums.map((name) => `sum(${name}) AS ${name}_sum`).join(', ')}
         FROM ${playback5s.name} GROUP BY ${tuple.join(', ')}
         HAVING ${sums.map((name) => `${name}_sum != 0`).join(' OR ')} ORDER BY ${tuple.join(', ')}`,
      ),
  ],
  [
    'every reject',
    (store) =>
      store.query(`SELECT code, hex(bytes) AS bytes FROM ${rejected.name} ORDER BY code, bytes`),
  ],
];

describe('Kafka and a ClickHouse server conclude what the embedded engines conclude', () => {
  it.each(conclusions)('%s', async (_what, read) => {
    const [there, here] = [await read(shared.store), await read(embedded.store)];
    expect(here.length).toBeGreaterThan(3);
    expect(there).toEqual(here);
  });
});
