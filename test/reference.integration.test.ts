/** The reference is true: no operation answers what it does not say, or fails, whatever it is asked. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replay } from '../ingest/clients/replay.ts';
import { CORPUS } from './support/corpus.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';
import { findFaults } from './support/schemathesis.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 6_000 });
  const paths = [`${CORPUS}/hls-v2q-startfail`, `${CORPUS}/dash-v2q-miderror`];
  await replay({ paths, url: server.url, key: 'dev', forms: ['cmcd', 'edge'] });
  await until(
    () => server.get<{ data: object[] }>('/data/v1/video-views?timeframe[]=1:hours'),
    ({ data }) => data.length === 2,
  );
});

afterAll(() => server?.close());

/** Thousands of requests, on a machine however busy. */
const DEADLINE_MS = 900_000;

const READ = ['--auth', 'dev:dev', '--exclude-path-regex', '^/v1/|/monitoring/stream$'];
const WRITE = ['-H', 'Authorization: Bearer dev', '--include-path-regex', '^/v1/'];

it(
  'of questions, that all have a token',
  async () => {
    // What is not built answers 501, as it says.
    const args = [...READ, '--exclude-tag', 'Not available yet'];
    expect(await findFaults({ url: server.url, args, examplesMax: 6 })).toBeUndefined();
  },
  DEADLINE_MS,
);

it(
  'of telemetry, that all has a key',
  async () => {
    const faults = await findFaults({ url: server.url, args: WRITE, examplesMax: 8 });
    expect(faults).toBeUndefined();
  },
  DEADLINE_MS,
);
