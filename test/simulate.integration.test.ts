/** Simulated viewers through the whole of it: what the API says equals what the simulator knows. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSimulateCommand } from '../ingest/clients/simulate-command.ts';
import type { Truth } from '../ingest/clients/simulation/truth.ts';
import { startTestServer, type TestServer, until } from './support/running.ts';

const SETTINGS = { epochMs: 500, reorderMs: 1_000, viewTimeoutMs: 8_000, pausedTimeoutMs: 8_000 };

interface Overall {
  readonly data: { readonly value: number };
}

interface Broken {
  readonly data: readonly {
    readonly field: string;
    readonly value: number;
    readonly views: number;
  }[];
}

let server: TestServer;
let truth: Truth;
let directory: string;

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-truth-'));
  server = await startTestServer(SETTINGS);
  const file = join(directory, 'truth.json');
  const exitCode = await runSimulateCommand(
    {
      url: server.url,
      viewers: 80,
      duration: 120,
      seed: 5,
      speed: 'max',
      truth: file,
      edgeDelay: 20,
      edgeDuplicates: 0.1,
      edgeShuffle: true,
    },
    { stdout: nowhere(), stderr: nowhere() },
  );
  expect(exitCode).toBe(0);
  truth = JSON.parse(await readFile(file, 'utf8')) as Truth;
  await until(
    () => value('ended_views'),
    (views) => views === truth.views,
  );
});

afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

async function value(metric: string, query = ''): Promise<number> {
  const { data } = await server.get<Overall>(`/data/v1/metrics/${metric}/overall?${query}`);
  return data.value;
}

async function total(columns: string): Promise<number> {
  const [row] = await server.store.query<{ total: number }>(
    `SELECT ${columns} AS total FROM playback_5s`,
  );
  return row?.total ?? Number.NaN;
}

describe('the API', () => {
  it('counts views as the simulator does', async () => {
    expect(await value('views')).toBe(truth.views);
    expect(await value('started_views')).toBe(truth.started);
    expect(await value('unique_viewers')).toBe(truth.unique_viewers);
    expect(await value('exits_before_video_start')).toBeCloseTo(
      (truth.outcomes.exit_before_start ?? 0) / truth.views,
      12,
    );
    expect(await value('view_dropped_percentage')).toBeCloseTo(
      (truth.outcomes.dropped ?? 0) / truth.started,
      12,
    );
  });

  it('sums times as the simulator does, to the millisecond', async () => {
    const { sums } = truth;
    expect(await value('playing_time')).toBe(sums.playing_ms);
    expect(await value('rebuffer_duration', 'measurement=sum')).toBe(sums.rebuffer_ms);
    expect(await value('rebuffer_count', 'measurement=sum')).toBe(sums.rebuffer_count);
    expect(await value('video_startup_time', 'measurement=sum')).toBe(sums.startup_ms);
    expect(await value('rebuffer_percentage')).toBeCloseTo(
      sums.rebuffer_ms / (sums.rebuffer_ms + sums.playing_ms),
      12,
    );
  });

  it('breaks them down as the simulator does', async () => {
    const { data } = await server.get<Broken>(
      '/data/v1/metrics/playing_time/breakdown?group_by=cdn&limit=100',
    );
    expect(Object.fromEntries(data.map(({ field, value: playing }) => [field, playing]))).toEqual(
      Object.fromEntries(
        Object.entries(truth.by_cdn).map(([cdn, { playing_ms }]) => [cdn, playing_ms]),
      ),
    );
  });

  it('knows the country of every view, of CMCD viewers from their edges', async () => {
    const { data } = await server.get<Broken>(
      '/data/v1/metrics/views/breakdown?group_by=country&limit=100',
    );
    expect(Object.fromEntries(data.map(({ field, views }) => [field, views]))).toEqual(
      Object.fromEntries(
        Object.entries(truth.by_country).map(([country, { views }]) => [country, views]),
      ),
    );
  });

  it('has lost nothing', async () => {
    expect(await value('report_completeness')).toBe(1);
    expect(
      await server.store.query('SELECT code, count() AS rows FROM rejected GROUP BY code'),
    ).toEqual([]);
  });
});

describe('what was delivered', () => {
  it('is what the edges logged, by CDN and country, however late, often and disorderly it came', async () => {
    const sums = (): Promise<Truth['delivered_by_month']> =>
      server.store.query(
        `SELECT cdn, country, toString(formatDateTime(window, '%Y-%m')) AS period, sum(requests) AS requests,
           sum(bytes) AS bytes, sum(origin_bytes) AS origin_bytes
         FROM delivery_5s WHERE source = 'edge' GROUP BY cdn, country, period ORDER BY period, cdn, country`,
      );
    const count = (rows: Truth['delivered_by_month']): number =>
      rows.reduce((total, { requests }) => total + requests, 0);
    const rows = await until(sums, (found) => count(found) >= count(truth.delivered_by_month));
    expect(rows).toEqual(truth.delivered_by_month);
  });
});

describe('the windows', () => {
  it('hold the playing and rebuffering time of the views, to the millisecond', async () => {
    expect(await total('sum(playing_ms)')).toBe(truth.sums.playing_ms);
    expect(await total('sum(rebuffer_ms)')).toBe(truth.sums.rebuffer_ms);
    expect(await total('sum(rebuffer_starts)')).toBe(truth.sums.rebuffer_count);
    expect(await total('sum(views_started)')).toBe(truth.started);
    expect(await total('sum(views_ended)')).toBe(truth.views);
  });

  it('count the viewers of each as the simulator does', async () => {
    const rows = await server.store.query<{ at: number; viewers: number }>(
      'SELECT toUnixTimestamp(window) * 1000 AS at, sum(viewers) AS viewers FROM playback_5s GROUP BY window HAVING viewers != 0',
    );
    expect(Object.fromEntries(rows.map(({ at, viewers }) => [String(at), viewers]))).toEqual(
      truth.concurrent_viewers,
    );
  });

  it('give the median startup time within the bound of the sketch', async () => {
    const exact = await value('video_startup_time');
    const [row] = await server.store.query<{ sketch: number }>(
      `SELECT sum(arraySum(mapValues(startup_sketch))) AS sketch FROM playback_5s`,
    );
    expect(row?.sketch).toBe(truth.started);
    const histogram = await server.get<{ data: { median: number; sum: number }[] }>(
      `/data/v1/monitoring/metrics/video-startup-time/histogram-timeseries?timeframe[]=${Math.floor(truth.start_at / 1_000)}&timeframe[]=${Math.ceil(truth.end_at / 1_000) + 5}`,
    );
    expect(histogram.data.reduce((all, { sum }) => all + sum, 0)).toBe(truth.started);
    expect(exact).toBeGreaterThan(0);
  });
});
