/**
 * Edge logs as shippers bring them: before the players' reports and long after their views are gone, out of order, lines
 * sent again. What was delivered is what the lines say, under the dimensions of the views.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimulationItem } from '../ingest/clients/simulation/reports.ts';
import { Simulation } from '../ingest/clients/simulation/simulation.ts';
import { Children } from './chaos/processes/children.ts';
import { runProgram } from './chaos/processes/program.ts';
import { seeded } from './support/rows.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

const SETTINGS = {
  epochMs: 500,
  reorderMs: 1_000,
  viewTimeoutMs: 3_000,
  pausedTimeoutMs: 3_000,
  reopenMs: 1_000,
};
const PER_BODY = 200;
const EARLY_SHARE = 0.3;
const AGAIN_SHARE = 0.3;

interface Line {
  readonly bytes: number;
}

const children = new Children();
let dataDir: string;
let server: TestServer;
let lines: string[];

function simulated(): { items: readonly SimulationItem[]; views: number } {
  const durationMs = 40_000;
  const startAtMs = Date.now() - 2 * durationMs;
  const simulation = new Simulation({ seed: 8, viewers: 40, durationMs, startAtMs });
  const items = [...simulation.advance(durationMs), ...simulation.finish()];
  return { items, views: simulation.truth().views };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

async function send(
  path: string,
  type: string,
  pieces: readonly string[],
  wrap: (some: string[]) => string,
) {
  for (let from = 0; from < pieces.length; from += PER_BODY) {
    const body = wrap(pieces.slice(from, from + PER_BODY));
    const answer = await server.post(path, body, { 'content-type': type });
    expect(answer.status, await answer.text()).toBeLessThan(300);
  }
}

const sendLines = (some: readonly string[]) =>
  send('/v1/edge/ndjson?time_unit=ms', 'application/x-ndjson', some, (list) => list.join('\n'));

async function one<Row extends object>(sql: string): Promise<Row> {
  const [row] = await server.store.query<Row>(sql);
  if (row === undefined) throw new Error(`no row: ${sql}`);
  return row;
}

async function edgeRows(): Promise<number> {
  const counted = await one<{ rows: number }>(
    `SELECT count() AS rows FROM requests WHERE source = 'edge'`,
  );
  return counted.rows;
}

async function viewsHeld(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const found = [...text.matchAll(/^streamgauge_fold_views\{[^}]*\} (\d+)$/gm)];
  if (found.length === 0) throw new Error('no gauge of views');
  return found.reduce((sum, [, views]) => sum + Number(views), 0);
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  server = await startTestServer({ dataDir, ...SETTINGS });
  const { items, views } = simulated();
  const random = seeded(3);
  const payloads = (kind: string) => items.filter((item) => item.kind === kind);
  lines = payloads('edge').flatMap(({ payload }) => payload.trimEnd().split('\n'));
  const mixed = shuffled(lines, random);
  const early = mixed.slice(0, mixed.length * EARLY_SHARE);
  const late = mixed.slice(early.length);
  await sendLines(early);
  // What is known later then has rows to move.
  await until(edgeRows, (rows) => rows === early.length);
  await send(
    '/v1/beats',
    'application/json',
    payloads('native').map(({ payload }) => payload),
    (list) => `[${list}]`,
  );
  const cmcd = payloads('cmcd').map(({ payload }) => payload.trimEnd());
  await send('/v1/cmcd', 'application/cmcd', cmcd, (list) => list.join('\n'));
  await until(
    () => one<{ rows: number }>('SELECT count() AS rows FROM views FINAL WHERE closed'),
    ({ rows }) => rows >= views,
  );
  await until(viewsHeld, (held) => held === 0);
  const again = lines.filter(() => random() < AGAIN_SHARE);
  await sendLines(shuffled([...late, ...again], random));
  await until(edgeRows, (rows) => rows >= lines.length);
});

afterAll(async () => {
  await children.end();
  await server?.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('edge logs that come late, twice and out of order', () => {
  it('are what the lines say, each once', async () => {
    expect(new Set(lines).size).toBe(lines.length);
    const bytes = lines.reduce((sum, line) => sum + (JSON.parse(line) as Line).bytes, 0);
    expect(
      await one(
        `SELECT count() AS requests, sum(bytes) AS bytes FROM requests WHERE source = 'edge'`,
      ),
    ).toEqual({ requests: lines.length, bytes });
    expect(
      await one(
        `SELECT sum(requests) AS requests, sum(bytes) AS bytes FROM delivery_5s WHERE source = 'edge'`,
      ),
    ).toEqual({ requests: lines.length, bytes });
  });

  it('stand under the dimensions that their views have', async () => {
    const windows = await server.store.query(
      `SELECT player_name, operating_system, stream_type, sum(requests) AS n, sum(bytes) AS b
       FROM delivery_5s WHERE source = 'edge' GROUP BY ALL HAVING n != 0 ORDER BY ALL`,
    );
    const joined = await server.store.query(
      `SELECT v.player_name AS player_name, v.operating_system AS operating_system,
         v.stream_type AS stream_type, count() AS n, sum(r.bytes) AS b
       FROM requests AS r INNER JOIN (SELECT * FROM views FINAL) AS v
         ON r.project = v.project AND r.view_id = v.view_id
       WHERE r.source = 'edge' GROUP BY ALL ORDER BY ALL`,
    );
    expect(joined.length).toBeGreaterThan(3);
    expect(windows).toEqual(joined);
  });

  it('came early, and late, to views that players told of', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const late = [...text.matchAll(/^streamgauge_fold_edge_requests_late_total\{[^}]*\} (\d+)$/gm)];
    expect(late.reduce((sum, [, count]) => sum + Number(count), 0)).toBeGreaterThan(100);
    const { rows } = await one<{ rows: number }>(
      'SELECT count() AS rows FROM delivery_5s WHERE requests < 0',
    );
    expect(rows).toBeGreaterThan(10);
  });

  it('leave verify nothing to find', async () => {
    const { code, stdout } = await runProgram(children, ['verify', '--data-dir', dataDir]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('no differences')]);
  });
});
