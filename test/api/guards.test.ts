import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApiCounters, QUERY_LIMITS, registerApi } from '../../api/api.ts';
import type { QueryCounters } from '../../api/query-runner.ts';
import type { ReadyCheck } from '../../platform/http/operators.ts';
import { Registry } from '../../platform/metrics/registry.ts';
import { openProjects, type Projects } from '../../platform/projects.ts';
import { type QueryOptions, type Store, StoreError } from '../../platform/store/store.ts';
import { projectsOf, shop } from '../support/projects.ts';
import { AUTHORIZATION } from './support/server.ts';

const SCOPE_NAMES = ['metrics', 'monitoring', 'views', 'annotate', 'admin'];
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const NOW_MS = Date.UTC(2026, 2, 10, 12);

type Query = (sql: string, options?: QueryOptions) => Promise<unknown[]>;

function storeOf(query: Query): Store {
  const refuse = () => Promise.reject(new Error('the query side only reads on the pool'));
  return {
    database: 'test',
    query: <Row>(sql: string, options?: QueryOptions) => query(sql, options) as Promise<Row[]>,
    queryOnWriter: refuse,
    queryBinary: refuse,
    queryFormat: refuse,
    command: refuse,
    insert: refuse,
    close: () => Promise.resolve(),
  };
}

const servers: FastifyInstance[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Options {
  readonly query?: Query;
  readonly hosts?: readonly string[];
  readonly checks?: readonly ReadyCheck[];
  readonly limits?: Partial<typeof QUERY_LIMITS>;
  readonly before?: (server: FastifyInstance) => Promise<void>;
  readonly projects?: Projects;
}

async function start(options: Options = {}) {
  const server = fastify();
  servers.push(server);
  await options.before?.(server);
  const counters = createApiCounters();
  const now = (): number => NOW_MS;
  let queries: Readonly<QueryCounters> | undefined;
  await server.register(registerApi, {
    store: storeOf(options.query ?? (() => Promise.resolve([]))),
    projects:
      options.projects ?? openProjects({ file: '', host: '127.0.0.1', logger: silent, now }),
    now,
    logger: silent,
    limits: { ...QUERY_LIMITS, ...options.limits },
    hosts: options.hosts ?? [],
    counters,
    operators: { checks: options.checks ?? [], registry: new Registry() },
    onQueryCounters: (found) => {
      queries = found;
    },
  });
  const get = (url: string, headers: Record<string, string> = {}) =>
    server.inject({ url, headers: { host: 'localhost:8080', ...headers } });
  const ask = (path: string) => get(`/data/v1${path}`, { authorization: AUTHORIZATION });
  return { server, counters, get, ask, queries: () => queries };
}

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('the token guard', () => {
  it('asks a browser for a token', async () => {
    const { get, counters } = await start();
    const response = await get('/data/v1/dimensions');
    expect(response.statusCode).toBe(401);
    expect(response.json()).toMatchObject({ code: 'token_missing', status: 401 });
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.headers['www-authenticate']).toMatch(/^Basic realm="Streamgauge"/);
    expect(counters.tokenMissing).toBe(1);
  });

  it.each([['dev:wrong'], ['nobody:dev'], [':'], ['dev:']])('refuses %s', async (pair) => {
    const { get, counters } = await start();
    const response = await get('/data/v1/dimensions', { authorization: basic(pair) });
    expect(response.statusCode).toBe(401);
    expect(response.json().code).toBe('token_unknown');
    expect(response.headers['www-authenticate']).toMatch(/^Basic/);
    expect(counters.tokenUnknown).toBe(1);
  });

  it.each([['Bearer dev'], ['Basic ???'], ['Basic'], [basic('no-colon')]])(
    'takes %s for no token',
    async (authorization) => {
      const { get } = await start();
      const response = await get('/data/v1/dimensions', { authorization });
      expect(response.json().code).toBe('token_missing');
    },
  );

  it('stands before every data route, those to come too', async () => {
    const { get } = await start();
    for (const path of [
      '/metrics/views/overall',
      '/video-views',
      '/video-views/x',
      '/cost/overall',
    ]) {
      expect((await get(`/data/v1${path}`)).statusCode).toBe(401);
    }
  });

  it.each([
    ['metrics', ['/metrics/views/overall', '/dimensions', '/cost/overall']],
    ['views', ['/video-views', '/video-views/x', '/exports/views']],
    ['monitoring', ['/monitoring/dimensions', '/monitoring/stream']],
  ] as const)('lets a token with the scope %s ask for that alone', async (scope, own) => {
    const readTokens = [
      { id: 't', secret: 's', scopes: [scope] },
      { id: 'rest', secret: 's', scopes: SCOPE_NAMES.filter((name) => name !== scope) },
    ];
    const projects = projectsOf([shop({ readTokens })]);
    const { get, counters } = await start({ projects });
    for (const path of own) {
      const refused = await get(`/data/v1${path}`, { authorization: basic('rest:s') });
      expect([refused.statusCode, refused.json().code], path).toEqual([403, 'scope_missing']);
      expect(refused.json().detail).toContain(`\`${scope}\``);
      expect(refused.headers['www-authenticate']).toBeUndefined();
    }
    const [first] = own;
    const allowed = await get(`/data/v1${first}`, { authorization: basic('t:s') });
    expect(allowed.statusCode).toBe(200);
    expect(counters.scopeMissing).toBe(own.length);
  });

  it('says that a token has expired or was revoked', async () => {
    const readTokens = [
      { id: 'old', secret: 's', expiresAt: '1970-01-01' },
      { id: 'stolen', secret: 's', revoked: true },
    ];
    const { get } = await start({ projects: projectsOf([shop({ readTokens })]) });
    for (const [pair, code] of [
      ['old:s', 'token_expired'],
      ['stolen:s', 'token_revoked'],
      ['old:x', 'token_unknown'],
    ] as const) {
      const response = await get('/data/v1/dimensions', { authorization: basic(pair) });
      expect([response.statusCode, response.json().code]).toEqual([401, code]);
    }
  });

  it('binds every query to its project', async () => {
    const asked: QueryOptions[] = [];
    const { ask } = await start({
      query: async (sql, options = {}) => {
        if (sql.includes(' views ')) asked.push(options);
        return [];
      },
    });
    await ask('/metrics/views/overall');
    await ask('/metrics/views/timeseries');
    await ask('/metrics/views/breakdown?group_by=country');
    await ask('/metrics/video_startup_time/breakdown?group_by=country');
    await ask('/video-views');
    await ask('/video-views/some');
    await ask('/dimensions/country');
    expect(asked).toHaveLength(7);
    for (const { params } of asked) expect(Object.values(params ?? {})).toContain('default');
  });
});

describe('the host guard', () => {
  it.each([
    ['localhost'],
    ['LOCALHOST:8080'],
    ['127.0.0.1:8080'],
    ['[::1]:8080'],
    ['10.1.2.3'],
    ['qos.example.com:443'],
    ['qos.example.com.'],
  ])('lets %s in', async (host) => {
    const { get } = await start({ hosts: ['127.0.0.1', 'qos.example.com'] });
    expect((await get('/', { host })).statusCode).toBe(200);
  });

  it.each([['evil.example'], ['localhost.evil.example'], ['127.0.0.1.evil.example'], ['1.2.3']])(
    'refuses %j',
    async (host) => {
      const { get, counters } = await start({ hosts: ['qos.example.com'] });
      for (const url of ['/', '/docs', '/openapi.json', '/data/v1/dimensions']) {
        const response = await get(url, { host, authorization: AUTHORIZATION });
        expect(response.statusCode).toBe(421);
        expect(response.json().code).toBe('host_refused');
      }
      expect(counters.hostRefused).toBe(4);
    },
  );

  it('leaves health to anyone', async () => {
    const { get } = await start();
    const response = await get('/healthz', { host: 'pod-7' });
    expect(response.json()).toEqual({ status: 'ok' });
  });
});

describe('what operators see', () => {
  it('is ready when every check is, and says which is not', async () => {
    const { get } = await start({ checks: [() => undefined, async () => undefined] });
    expect((await get('/readyz')).statusCode).toBe(200);
    const waiting = await start({ checks: [() => undefined, () => 'the log is folded'] });
    const response = await waiting.get('/readyz');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('2');
    expect(response.json()).toMatchObject({ code: 'not_ready', detail: 'the log is folded' });
  });

  it('is not ready while an engine fails', async () => {
    const { get } = await start({ checks: [() => Promise.reject(new Error('no engine'))] });
    expect((await get('/readyz')).json()).toMatchObject({
      code: 'not_ready',
      detail: 'no engine',
    });
  });

  it('has figures for Prometheus, for any host and without a token', async () => {
    const { get } = await start();
    const response = await get('/metrics', { host: 'pod-7' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/plain/);
  });
});

describe('failures of the store', () => {
  it.each([
    ['store_unavailable', 503, 'store_unavailable'],
    ['store_closed', 503, 'store_unavailable'],
    ['store_query_timeout', 504, 'query_timeout'],
    ['store_query_too_large', 422, 'query_too_large'],
    ['store_query_failed', 500, 'query_failed'],
  ] as const)('%s answers %d %s', async (code, status, expected) => {
    const { ask } = await start({
      query: () => Promise.reject(new StoreError(code, 'the secret text of the engine')),
    });
    const response = await ask('/metrics/views/overall');
    expect(response.statusCode).toBe(status);
    expect(response.json().code).toBe(expected);
    expect(response.body).not.toContain('secret text');
  });

  it('pass the limits on to every query', async () => {
    const seen: QueryOptions[] = [];
    const { ask } = await start({
      limits: { queryTimeMsMax: 77, queryRowsMax: 5, queryMemoryBytesMax: 9 },
      query: async (_sql, options = {}) => {
        seen.push(options);
        return [];
      },
    });
    await ask('/metrics/views/overall');
    for (const options of seen) {
      expect(options).toMatchObject({ timeoutMs: 77, rowsMax: 5, memoryBytesMax: 9 });
    }
  });

  it('refuses a query when too many wait, and counts it', async () => {
    const free: (() => void)[] = [];
    const { ask, queries } = await start({
      limits: { queriesAtOnceMax: 1, queriesWaitingMax: 1 },
      query: () => new Promise((resolve) => free.push(() => resolve([]))),
    });
    const first = ask('/metrics/views/overall');
    await vi.waitFor(() => expect(free).toHaveLength(1));
    const second = ask('/metrics/views/overall');
    const third = ask('/metrics/views/overall');
    const refused = await Promise.race([second, third]);
    expect(refused.statusCode).toBe(503);
    expect(refused.json().code).toBe('query_queue_full');
    expect(refused.headers['retry-after']).toBeDefined();
    expect(queries()?.refusedFull).toBe(1);
    let settled = false;
    const done = Promise.all([first, second, third]).then(() => {
      settled = true;
    });
    await vi.waitFor(() => {
      free.splice(0).forEach((go) => {
        go();
      });
      expect(settled).toBe(true);
    });
    await done;
  });

  it('aborts the query of a client that leaves', async () => {
    let signal: AbortSignal | undefined;
    const { server, queries } = await start({
      query: (_sql, options) =>
        new Promise((_resolve, reject) => {
          signal = options?.signal;
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const address = server.server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const leaving = new AbortController();
    const request = fetch(`http://127.0.0.1:${port}/data/v1/metrics/views/overall`, {
      headers: { authorization: AUTHORIZATION },
      signal: leaving.signal,
    });
    await vi.waitFor(() => expect(signal).toBeDefined());
    leaving.abort();
    await expect(request).rejects.toThrow();
    await vi.waitFor(() => expect(signal?.aborted).toBe(true));
    await vi.waitFor(() => expect(queries()?.clientLeft).toBe(1));
  });
});

describe('wrong parameters', () => {
  it.each([
    ['/metrics/video_startup_tme/overall', 'metric_unknown', 'video_startup_time'],
    ['/metrics/views/breakdown?group_by=contry', 'dimension_unknown', 'country'],
    ['/metrics/views/breakdown', 'parameter_invalid', 'group_by'],
    ['/metrics/views/overall?filter[]=country:DE', 'parameter_unknown', 'filters[]'],
    ['/metrics/views/overall?group_by=country', 'parameter_unknown', 'group_by'],
    ['/metrics/views/timeseries?group_by=week', 'parameter_invalid', 'ten_minutes'],
    ['/metrics/views/breakdown?group_by=cdn&limit=1001', 'parameter_invalid', 'limit'],
    ['/metrics/views/breakdown?group_by=cdn&limit=ten', 'parameter_invalid', 'limit'],
    ['/metrics/views/breakdown?group_by=cdn&page=0', 'parameter_invalid', 'page'],
    ['/metrics/views/breakdown?group_by=cdn&page=900000', 'parameter_invalid', 'pageOffsetMax'],
    ['/metrics/views/breakdown?group_by=cdn&order_by=size', 'parameter_invalid', 'negative_impact'],
    ['/metrics/views/overall?measurement=p95', 'parameter_invalid', '95th'],
    ['/metrics/views/overall?timeframe[]=1:year', 'parameter_invalid', 'timeframe[]'],
    ['/video-views?order_by=size', 'parameter_invalid', 'view_end'],
    ['/video-views/x?limit=5000', 'parameter_invalid', 'limit'],
    ['/dimensions/contry', 'dimension_unknown', 'country'],
    ['/dimensions?limit=1', 'parameter_unknown', 'limit'],
  ])('%s is %s', async (path, code, named) => {
    const { ask } = await start();
    const response = await ask(path);
    expect(response.statusCode).toBe(400);
    expect(response.json().code).toBe(code);
    expect(response.json().detail).toContain(named);
  });
});

describe('routes to come', () => {
  it.each([
    '/incidents',
    '/delivery/metrics/requests/insights',
    '/diagnosis',
    '/experiments/compare',
  ])('%s answers 501', async (path) => {
    const { ask } = await start();
    const response = await ask(path);
    expect(response.statusCode).toBe(501);
    expect(response.json().code).toBe('not_available');
  });
});

describe('the reference', () => {
  it('describes every route, its errors and its units', async () => {
    const { get } = await start();
    const document = (await get('/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    for (const [path, methods] of Object.entries<Record<string, { description?: string }>>(
      document.paths,
    )) {
      for (const [method, operation] of Object.entries(methods)) {
        expect(operation.description, `${method} ${path}`).toBeTruthy();
      }
    }
    const overall = document.paths['/data/v1/metrics/{id}/overall'].get;
    expect(overall.security).toEqual([{ readToken: [] }]);
    expect(overall.responses['400'].description).toContain('metric_unknown');
    expect(JSON.stringify(overall.responses['200'])).toContain('complete_through');
    expect(overall.parameters.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['timeframe[]', 'filters[]', 'measurement', 'id']),
    );
    expect(document.paths['/healthz'].get.security).toBeUndefined();
  });

  it('is shown by a page that works under a strict policy of the server', async () => {
    const { get } = await start({
      before: async (server) => {
        await server.register(helmet);
      },
    });
    const page = await get('/docs');
    expect(page.statusCode).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(page.body).not.toMatch(/<script>|<style/);
    const scripts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(scripts.length).toBeGreaterThan(3);
    for (const url of scripts) expect((await get(url)).statusCode, url).toBe(200);
    expect((await get('/docs/json')).statusCode).toBe(200);
  });

  it('leaves policy and documents of the server to other routes', async () => {
    const { get } = await start({
      before: async (server) => {
        await server.register(helmet);
        server.get('/elsewhere', async () => 'here');
      },
    });
    const policy = String((await get('/elsewhere')).headers['content-security-policy']);
    expect(policy).toContain('upgrade-insecure-requests');
  });
});

describe('headers of answers', () => {
  it('let nothing be framed, sniffed or run, refusals too', async () => {
    const { get, ask } = await start();
    for (const response of [await ask('/dimensions'), await get('/data/v1/dimensions')]) {
      expect(response.headers['x-content-type-options']).toBe('nosniff');
      expect(response.headers['content-security-policy']).toBe(
        "default-src 'none';frame-ancestors 'none'",
      );
      expect(response.headers['strict-transport-security']).toBeUndefined();
    }
  });
});

describe('the page at /', () => {
  it('says where to look, without scripts', async () => {
    const { get } = await start();
    const response = await get('/');
    expect(response.headers['content-type']).toContain('text/html');
    for (const word of ['/docs', '/v1/beats', '/v1/cmcd', 'curl', '/data/v1/']) {
      expect(response.body).toContain(word);
    }
    expect(response.body).not.toContain('<script');
    expect(String(response.headers['content-security-policy'])).toContain("default-src 'none'");
  });
});
