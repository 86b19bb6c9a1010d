/** Faults that the simulation plants, through the whole of it: of what they made slow or failed, the right hop is blamed. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSimulateCommand } from '../ingest/clients/simulate-command.ts';
import type { Truth } from '../ingest/clients/simulation/truth.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

const SETTINGS = { epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 8_000, pausedTimeoutMs: 8_000 };
/** A slow origin, a bad edge and a bad access network, one after the other, each for a minute. */
const TROUBLES = [
  { kind: 'origin_slow', cdn: 'birch', addedMs: 2_500, errorShare: 0.1, errorStatus: 504 },
  { kind: 'bad_edge', pop: 'POP', addedMs: 1_500, errorShare: 0.1 },
  { kind: 'bad_network', asn: 64_512, rateShare: 0.1, rttAddedMs: 400, noAnswerShare: 0.03 },
];
const PAGE = 500;
/** Times of one request are rounded. */
const CLOCK_MS = 20;

interface Affected {
  readonly view_id: string;
  readonly at: string;
  readonly blamed: string;
  readonly split_by: string;
}

let directory: string;
let server: TestServer;
let truth: Truth;
let affected: Affected[];

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  server = await startTestServer({ dataDir: join(directory, 'data'), ...SETTINGS });
  const cdns = join(directory, 'cdns.json');
  const spans = TROUBLES.map((trouble, index) => ({
    ...trouble,
    fromSeconds: 30 + 70 * index,
    untilSeconds: 90 + 70 * index,
  }));
  await writeFile(cdns, JSON.stringify({ troubles: spans }).replace('POP', 'fra-alder'));
  const file = join(directory, 'truth.json');
  const code = await runSimulateCommand(
    { url: server.url, viewers: 150, duration: 240, seed: 11, speed: 'max', truth: file, cdns },
    { stdout: nowhere(), stderr: nowhere() },
  );
  expect(code).toBe(0);
  truth = JSON.parse(await readFile(file, 'utf8')) as Truth;
  await until(
    async () =>
      (await server.get<{ data: { value: number } }>('/data/v1/metrics/ended_views/overall')).data
        .value,
    (views) => views === truth.views,
  );
  affected = await readAffected();
});

afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

async function readAffected(): Promise<Affected[]> {
  const all: Affected[] = [];
  for (let page = 1; ; page++) {
    const { data, total_row_count } = await server.get<{
      data: Affected[];
      total_row_count: number;
    }>(`/data/v1/delivery/requests?limit=${PAGE}&page=${page}`);
    all.push(...data);
    if (all.length >= total_row_count || data.length === 0) return all;
  }
}

/** The hop that a trouble struck, of an affected request; undefined where none did. */
function hopsOf({ view_id, at }: Affected): readonly string[] {
  const atMs = Date.parse(at);
  return (truth.struck_requests ?? [])
    .filter((struck) => struck.view_id === view_id && Math.abs(struck.at - atMs) < CLOCK_MS)
    .map(({ hop }) => hop);
}

describe('requests that a planted fault made slow or failed', () => {
  it.each(['origin', 'edge', 'network'])('are blamed on the %s where it was there', (hop) => {
    const theirs = affected.filter((request) => {
      const hops = new Set(hopsOf(request));
      return request.split_by === 'edge' && hops.size === 1 && hops.has(hop);
    });
    expect(theirs.length).toBeGreaterThan(30);
    const right = theirs.filter(({ blamed }) => blamed === hop);
    expect(right.length / theirs.length).toBeGreaterThanOrEqual(0.95);
  });
});
