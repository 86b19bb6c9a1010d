import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportColumns } from '../../../api/exports/columns.ts';
import { type Store, StoreError } from '../../../platform/store/store.ts';
import { viewMetrics } from '../../../schemas/catalogue/metrics.ts';
import { views as viewsTable } from '../../../schemas/tables/tables.ts';
import { dayOf, insertRows, type RowObject } from '../../support/rows.ts';
import { generateViews, NOW_MS, type View } from '../support/generated-views.ts';
import {
  AUTHORIZATION,
  ask,
  openTestStore,
  type ServerOptions,
  startServer,
  type TestStore,
} from '../support/server.ts';
import { parseCsv } from './csv.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Small, so that every day has several pages. */
const PAGE_ROWS = 25;

let engine: TestStore;
let views: readonly View[];
const servers: FastifyInstance[] = [];

/** What spreadsheets, CSV and JSON take for something else. */
const HOSTILE = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  'a "quoted", one',
  'two\r\nlines\n',
  "it's; \\ / 日本 😀",
];

beforeAll(async () => {
  engine = await openTestStore();
  const generated = generateViews(400, 7, 'default');
  const hostile = HOSTILE.map((title, index) => ({
    ...(generated[0] as View),
    view_id: title,
    video_title: title,
    closed: 1,
    view_end: NOW_MS - HOUR_MS - index,
  }));
  views = [...generated, ...hostile];
  await insertRows(engine.store, viewsTable, views);
  // An older row of each, and somebody else's views: neither is exported.
  const older = generated.map((view): RowObject => ({ ...view, outcome: 'playing', _epoch: 1 }));
  await insertRows(engine.store, viewsTable, older);
  await insertRows(engine.store, viewsTable, generateViews(50, 8, 'other'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => engine.close());

async function start(options: ServerOptions = {}, store: Store = engine.store) {
  const limits = { exportPageRowsMax: PAGE_ROWS, ...options.limits };
  const started = await startServer(store, { ...options, limits });
  servers.push(started.server);
  const fetchFile = (query: string, headers: Record<string, string> = {}) =>
    started.server.inject({
      url: `/data/v1/exports/views${query}`,
      headers: { authorization: AUTHORIZATION, host: 'localhost', ...headers },
    });
  return { ...started, fetchFile };
}

const within = ({ closed, view_end }: View, fromMs: number, toMs: number): boolean =>
  closed === 1 && view_end >= fromMs && view_end < toMs;

const lastDay = (): View[] => views.filter((view) => within(view, NOW_MS - DAY_MS, NOW_MS));
const idsOf = (rows: readonly { readonly view_id?: unknown }[]): string[] =>
  rows.map(({ view_id }) => String(view_id)).sort();

type Json = Readonly<Record<string, unknown>>;
const linesOf = (body: string): Json[] =>
  body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);

describe('a file of views', () => {
  it('has each closed view that ended in the last 24 hours once, over all pages', async () => {
    const { fetchFile, exportCounters } = await start();
    const response = await fetchFile('?format=ndjson');
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'content-disposition':
        'attachment; filename="views-default-20260309T120000Z-20260310T120000Z.ndjson"',
      'cache-control': 'no-store',
    });
    const rows = linesOf(response.body);
    expect(rows.length).toBeGreaterThan(4 * PAGE_ROWS);
    expect(idsOf(rows)).toEqual(idsOf(lastDay()));
    expect(rows.every((row) => Object.keys(row).join() === exportColumns.join())).toBe(true);
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, done: 1 }));
    expect(exportCounters.views).toBe(rows.length);
    expect(exportCounters.bytes).toBe(response.rawPayload.length);
  });

  it('has the figures, the texts and the times of a view as /video-views answers them', async () => {
    const { fetchFile, server } = await start();
    const rows = linesOf((await fetchFile('?format=ndjson')).body);
    for (const row of [rows[0], rows[50], rows.at(-1)] as Json[]) {
      const path = `/video-views/${encodeURIComponent(String(row.view_id))}`;
      const { body } = await ask<{ data: Json }>(server, path);
      const names = ['view_start', 'view_end', 'outcome', 'source', 'country', 'custom_1'];
      for (const name of [...names, ...viewMetrics.map(({ id }) => id)]) {
        expect([name, row[name]]).toEqual([name, body.data[name]]);
      }
    }
  });

  it('says the same as CSV, and no cell of it is a formula', async () => {
    const { fetchFile } = await start();
    const rows = linesOf((await fetchFile('?format=ndjson')).body);
    const response = await fetchFile('?format=csv');
    expect(response.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    expect(response.body.endsWith('\r\n')).toBe(true);
    const [head = [], ...lines] = parseCsv(response.body);
    expect(head).toEqual(exportColumns);
    const texts = (value: unknown): string =>
      typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? '');
    expect(lines).toEqual(rows.map((row) => exportColumns.map((name) => texts(row[name]))));
    const title = exportColumns.indexOf('video_title');
    const titles = lines.map((line) => line[title]).filter((text) => text !== '');
    expect(titles.sort()).toEqual(HOSTILE.map(texts).sort());
  });

  it('takes an Accept header for a format, and the parameter before it', async () => {
    const { fetchFile } = await start();
    const accepted = await fetchFile('', { accept: 'text/csv' });
    expect(accepted.headers['content-type']).toContain('text/csv');
    expect(accepted.headers.vary).toContain('accept');
    const asked = await fetchFile('?format=ndjson', { accept: 'text/csv' });
    expect(asked.headers['content-type']).toContain('ndjson');
  });

  it('holds to filters, metric filters and the timeframe', async () => {
    const { fetchFile } = await start();
    const [fromMs, toMs] = [NOW_MS - 20 * HOUR_MS, NOW_MS - 2 * HOUR_MS];
    const times = `timeframe[]=${fromMs / 1_000}&timeframe[]=${toMs / 1_000}`;
    const filters = 'filters[]=country:DE&metric_filters[]=video_startup_time>=3000';
    const response = await fetchFile(`?format=ndjson&${times}&${filters}`);
    const wanted = views.filter(
      (view) =>
        within(view, fromMs, toMs) &&
        view.country === 'DE' &&
        view.started === 1 &&
        Number(view.startup_ms) >= 3_000,
    );
    expect(wanted.length).toBeGreaterThan(5);
    expect(idsOf(linesOf(response.body))).toEqual(idsOf(wanted));
  });

  it('is a head alone as CSV, and empty as NDJSON, when no view is in it', async () => {
    const { fetchFile } = await start();
    const none = '?filters[]=country:nowhere&format=';
    expect((await fetchFile(`${none}csv`)).body).toBe(`${exportColumns.join(',')}\r\n`);
    const lines = await fetchFile(`${none}ndjson`);
    expect([lines.statusCode, lines.body]).toEqual([200, '']);
  });

  it('can be read as Parquet, with types', async () => {
    const { fetchFile } = await start();
    const response = await fetchFile('?format=parquet');
    expect(response.headers['content-type']).toBe('application/vnd.apache.parquet');
    const file = join(tmpdir(), `streamgauge-export-${process.pid}.parquet`);
    await writeFile(file, response.rawPayload);
    const rows = await engine.store.query<Json>(
      `SELECT view_id, toUnixTimestamp64Milli(toDateTime64(view_end, 3)) AS view_end, watch_time, video_title
       FROM file({file:String}, 'Parquet') ORDER BY view_id`,
      { params: { file } },
    );
    expect(idsOf(rows)).toEqual(idsOf(lastDay()));
    const ends = new Map(lastDay().map((view) => [view.view_id, view.view_end]));
    for (const row of rows) expect(row.view_end).toBe(ends.get(String(row.view_id)));
    expect(rows.map((row) => row.video_title)).toContain('=1+1');
  });

  it('is refused as Parquet when it has more views than one file may, and the limit is named', async () => {
    const count = lastDay().length;
    const { fetchFile, exportCounters } = await start({
      limits: { exportParquetRowsMax: count - 1 },
    });
    const refused = await fetchFile('?format=parquet');
    expect(refused.statusCode).toBe(422);
    expect(refused.headers['content-disposition']).toBeUndefined();
    const body = refused.json<{ code: string; detail: string }>();
    expect(body.code).toBe('query_too_large');
    expect(body.detail).toContain(`${count} views`);
    expect(body.detail).toContain('exportParquetRowsMax');
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, refused: 1 }));
    const enough = await start({ limits: { exportParquetRowsMax: count } });
    expect((await enough.fetchFile('?format=parquet')).statusCode).toBe(200);
  });
});

interface List {
  readonly data: readonly {
    readonly export_date: string;
    readonly files: readonly { path: string; type: string; version: number }[];
  }[];
  readonly timeframe: [number, number];
  readonly total_row_count: number;
}

describe('the list of files', () => {
  it('has a file in each format for each whole day with views, and its path downloads the day', async () => {
    const { server } = await start();
    const { body } = await ask<List>(server, '/exports/views');
    const midnight = Date.UTC(2026, 2, 10);
    expect(body.timeframe).toEqual([(midnight - 7 * DAY_MS) / 1_000, midnight / 1_000]);
    const [entry] = body.data;
    expect(body.data).toHaveLength(1);
    expect(body.total_row_count).toBe(1);
    expect(entry?.export_date).toBe('2026-03-09');
    expect(entry?.files.map(({ type, version }) => [type, version])).toEqual([
      ['csv', 1],
      ['ndjson', 1],
      ['parquet', 1],
    ]);
    const path = entry?.files[1]?.path ?? '';
    const headers = { authorization: AUTHORIZATION, host: 'localhost' };
    const file = await server.inject({ url: path, headers });
    const ended = views.filter((view) => within(view, midnight - DAY_MS, midnight));
    expect(idsOf(linesOf(file.body))).toEqual(idsOf(ended));
  });

  it('is of whole days, and passes its filters on', async () => {
    const { server } = await start();
    const pairs = [
      ['timeframe[]', '24:hours'],
      ['filters[]', 'country:DE'],
    ] as const;
    const { body } = await ask<List>(server, '/exports/views', pairs);
    expect(body.data.map(({ export_date }) => export_date)).toEqual(['2026-03-10', '2026-03-09']);
    expect(body.data[0]?.files[0]?.path).toContain('filters%5B%5D=country%3ADE');
    const none = await ask<List>(server, '/exports/views', [['filters[]', 'country:nowhere']]);
    expect(none.body.data).toEqual([]);
  });
});

describe('a client on a connection', () => {
  const LARGE = 12_000;
  /** So many views that no buffer on the way holds them. */
  const largeViews = (): RowObject[] =>
    Array.from({ length: LARGE }, (_, index) => ({
      project: 'default',
      view_id: `large-${String(index).padStart(6, '0')}`,
      video_title: 'x'.repeat(2_000),
      video_id: 'large',
      start_day: dayOf(NOW_MS),
      view_start: NOW_MS - 40 * DAY_MS,
      view_end: NOW_MS - 40 * DAY_MS,
      closed: 1,
      _epoch: 9,
    }));
  const QUERY = '?format=ndjson&timeframe[]=60:days&filters[]=video_id:large';

  beforeAll(() => insertRows(engine.store, viewsTable, largeViews()));

  async function listen(options: ServerOptions, store?: Store) {
    const started = await start(options, store);
    const origin = await started.server.listen({ host: '127.0.0.1', port: 0 });
    const url = new URL(`/data/v1/exports/views${QUERY}`, origin);
    const download = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        get(url, { headers: { authorization: AUTHORIZATION }, agent: false }, resolve).on(
          'error',
          reject,
        );
      });
    return { ...started, download };
  }

  async function bodyOf(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }

  const limits = { exportPageRowsMax: 500, queriesAtOnceMax: 1, queriesWaitingMax: 1 };

  it('that reads slowly holds the export back, and no place of a query', async () => {
    const { download, exportCounters, server } = await listen({ limits });
    const response = await download();
    response.pause();
    let before = -1;
    await vi.waitFor(
      () => {
        const { views: read } = exportCounters;
        const same = read === before;
        before = read;
        expect(same && read > 0).toBe(true);
      },
      { timeout: 20_000, interval: 1_000 },
    );
    expect(exportCounters.views).toBeLessThan(LARGE / 2);
    expect((await ask(server, '/metrics/views/overall')).status).toBe(200);
    expect(linesOf(await bodyOf(response))).toHaveLength(LARGE);
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, done: 1 }));
  });

  it('that leaves ends the export', async () => {
    const { download, exportCounters } = await listen({ limits });
    const response = await download();
    response.destroy();
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, clientLeft: 1 }));
    expect(exportCounters.views).toBeLessThan(LARGE);
    expect(exportCounters.done).toBe(0);
  });

  it('that takes nothing is cut off', async () => {
    const { download, exportCounters } = await listen({
      limits: { ...limits, exportStallMsMax: 300 },
    });
    const response = await download();
    response.pause();
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, stalled: 1 }), {
      timeout: 10_000,
    });
    await expect(bodyOf(response)).rejects.toThrow('aborted');
  });

  it('sees a broken connection when the store fails in the middle', async () => {
    let pages = 0;
    const failing: Store = {
      ...bound(engine.store),
      queryFormat: (sql, format, options) => {
        pages += 1;
        if (pages === 3) return Promise.reject(new StoreError('store_unavailable', 'gone'));
        return engine.store.queryFormat(sql, format, options);
      },
    };
    const { download, exportCounters } = await listen({ limits }, failing);
    await expect(download().then(bodyOf)).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, failed: 1 }));
    expect(exportCounters).toMatchObject({ done: 0, clientLeft: 0, views: 1_000 });
  });

  it('is asked to come back when too many exports run', async () => {
    const { download, exportCounters } = await listen({
      limits: { ...limits, exportsAtOnceMax: 1 },
    });
    const first = await download();
    const second = await download();
    expect([second.statusCode, second.headers['retry-after']]).toEqual([503, '10']);
    expect(await bodyOf(second)).toContain('exportsAtOnceMax');
    expect(linesOf(await bodyOf(first))).toHaveLength(LARGE);
    await vi.waitFor(() => expect(exportCounters.running).toBe(0));
    const third = await download();
    expect(third.statusCode).toBe(200);
    third.destroy();
  });
});

describe('a store that fails before the first byte', () => {
  it('is answered with a problem', async () => {
    const failing: Store = {
      ...bound(engine.store),
      queryFormat: () => Promise.reject(new StoreError('store_unavailable', 'gone')),
    };
    const { fetchFile, exportCounters } = await start({}, failing);
    const response = await fetchFile('?format=csv');
    expect(response.statusCode).toBe(503);
    expect(response.json<{ code: string }>().code).toBe('store_unavailable');
    await vi.waitFor(() => expect(exportCounters).toMatchObject({ running: 0, refused: 1 }));
  });
});

/** A store's methods, to lay others over. */
function bound(store: Store): Store {
  return {
    database: store.database,
    query: (sql, options) => store.query(sql, options),
    queryOnWriter: (sql, options) => store.queryOnWriter(sql, options),
    queryBinary: (sql, options) => store.queryBinary(sql, options),
    queryFormat: (sql, format, options) => store.queryFormat(sql, format, options),
    command: (sql, options) => store.command(sql, options),
    insert: (table, rows, options) => store.insert(table, rows, options),
    close: () => store.close(),
  };
}
