/** Every figure of delivery against plain code over the same requests, from windows and from single requests. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliveryDimensions } from '../../schemas/catalogue/delivery-dimensions.ts';
import { deliveryMetrics } from '../../schemas/catalogue/delivery-metrics.ts';
import { sideMetrics } from '../../schemas/catalogue/delivery-side-metrics.ts';
import { requests as requestsTable } from '../../schemas/tables/delivery.ts';
import { epochs, views as viewsTable } from '../../schemas/tables/tables.ts';
import { projectsOf, shop } from '../support/projects.ts';
import { dayOf, insertRows } from '../support/rows.ts';
import { dimensionOf, figureOf, impactOf } from './delivery-recomputed.ts';
import {
  FROM_MS,
  generateTold,
  insertCells,
  insertRequests,
  insertViews,
  requestRow,
  TO_MS,
  type Told,
} from './delivery-rows.ts';
import { NOW_MS } from './support/generated-views.ts';
import {
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestApi,
  type TestStore,
} from './support/server.ts';

const HOUR_MS = 3_600_000;
const all = generateTold(1_500, 11);

interface Answer<Data> {
  readonly data: Data;
  readonly timeframe: readonly [number, number];
  readonly total_row_count: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly detail?: string;
}
interface Overall {
  readonly value: number | null;
  readonly total_requests: number;
  readonly total_bytes: number;
  readonly global_value: number | null;
}
interface Item {
  readonly field: string;
  readonly value: number | null;
  readonly total_requests: number;
  readonly total_bytes: number;
  readonly negative_impact: number | null;
}
type Point = readonly [at: string, value: number | null, requests: number];

let engine: TestStore;
let api: TestApi;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  const { store } = engine;
  await insertRequests(store, all);
  await insertViews(store, all);
  await insertCells(store, all);
  // Another tenant's, and a view whose row of another day is older.
  const others = all.slice(0, 200).map((one) => ({ ...requestRow(one), project: 'other' }));
  await insertRows(store, requestsTable, others);
  const before = all.find(({ viewId }) => viewId === 'view-0')?.view;
  await insertRows(store, viewsTable, [
    {
      ...before,
      project: 'default',
      view_id: 'view-0',
      start_day: dayOf(FROM_MS) - 1,
      region: 'x',
    },
    { project: 'other', view_id: 'view-1', start_day: dayOf(FROM_MS), browser: 'x', _epoch: 9 },
  ]);
  await insertRows(store, epochs, [
    { topic: 't', _epoch: 1, log_time: NOW_MS, open_since: NOW_MS },
  ]);
  api = await startServer(store);
  ({ server } = api);
});

afterAll(async () => {
  await server?.close();
  await engine?.close();
});

type Source = 'edge' | 'player';
const frame = (fromMs = FROM_MS, toMs = TO_MS): QueryPairs => [
  ['timeframe[]', String(fromMs / 1_000)],
  ['timeframe[]', String(toMs / 1_000)],
];
/** A second later: no bound of windows, so that requests answer. */
const ODD_MS = FROM_MS + 1_000;

function within(source: Source, fromMs = FROM_MS, toMs = TO_MS): Told[] {
  return all.filter(
    ({ request }) => request.source === source && request.atMs >= fromMs && request.atMs < toMs,
  );
}

async function get<Data>(path: string, pairs: QueryPairs): Promise<Answer<Data>> {
  const { status, body } = await ask<Answer<Data>>(server, `/delivery/${path}`, pairs);
  expect(body.detail ?? status).toBe(200);
  return body;
}

/** `share`: how far off a figure may be. */
function expectNear(actual: number | null, expected: number | null, share: number, of: string) {
  if (actual === null || expected === null) return expect(actual, of).toBe(expected);
  const room = Math.max(share, 1e-12) * Math.abs(expected);
  expect(Math.abs(actual - expected), `${of}: ${actual}, not ${expected}`).toBeLessThanOrEqual(
    room,
  );
}

const cases = deliveryMetrics.flatMap((metric) =>
  metric.measures.map((measure) => [metric.id, measure, metric] as const),
);
const filters: readonly { pairs: QueryPairs; meets: (one: Told) => boolean }[] = [
  { pairs: [], meets: () => true },
  {
    pairs: [
      ['filters[]', 'country:DE'],
      ['filters[]', 'country:'],
      ['filters[]', '!cdn:akamai'],
    ],
    meets: (one) =>
      ['DE', ''].includes(dimensionOf(one, 'country')) && dimensionOf(one, 'cdn') !== 'akamai',
  },
];
const sourcesOf = (edgeOnly: boolean): Source[] => (edgeOnly ? ['edge'] : ['edge', 'player']);
const isPercentile = (measure: string): boolean => /th$|^median$/.test(measure);

describe.each(cases)('%s as %s', (id, measure, metric) => {
  it('is what its definition says, from windows and from requests', async () => {
    for (const source of sourcesOf(metric.edgeOnly)) {
      for (const { pairs, meets } of filters) {
        const asked: QueryPairs = [['measurement', measure], ['source', source], ...pairs];
        for (const [fromMs, table] of [
          [FROM_MS, 'delivery_5s'],
          [ODD_MS, 'requests'],
        ] as const) {
          const body = await get<Overall>(`metrics/${id}/overall`, [...frame(fromMs), ...asked]);
          const told = within(source, fromMs);
          const met = told.filter(meets);
          const exact = table === 'requests' || !isPercentile(measure);
          expect(body.meta).toMatchObject({ source, table, measurement: measure });
          expect(body.meta.percentiles).toBe(
            isPercentile(measure) ? (exact ? 'exact' : 'sketch') : undefined,
          );
          const of = `${id} ${measure} ${source} ${table}`;
          expectNear(body.data.value, figureOf(met, id, measure), exact ? 0 : 0.01, of);
          expectNear(body.data.global_value, figureOf(told, id, measure), exact ? 0 : 0.01, of);
          expect(body.data.total_requests).toBe(met.length);
          expect(body.data.total_bytes).toBe(figureOf(met, 'bytes', 'sum'));
        }
      }
    }
  });

  it.each(['cdn', 'video_id', 'browser'])('is so by %s', async (by) => {
    const table = by === 'browser' ? 'requests' : 'delivery_5s';
    const exact = table === 'requests' || !isPercentile(measure);
    const body = await get<Item[]>(`metrics/${id}/breakdown`, [
      ...frame(),
      ['measurement', measure],
      ['group_by', by],
    ]);
    expect(body.meta.table).toBe(table);
    const told = within('edge');
    const values = new Set(told.map((one) => dimensionOf(one, by)));
    expect(body.data.map(({ field }) => field).toSorted()).toEqual([...values].toSorted());
    expect(body.total_row_count).toBe(values.size);
    for (const item of body.data) {
      const group = told.filter((one) => dimensionOf(one, by) === item.field);
      const of = `${id} ${measure} of ${by} ${item.field}`;
      expectNear(item.value, figureOf(group, id, measure), exact ? 0 : 0.01, of);
      expect([item.total_requests, item.total_bytes]).toEqual([
        group.length,
        figureOf(group, 'bytes', 'sum'),
      ]);
      const impact = impactOf(told, group, id, measure, metric.good);
      if (impact === null) expect(item.negative_impact).toBeNull();
      else expect(item.negative_impact).toBeCloseTo(impact, 6 - Math.log10(Math.abs(impact) + 1));
    }
  });

  it('is so over time', async () => {
    const body = await get<Point[]>(`metrics/${id}/timeseries`, [
      ...frame(),
      ['measurement', measure],
      ['filters[]', '!custom_1:value-1'],
      ['group_by', 'hour'],
    ]);
    expect(body.meta).toMatchObject({ table: 'requests', granularity: 'hour' });
    expect(body.data).toHaveLength(12);
    const told = within('edge').filter((one) => dimensionOf(one, 'custom_1') !== 'value-1');
    for (const [iso, value, requests] of body.data) {
      const at = Date.parse(iso);
      const part = told.filter(({ request }) => request.atMs >= at && request.atMs < at + HOUR_MS);
      expect(requests).toBe(part.length);
      expectNear(value, figureOf(part, id, measure), 0, `${id} ${measure} at ${iso}`);
    }
  });
});

describe('the two tables', () => {
  it('agree on every sum, by every dimension that both carry', async () => {
    const shared = deliveryDimensions.filter(({ windowed }) => windowed).map(({ name }) => name);
    for (const by of shared) {
      const asked: QueryPairs = [
        ['group_by', by],
        ['measurement', 'sum'],
      ];
      const windows = await get<Item[]>('metrics/bytes/breakdown', [...frame(), ...asked]);
      // Every request has an id of a view, so that the filter changes nothing but the table.
      const single = await get<Item[]>('metrics/bytes/breakdown', [
        ...frame(),
        ...asked,
        ['filters[]', '!view_id:nobody'],
      ]);
      expect([windows.meta.table, single.meta.table]).toEqual(['delivery_5s', 'requests']);
      expect(single.data).toEqual(windows.data);
      expect(windows.data.length).toBeGreaterThan(0);
    }
  });

  it('have what was taken back from where it was first', async () => {
    const [row] = await engine.store.query<{ rows: number }>(
      'SELECT count() AS rows FROM delivery_5s WHERE requests < 0',
    );
    expect(row?.rows).toBeGreaterThan(100);
  });
});

describe('dimensions of the view', () => {
  it.each(['region', 'video_title', 'custom_1', 'view_id', 'player_name'])(
    'that requests are asked by: %s',
    async (by) => {
      const pairs: QueryPairs = [
        ...frame(),
        ['group_by', by],
        ['filters[]', 'object_type:segment'],
        ['source', 'player'],
        ['limit', '100'],
        ['order_by', 'field'],
      ];
      const { data } = await get<Item[]>('metrics/requests/breakdown', pairs);
      const counts = new Map<string, number>();
      for (const one of within('player')) {
        if (one.request.objectType !== 'segment') continue;
        const value = dimensionOf(one, by);
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      expect(new Map(data.map(({ field, value }) => [field, value]))).toEqual(counts);
      expect(data.map(({ field }) => field)).toEqual([...counts.keys()].toSorted());
    },
  );
});

describe('a question about delivery', () => {
  it('is paged in the order asked for', async () => {
    const pairs: QueryPairs = [
      ...frame(),
      ['group_by', 'view_id'],
      ['order_by', 'value'],
      ['order_direction', 'asc'],
    ];
    const page = (number: string) =>
      get<Item[]>('metrics/bytes/breakdown', [...pairs, ['limit', '7'], ['page', number]]);
    const [first, second, far] = [await page('1'), await page('2'), await page('50')];
    const values = [...first.data, ...second.data].map(({ value }) => value ?? 0);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect([first.data.length, far.data.length]).toEqual([7, 0]);
    expect(new Set([first, second, far].map((body) => body.total_row_count)).size).toBe(1);
  });

  it('that reaches up to now has whole windows', async () => {
    const { timeframe, meta } = await get<Overall>('metrics/requests/overall', [
      ['timeframe[]', '7:seconds'],
    ]);
    expect(timeframe[0] % 5).toBe(0);
    expect(timeframe[1] - timeframe[0]).toBe(10);
    expect(meta.table).toBe('delivery_5s');
  });

  it('of no request is 0 for sums and counts, else null', async () => {
    const none: QueryPairs = [...frame(), ['filters[]', 'cdn:nobody']];
    for (const [path, value] of [
      ['requests', 0],
      ['bytes', 0],
      ['ttfb', null],
      ['hit_ratio', null],
    ] as const) {
      const { data } = await get<Overall>(`metrics/${path}/overall`, none);
      expect(data).toMatchObject({ value, total_requests: 0, total_bytes: 0 });
      expect(data.global_value).not.toBe(value);
    }
  });

  it.each([
    ['metrics/tfb/overall', [], 'metric_unknown', 'ttfb'],
    ['metrics/ttfb/breakdown', [['group_by', 'contry']], 'dimension_unknown', 'country'],
    ['metrics/ttfb/overall', [['filters[]', 'cache_:x']], 'dimension_unknown', 'cache'],
    ['metrics/ttfb/overall', [['measurement', 'ratio']], 'parameter_invalid', 'median'],
    ['metrics/ttfb/overall', [['source', 'both']], 'parameter_invalid', 'player'],
    ['metrics/hit_ratio/overall', [['source', 'player']], 'parameter_invalid', 'source=edge'],
    ['metrics/network_time/overall', [['source', 'edge']], 'parameter_invalid', 'both sides'],
    ['metrics/ttfb/overall', [['filter[]', 'cdn:x']], 'parameter_unknown', 'filters[]'],
    ['blame', [['group_by', 'cnd']], 'dimension_unknown', 'cdn'],
    ['requests', [['blamed', 'orgin']], 'parameter_invalid', 'origin'],
    [
      'metrics/ttfb/timeseries',
      [
        ['group_by', 'minute'],
        ['timeframe[]', '60:days'],
      ],
      'parameter_invalid',
      'seriesPointsMax',
    ],
  ] as const)(
    'that is wrong is answered with what is right: %s %j',
    async (path, pairs, code, named) => {
      const { status, body } = await ask<Answer<never>>(server, `/delivery/${path}`, pairs);
      expect([status, body.code]).toEqual([400, code]);
      expect(body.detail).toContain(named);
    },
  );

  it('finds every name that it takes in the lists', async () => {
    const metrics = await get<{ name: string }[]>('metrics', []);
    const ids = [...deliveryMetrics, ...sideMetrics].map(({ id }) => id);
    expect(metrics.data.map(({ name }) => name)).toEqual(ids);
    const { data } = await get<{ basic: string[]; advanced: string[] }>('dimensions', []);
    expect(data.basic).toContain('view_cdn_edge_pop');
    expect(data.advanced).toEqual(expect.arrayContaining(['cache', 'region', 'view_id']));
  });
});

describe('answers over a finished range', () => {
  it('are recognised until a row of a table that they are read from comes', async () => {
    const url = `/data/v1/delivery/metrics/bytes/overall?timeframe[]=${FROM_MS / 1_000}&timeframe[]=${TO_MS / 1_000}`;
    const headers = { authorization: `Basic ${btoa('dev:dev')}`, host: 'localhost' };
    const first = await server.inject({ url, headers });
    const etag = String(first.headers.etag);
    const again = await server.inject({ url, headers: { ...headers, 'if-none-match': etag } });
    expect([first.statusCode, again.statusCode]).toEqual([200, 304]);
    const late = { ...requestRow(all[0] as Told), project: 'nobody', at: FROM_MS };
    await insertRows(engine.store, requestsTable, [late]);
    const then = await server.inject({ url, headers: { ...headers, 'if-none-match': etag } });
    expect(then.statusCode).toBe(200);
  });
});

describe('explain', () => {
  it('tells of the tables that answered', async () => {
    const readTokens = [{ id: 'ops', secret: 's', scopes: ['metrics', 'admin'] as const }];
    const projects = projectsOf([shop({ readTokens })]);
    const other = await startServer(engine.store, { projects });
    const headers = { authorization: `Basic ${btoa('ops:s')}`, host: 'localhost' };
    const tables = async (path: string): Promise<unknown> => {
      const url = `/data/v1/delivery/${path}&explain=true`;
      const body = (await other.server.inject({ url, headers })).json<Answer<never>>();
      return (body.meta.explain as { tables: string[] }[]).flatMap((each) => each.tables);
    };
    expect(await tables('metrics/ttfb/breakdown?group_by=cdn')).toEqual(['epochs', 'delivery_5s']);
    expect(await tables('metrics/ttfb/breakdown?group_by=cache')).toEqual(['epochs', 'requests']);
    expect(await tables('blame?group_by=region')).toEqual(['epochs', 'requests', 'views']);
    await other.server.close();
  });
});
