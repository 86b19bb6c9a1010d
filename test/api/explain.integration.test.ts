import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explain, explainUnder, tablesOf } from '../../api/explain.ts';
import { views as viewsTable } from '../../schemas/tables/tables.ts';
import { projectsOf, shop } from '../support/projects.ts';
import { insertRows } from '../support/rows.ts';
import { generateViews } from './support/generated-views.ts';
import { openTestStore, startServer, type TestApi, type TestStore } from './support/server.ts';

const projects = projectsOf([
  shop({
    readTokens: [
      { id: 'ops', secret: 's', scopes: ['metrics', 'monitoring', 'views', 'admin'] },
      { id: 'reader', secret: 's' },
    ],
  }),
]);

interface Explained {
  readonly tables: string[];
  readonly sql: string;
  readonly params: Record<string, unknown>;
  readonly rows_read: number | null;
  readonly bytes_read: number | null;
  readonly unknown?: string;
  readonly elapsed_ms: number;
}

interface Body {
  readonly data: unknown;
  readonly meta: { readonly explain?: Explained[] };
  readonly code?: string;
  readonly detail?: string;
}

let engine: TestStore;
let api: TestApi;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  await insertRows(engine.store, viewsTable, generateViews(60, 3, 'shop'));
  api = await startServer(engine.store, { projects });
  server = api.server;
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

async function ask(token: string, url: string): Promise<{ status: number; body: Body }> {
  const authorization = `Basic ${Buffer.from(`${token}:s`).toString('base64')}`;
  const headers = { authorization, host: 'localhost' };
  const response = await server.inject({ url: `/data/v1${url}`, headers });
  return { status: response.statusCode, body: response.json<Body>() };
}

const ROUTES = [
  ['/metrics/views/overall?', 'views'],
  ['/metrics/views/timeseries?', 'views'],
  ['/metrics/views/breakdown?group_by=country&', 'views'],
  ['/metrics/playback_failure_percentage/insights?', 'views'],
  ['/metrics/comparison?', 'views'],
  ['/errors?', 'views'],
  ['/video-views?', 'views'],
  ['/video-views/view-1?', 'views'],
  ['/dimensions/country?', 'views'],
  ['/filters/country?', 'views'],
  ['/monitoring/metrics/current-concurrent-viewers/timeseries?', 'playback_5s'],
  ['/monitoring/metrics/current-concurrent-viewers/breakdown?', 'playback_5s'],
  ['/monitoring/metrics/current-concurrent-viewers/breakdown-timeseries?', 'playback_5s'],
  ['/monitoring/metrics/video-startup-time/histogram-timeseries?', 'playback_5s'],
] as const;

describe('explain', () => {
  it.each(ROUTES)('tells of the statements of %s', async (route, table) => {
    const plain = await ask('ops', route);
    const { status, body } = await ask('ops', `${route}explain=true`);
    expect(status).toBe(200);
    expect(plain.body.meta).not.toHaveProperty('explain');
    expect({ ...body.meta, explain: undefined }).toEqual({
      ...plain.body.meta,
      explain: undefined,
    });
    expect(body.data).toEqual(plain.body.data);
    const explained = body.meta.explain ?? [];
    expect(explained.flatMap(({ tables }) => tables)).toContain(table);
    for (const { sql, tables, elapsed_ms } of explained) {
      expect(sql).toContain('SELECT');
      expect(tables.length).toBeGreaterThan(0);
      expect(elapsed_ms).toBeGreaterThan(0);
    }
  });

  it('has the bound values, and can be run again as it stands', async () => {
    const { body } = await ask('ops', '/metrics/views/overall?filters[]=country:DE&explain=true');
    const [through, main] = body.meta.explain ?? [];
    expect(body.meta.explain).toHaveLength(2);
    expect(through?.tables).toEqual(['epochs']);
    expect(Object.values(main?.params ?? {})).toEqual(expect.arrayContaining([['DE'], 'shop']));
    const params = main?.params as Record<string, string | number | string[]>;
    const [row] = await engine.store.query<{ views: number }>(main?.sql ?? '', { params });
    expect(row?.views).toBe((body.data as { total_views: number }).total_views);
  });

  it('says why it does not know what the embedded engine read', async () => {
    const { body } = await ask('ops', '/metrics/views/overall?explain=true');
    expect(body.meta.explain?.[1]).toMatchObject({ rows_read: null, bytes_read: null });
    expect(body.meta.explain?.[1]?.unknown).toContain('embedded');
  });

  it('keeps the statements of requests that run side by side apart', async () => {
    const answers = await Promise.all(
      ['DE', 'FR', 'US'].map(async (country) => {
        const path = `/metrics/views/overall?filters[]=country:${country}&explain=true`;
        return { country, statements: (await ask('ops', path)).body.meta.explain ?? [] };
      }),
    );
    for (const { country, statements } of answers) {
      expect(statements).toHaveLength(2);
      expect(Object.values(statements[1]?.params ?? {})).toContainEqual([country]);
    }
  });

  it.each(ROUTES)('is for nobody without the scope admin: %s', async (route) => {
    const before = api.counters.scopeMissing;
    const { status, body } = await ask('reader', `${route}explain=true`);
    expect([status, body.code]).toEqual([403, 'scope_missing']);
    expect(body.detail).toContain('`admin`');
    expect(api.counters.scopeMissing).toBe(before + 1);
    const plain = await ask('reader', `${route}explain=false`);
    expect(plain.status).toBe(200);
    expect(plain.body.meta).not.toHaveProperty('explain');
  });
});

describe('the record of a statement', () => {
  const request = (statements: unknown[] | undefined) =>
    ({ getDecorator: () => statements }) as unknown as Parameters<typeof explainUnder>[1];

  it('has what a server says that it read', () => {
    const statements: Explained[] = [];
    const { signal } = new AbortController();
    explainUnder(signal, request(statements));
    const sql = 'SELECT a FROM views FINAL WHERE b IN (SELECT c FROM epochs)';
    explain(
      signal,
      { sql, params: { p0: 1 } },
      { read: { rows: 7, bytes: 90 }, elapsedMs: 1.23456 },
    );
    expect(statements).toEqual([
      {
        tables: ['views', 'epochs'],
        sql,
        params: { p0: 1 },
        rows_read: 7,
        bytes_read: 90,
        elapsed_ms: 1.235,
      },
    ]);
  });

  it('is not kept for a request that did not ask', () => {
    const { signal } = new AbortController();
    explainUnder(signal, request(undefined));
    const run = () => explain(signal, { sql: '', params: {} }, { read: undefined, elapsedMs: 1 });
    expect(run).not.toThrow();
  });

  it('names tables once, and no part of a statement that is none', () => {
    const sql =
      'SELECT x FROM (SELECT y FROM views) JOIN epochs ON 1 = 1 WHERE z IN (SELECT 1 FROM views)';
    expect(tablesOf(sql)).toEqual(['views', 'epochs']);
  });
});
