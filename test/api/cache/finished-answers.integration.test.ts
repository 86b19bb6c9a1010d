import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { QueryOptions, Store } from '../../../platform/store/store.ts';
import { StoreError } from '../../../platform/store/store.ts';
import { epochs, views as viewsTable } from '../../../schemas/tables/tables.ts';
import { projectsOf, shop } from '../../support/projects.ts';
import { dayOf, insertRows, type RowObject, seeded } from '../../support/rows.ts';
import { generateViews, NOW_MS } from '../support/generated-views.ts';
import {
  openTestStore,
  type ServerOptions,
  startServer,
  type TestApi,
  type TestStore,
} from '../support/server.ts';

const HOUR_MS = 3_600_000;
/** Views that ended before this are complete. */
const COMPLETE_MS = NOW_MS - 2 * HOUR_MS;
const FROM_MS = NOW_MS - 20 * HOUR_MS;
const TO_MS = NOW_MS - 4 * HOUR_MS;
const CACHED = 'private, max-age=0, must-revalidate';

const projects = projectsOf([
  shop({ readTokens: [{ id: 't', secret: 's', scopes: ['metrics', 'views', 'admin'] }] }),
  {
    ...shop({ writeKeys: [{ key: 'other' }], readTokens: [{ id: 'u', secret: 's' }] }),
    id: 'other',
  },
]);

let engine: TestStore;
const servers: FastifyInstance[] = [];

beforeAll(async () => {
  engine = await openTestStore();
  await insertRows(engine.store, viewsTable, generateViews(300, 5, 'shop'));
  await insertRows(engine.store, viewsTable, generateViews(30, 6, 'other'));
  const epoch = { topic: 't', _partition: 0, _epoch: 100, log_time: NOW_MS };
  await insertRows(engine.store, epochs, [{ ...epoch, open_since: COMPLETE_MS }]);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => engine.close());

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly etag: string | undefined;
  readonly cacheControl: string | undefined;
  readonly type: string | undefined;
}

const between = (fromMs: number, toMs: number): string =>
  `timeframe[]=${fromMs / 1_000}&timeframe[]=${toMs / 1_000}`;
const FINISHED = between(FROM_MS, TO_MS);
const OVERALL = `/metrics/views/overall?${FINISHED}`;

async function start(options: ServerOptions = {}, store: Store = engine.store) {
  const api: TestApi = await startServer(store, { projects, ...options });
  servers.push(api.server);
  const ask = async (url: string, tag?: string, token = 't'): Promise<Asked> => {
    const response = await api.server.inject({
      url: `/data/v1${url}`,
      headers: {
        authorization: `Basic ${Buffer.from(`${token}:s`).toString('base64')}`,
        host: 'localhost',
        ...(tag === undefined ? {} : { 'if-none-match': tag }),
      },
    });
    return {
      status: response.statusCode,
      text: response.body,
      etag: response.headers.etag,
      cacheControl: response.headers['cache-control'],
      type: response.headers['content-type']?.toString(),
    };
  };
  return { ...api, ask };
}

let lates = 0;
/** A view that a later epoch brought, of a time that was finished. */
async function insertLate(fields: RowObject = {}): Promise<void> {
  lates += 1;
  const row = {
    project: 'shop',
    view_id: `late-${lates}`,
    start_day: dayOf(FROM_MS),
    view_start: FROM_MS,
    view_end: FROM_MS + HOUR_MS,
    closed: 1,
    started: 1,
    outcome: 'ended',
    _epoch: 1_000 + lates,
    ...fields,
  };
  await insertRows(engine.store, viewsTable, [row]);
}

/** Counts what is asked of `views`, and lets a test come in between. */
function watched(onViews: (sql: string) => Promise<void> = async () => {}) {
  const seen = { views: 0, parts: 0 };
  const { store } = engine;
  const query = async <Row>(sql: string, options?: QueryOptions): Promise<Row[]> => {
    if (sql.includes('system.parts')) seen.parts += 1;
    if (!sql.includes('FROM views')) return store.query<Row>(sql, options);
    seen.views += 1;
    const rows = await store.query<Row>(sql, options);
    await onViews(sql);
    return rows;
  };
  const over: Store = {
    database: store.database,
    query,
    queryOnWriter: (sql, options) => store.queryOnWriter(sql, options),
    queryBinary: (sql, options) => store.queryBinary(sql, options),
    queryFormat: (sql, format, options) => store.queryFormat(sql, format, options),
    command: (sql, options) => store.command(sql, options),
    insert: (table, rows, options) => store.insert(table, rows, options),
    close: () => store.close(),
  };
  return { store: over, seen };
}

const ROUTES = [
  '/metrics/views/overall?',
  '/metrics/playing_time/timeseries?',
  '/metrics/video_startup_time/breakdown?group_by=country&',
  '/metrics/playback_failure_percentage/insights?',
  '/metrics/comparison?',
  '/errors?',
  '/dimensions/country?',
  '/video-views?',
];

describe('an answer over a finished range', () => {
  it.each(ROUTES)('is asked of the tables once: %s', async (route) => {
    const { store, seen } = watched();
    const { ask, cacheCounters } = await start({}, store);
    const first = await ask(route + FINISHED);
    expect([first.status, first.cacheControl]).toEqual([200, CACHED]);
    expect(first.etag).toMatch(/^"[\w-]+\.[\w-]+"$/);
    const { views } = seen;
    expect(views).toBeGreaterThan(0);
    expect(await ask(route + FINISHED)).toEqual(first);
    expect(first.type).toBe('application/json; charset=utf-8');
    const known = { ...first, status: 304, text: '', type: undefined };
    expect(await ask(route + FINISHED, first.etag)).toEqual(known);
    expect(seen.views).toBe(views);
    expect(cacheCounters).toMatchObject({ hits: 1, misses: 1, notModified: 1, changed: 0 });
  });

  it('is another for another question, another measure, another filter', async () => {
    const { ask } = await start();
    const questions = [
      `/metrics/views/overall?${FINISHED}`,
      `/metrics/playing_time/overall?${FINISHED}`,
      `/metrics/playing_time/overall?${FINISHED}&measurement=avg`,
      `/metrics/views/overall?${FINISHED}&filters[]=country:DE`,
      `/metrics/views/overall?${FINISHED}&filters[]=!country:DE`,
      `/metrics/views/overall?${between(FROM_MS, TO_MS - 1_000)}`,
      `/metrics/views/timeseries?${FINISHED}`,
    ];
    const first: Asked[] = [];
    for (const url of questions) first.push(await ask(url));
    expect(new Set(first.map(({ etag }) => etag?.split('.')[0])).size).toBe(questions.length);
    for (const [index, url] of questions.entries()) {
      expect((await ask(url)).text).toBe(first[index]?.text);
      expect((await ask(url, first[(index + 1) % first.length]?.etag)).status).toBe(200);
    }
  });

  it('is the same question whatever the order of its parameters', async () => {
    const { ask, cacheCounters } = await start();
    const one = await ask(`/metrics/views/timeseries?group_by=hour&${FINISHED}`);
    expect(await ask(`/metrics/views/timeseries?${FINISHED}&group_by=hour`)).toEqual(one);
    expect(cacheCounters.hits).toBe(1);
  });

  it('is of one project', async () => {
    const { ask } = await start();
    const ours = await ask(OVERALL);
    const theirs = await ask(OVERALL, ours.etag, 'u');
    expect(theirs.status).toBe(200);
    expect(theirs.text).not.toBe(ours.text);
    expect(await ask(OVERALL, undefined, 'u')).toEqual(theirs);
    expect(await ask(OVERALL)).toEqual(ours);
  });

  it('is nobody’s who may not read it', async () => {
    const { ask } = await start();
    const { etag } = await ask(OVERALL);
    const refused = await ask(OVERALL, etag, 'nobody');
    expect([refused.status, refused.cacheControl, refused.etag]).toEqual([
      401,
      'no-store',
      undefined,
    ]);
  });

  it('is another after a restart, because another program may answer otherwise', async () => {
    const one = await (await start()).ask(OVERALL);
    const other = await (await start()).ask(OVERALL, one.etag);
    expect([other.status, other.text]).toEqual([200, one.text]);
  });

  it('is known by its tag when it could not be kept', async () => {
    const { ask, cacheCounters } = await start({ limits: { answerBytesMax: 10 } });
    const first = await ask(OVERALL);
    expect(cacheCounters).toMatchObject({ tooLarge: 1, bytes: 0 });
    expect((await ask(OVERALL, first.etag)).status).toBe(304);
    expect((await ask(OVERALL)).text).toBe(first.text);
  });
});

describe('an answer that may change', () => {
  it.each([
    ['a relative timeframe', '/metrics/views/overall?timeframe[]=24:hours'],
    ['the default timeframe', '/metrics/views/overall'],
    ['a range up to now', `/metrics/views/overall?${between(FROM_MS, NOW_MS)}`],
    [
      'a range that is not complete',
      `/metrics/views/overall?${between(FROM_MS, COMPLETE_MS + 1_000)}`,
    ],
    ['an explained answer', `${OVERALL}&explain=true`],
    ['a single view', '/video-views/view-1'],
    ['a file', `/exports/views?format=csv&${FINISHED}`],
    ['a refusal', `/metrics/views/overall?${FINISHED}&filters[]=nothing`],
    ['a timeframe that is none', '/metrics/views/overall?timeframe[]=x'],
  ])('has no tag and is not kept: %s', async (_what, url) => {
    const { ask, cacheCounters } = await start();
    const { etag, cacheControl } = await ask(url, '*');
    expect([etag, cacheControl]).toEqual([undefined, 'no-store']);
    expect(cacheCounters).toMatchObject({ hits: 0, bytes: 0 });
  });

  it('costs a relative timeframe no statement', async () => {
    const { store, seen } = watched();
    const { ask } = await start({}, store);
    await ask('/metrics/views/overall?timeframe[]=24:hours');
    expect(seen).toEqual({ views: 1, parts: 0 });
  });

  it('is kept once the range is complete', async () => {
    const { ask } = await start();
    const url = `/metrics/views/overall?${between(FROM_MS, COMPLETE_MS)}`;
    expect((await ask(url)).cacheControl).toBe(CACHED);
  });
});

const viewsOf = ({ text }: Asked): number =>
  (JSON.parse(text) as { data: { total_views: number } }).data.total_views;

describe('a late row', () => {
  it('is in the next answer, whoever had the last', async () => {
    const { ask } = await start();
    const before = await ask(OVERALL);
    await insertLate();
    const after = await ask(OVERALL, before.etag);
    expect([after.status, viewsOf(after)]).toEqual([200, viewsOf(before) + 1]);
    expect(after.etag).not.toBe(before.etag);
    expect(await ask(OVERALL)).toEqual(after);
  });

  it('opens a view again that was counted', async () => {
    await insertLate({ view_id: 'reopened' });
    const { ask } = await start();
    const url = `/metrics/ended_views/overall?${FINISHED}`;
    const before = await ask(url);
    await insertLate({ view_id: 'reopened', closed: 0, outcome: 'playing' });
    const after = await ask(url, before.etag);
    expect([after.status, viewsOf(after)]).toEqual([200, viewsOf(before) - 1]);
  });

  it('is missed when it is taken away again', async () => {
    await insertLate({ view_id: 'forgotten' });
    const { ask } = await start();
    const before = await ask(OVERALL);
    await engine.store.command(
      "DELETE FROM views WHERE view_id = 'forgotten' SETTINGS lightweight_deletes_sync = 2",
    );
    const after = await ask(OVERALL, before.etag);
    expect([after.status, viewsOf(after)]).toEqual([200, viewsOf(before) - 1]);
  });

  it('that comes while an answer is made leaves the answer without a tag', async () => {
    let comes = true;
    const { store } = watched(async () => {
      if (comes) await insertLate();
      comes = false;
    });
    const { ask, cacheCounters } = await start({}, store);
    const torn = await ask(OVERALL);
    expect([torn.status, torn.etag, torn.cacheControl]).toEqual([200, undefined, 'no-store']);
    expect(cacheCounters).toMatchObject({ changed: 1, bytes: 0 });
    const whole = await ask(OVERALL);
    expect(viewsOf(whole)).toBe(viewsOf(torn) + 1);
    expect(whole.cacheControl).toBe(CACHED);
  });

  it('of a later day leaves what is finished as it is', async () => {
    const { ask } = await start();
    const url = `/metrics/views/overall?${between(FROM_MS - 48 * HOUR_MS, FROM_MS - 36 * HOUR_MS)}`;
    const before = await ask(url);
    await insertLate({ start_day: dayOf(NOW_MS), view_start: NOW_MS, view_end: NOW_MS });
    expect((await ask(url, before.etag)).status).toBe(304);
  });

  it('is in every answer, over any history of rows and questions', async () => {
    const cached = await start();
    const plain = await start({ limits: { answerCacheBytesMax: 0 } });
    const random = seeded(11);
    const pick = <Item>(items: readonly Item[]): Item =>
      items[Math.floor(random() * items.length)] as Item;
    const ranges = [
      FINISHED,
      between(FROM_MS, FROM_MS + 2 * HOUR_MS),
      between(FROM_MS - 96 * HOUR_MS, FROM_MS),
    ];
    const held = new Map<string, Asked>();
    const dataOf = (text: string): unknown => (JSON.parse(text) as { data: unknown }).data;
    for (let step = 0; step < 60; step += 1) {
      const startMs = FROM_MS - Math.floor(random() * 72) * HOUR_MS;
      if (random() < 0.2) await insertLate({ start_day: dayOf(startMs), view_start: startMs });
      if (random() < 0.05) await engine.store.command('OPTIMIZE TABLE views FINAL');
      const url = `${pick(ROUTES.filter((route) => !route.includes('insights')))}${pick(ranges)}`;
      const last = held.get(url);
      const answer = await cached.ask(url, random() < 0.5 ? last?.etag : undefined);
      if (answer.status === 200) held.set(url, answer);
      const fresh = await plain.ask(url);
      expect(dataOf(held.get(url)?.text ?? '')).toEqual(dataOf(fresh.text));
    }
    expect(cached.cacheCounters.hits).toBeGreaterThan(0);
    expect(cached.cacheCounters.notModified).toBeGreaterThan(0);
    expect(plain.cacheCounters.hits).toBe(0);
  });
});

describe('an engine that does not tell which parts there are', () => {
  it('is asked once, and answers are not kept', async () => {
    let asked = 0;
    const { store } = engine;
    const query = <Row>(sql: string, options?: QueryOptions): Promise<Row[]> => {
      if (!sql.includes('system.parts')) return store.query<Row>(sql, options);
      asked += 1;
      return Promise.reject(new StoreError('store_query_failed', 'not enough privileges'));
    };
    const { ask } = await start({}, { ...watched().store, query });
    for (let turn = 0; turn < 3; turn += 1) {
      const { status, etag, cacheControl } = await ask(OVERALL);
      expect([status, etag, cacheControl]).toEqual([200, undefined, 'no-store']);
    }
    expect(asked).toBe(1);
  });
});
