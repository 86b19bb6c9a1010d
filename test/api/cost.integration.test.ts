/** Costs on a real engine, against bills made by hand of the same requests. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectsOf, shop } from '../support/projects.ts';
import type { RowObject } from '../support/rows.ts';
import { BOOK, insertWorld, makeWorld, type WorldRequest } from './support/cost-world.ts';
import { billOf, microsOf, nearest, shareOfBill } from './support/plain-invoice.ts';
import { openTestStore, type QueryPairs, startServer, type TestStore } from './support/server.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const world = makeWorld('shop', 11, { views: 40, requests: 900 });
const edge = world.requests.filter(({ source }) => source === 'edge');
const projects = projectsOf([
  shop({ prices: BOOK }),
  { ...shop(), id: 'bare', writeKeys: [{ key: 'b' }], readTokens: [{ id: 'bare', secret: 's' }] },
]);

interface Figures {
  readonly cost: string;
  readonly cost_by_kind: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly requests: number;
  readonly origin_bytes: number;
  readonly unpriced: { readonly bytes: number; readonly requests: number };
  readonly views: number | null;
  readonly playing_time: number | null;
  readonly cost_per_watched_hour: string | null;
  readonly cost_per_view: string | null;
  readonly cost_per_gigabyte: string | null;
}
interface Part {
  readonly bytes: number;
  readonly cost: string;
  readonly coverage: number | null;
}
interface Row extends Figures {
  readonly field: string;
  readonly waste?: { readonly unplayed: Part; readonly oversized: Part } | null;
  readonly quality?: Readonly<Record<string, number | null>>;
}
interface Overall extends Omit<Row, 'field'> {
  readonly lines: readonly {
    readonly cost: string;
    readonly kind: string;
    readonly tier: number;
  }[];
  readonly months_cost: string;
  readonly forecast?: { readonly month: string; readonly cost_so_far: string };
}
interface Meta {
  readonly source: string;
  readonly currency: string;
  readonly unpriced: readonly { readonly cdn: string; readonly bytes: number }[];
  readonly unaccounted_bytes: number;
}
interface Body<Data> {
  readonly data: Data;
  readonly total_row_count: number;
  readonly meta: Meta;
  readonly code?: string;
  readonly detail?: string;
}

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  await insertWorld(engine.store, 'shop', world);
  await insertWorld(engine.store, 'other', makeWorld('other', 4, { views: 5, requests: 40 }));
  ({ server } = await startServer(engine.store, { projects }));
});
afterAll(async () => {
  await server?.close();
  await engine?.close();
});

async function ask<Data>(path: string, pairs: QueryPairs = [], token = 't'): Promise<Body<Data>> {
  const query = new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, value]),
  ).toString();
  const response = await server.inject({
    url: `/data/v1${path}?${query}`,
    headers: {
      authorization: `Basic ${Buffer.from(`${token}:s`).toString('base64')}`,
      host: 'localhost',
    },
  });
  return response.json();
}

async function get<Data>(path: string, pairs: QueryPairs = []): Promise<Body<Data>> {
  const body = await ask<Data>(path, pairs);
  expect([body.code, body.detail]).toEqual([undefined, undefined]);
  return body;
}

const between = (fromMs: number, toMs: number): QueryPairs => [
  ['timeframe[]', String(fromMs / 1_000)],
  ['timeframe[]', String(toMs / 1_000)],
];
const EVERYTHING = between(Date.UTC(2026, 0, 1), Date.UTC(2026, 3, 1));
/** From the middle of one month to that of the next, on no whole hour. */
const PART_FROM_MS = Date.UTC(2026, 0, 29, 7, 12, 5);
const PART_TO_MS = Date.UTC(2026, 1, 19, 21, 33, 40);
const PART = between(PART_FROM_MS, PART_TO_MS);

const windowOf = ({ atMs }: WorldRequest): number => Math.floor(atMs / 5_000) * 5_000;
const inPart = (each: WorldRequest): boolean =>
  windowOf(each) >= PART_FROM_MS && windowOf(each) < PART_TO_MS;
const monthsOfPart = edge.filter(({ atMs }) => atMs < Date.UTC(2026, 2, 1));

const costOf = (rows: readonly { readonly cost: string }[]): bigint =>
  rows.reduce((sum, { cost }) => sum + microsOf(cost), 0n);
const sumOf = (rows: readonly WorldRequest[], of: (row: WorldRequest) => number): number =>
  rows.reduce((sum, row) => sum + of(row), 0);

/** All pages. */
async function rowsOf(dimension: string, pairs: QueryPairs): Promise<Row[]> {
  const rows: Row[] = [];
  for (let page = 1; ; page++) {
    const paging: QueryPairs = [
      ['group_by', dimension],
      ['page', String(page)],
      ['limit', '7'],
      ['order_by', 'field'],
    ];
    const body = await get<Row[]>('/cost/breakdown', [...pairs, ...paging]);
    rows.push(...body.data);
    if (rows.length >= body.total_row_count) return rows;
    expect(body.data).toHaveLength(7);
  }
}

const DIMENSIONS = [
  'cdn',
  'country',
  'asn',
  'video_id',
  'view_cdn_edge_pop',
  'status_class',
  'video_title',
  'custom_1',
  'viewer_user_id',
  'view_id',
];

describe('the cost of everything', () => {
  it('is the bill made by hand, tiers, currencies and a contract that changes within a month included', async () => {
    const { data, meta } = await get<Overall>('/cost/overall', EVERYTHING);
    const bill = billOf(BOOK, edge);
    expect(bill).toBeGreaterThan(1_000_000n);
    expect(microsOf(data.cost)).toBe(bill);
    expect(microsOf(data.months_cost)).toBe(bill);
    expect(costOf(data.lines)).toBe(bill);
    expect(new Set(data.lines.map(({ tier }) => tier))).toEqual(new Set([null, 0, 1, 2]));
    expect(Object.values(data.cost_by_kind).reduce((sum, text) => sum + microsOf(text), 0n)).toBe(
      bill,
    );
    expect(data).toMatchObject({
      bytes: sumOf(edge, ({ bytes }) => bytes),
      requests: edge.length,
      origin_bytes: sumOf(edge, ({ originBytes }) => originBytes),
    });
    expect(meta).toMatchObject({ source: 'edge', currency: 'EUR', unaccounted_bytes: 0 });
  });

  it('says what has no price, and never counts it', async () => {
    const { data, meta } = await get<Overall>('/cost/overall', EVERYTHING);
    const nobodys = edge.filter(({ cdn }) => cdn === 'nobody');
    const said = meta.unpriced.filter(({ cdn }) => cdn === 'nobody');
    expect(said.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
      sumOf(nobodys, ({ bytes }) => bytes),
    );
    expect(data.unpriced.bytes).toBe(meta.unpriced.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(new Set(meta.unpriced.map(({ cdn }) => cdn))).toEqual(new Set(['', 'akamai', 'nobody']));
  });

  it('is of one source, never of both', async () => {
    const player = world.requests.filter(({ source }) => source === 'player');
    const { data } = await get<Overall>('/cost/overall', [...EVERYTHING, ['source', 'player']]);
    expect(microsOf(data.cost)).toBe(billOf(BOOK, player));
    expect([data.requests, data.waste]).toEqual([player.length, null]);
  });

  it.each(DIMENSIONS)('is what the rows by %s sum to', async (dimension) => {
    const rows = await rowsOf(dimension, EVERYTHING);
    expect(rows.length).toBeGreaterThan(2);
    expect(costOf(rows)).toBe(billOf(BOOK, edge));
    expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(sumOf(edge, ({ bytes }) => bytes));
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(edge.length);
  });

  it.each(['hour', 'day', 'month'])('is what its points by %s sum to', async (granularity) => {
    const pairs: QueryPairs = [...EVERYTHING, ['group_by', granularity]];
    const { data } = await get<(Figures & { readonly at: string })[]>('/cost/timeseries', pairs);
    expect(costOf(data)).toBe(billOf(BOOK, edge));
    const [newest] = edge.toSorted((left, right) => right.atMs - left.atMs);
    const last = data.findLast(({ requests }) => requests > 0);
    const lengthMs = { hour: HOUR_MS, day: DAY_MS, month: 31 * DAY_MS }[granularity] ?? 0;
    const aheadMs = (newest?.atMs ?? 0) - Date.parse(last?.at ?? '');
    expect(aheadMs >= 0 && aheadMs < lengthMs).toBe(true);
  });
});

describe('a part of months', () => {
  it('pays its share of their bills', async () => {
    const { data } = await get<Overall>('/cost/overall', PART);
    expect(microsOf(data.cost)).toBe(shareOfBill(BOOK, monthsOfPart, edge.filter(inPart)));
    expect(costOf(data.lines)).toBe(microsOf(data.cost));
    expect(microsOf(data.months_cost)).toBe(billOf(BOOK, monthsOfPart));
  });

  it.each(DIMENSIONS)('costs what its rows by %s sum to', async (dimension) => {
    const { data } = await get<Overall>('/cost/overall', PART);
    expect(costOf(await rowsOf(dimension, PART))).toBe(microsOf(data.cost));
  });

  const FILTERS: readonly (readonly [string, QueryPairs, (each: WorldRequest) => boolean])[] = [
    ['a country', [['filters[]', 'country:DE']], ({ country }) => country === 'DE'],
    ['no CDN but others', [['filters[]', '!cdn:fastly']], ({ cdn }) => cdn !== 'fastly'],
    [
      'a title',
      [['filters[]', "video_title:It's live"]],
      ({ view }) => view?.video_title === "It's live",
    ],
    [
      'an unknown title',
      [['filters[]', 'video_title:']],
      ({ view }) => (view?.video_title ?? '') === '',
    ],
    [
      'no title but others, of two networks',
      [
        ['filters[]', '!video_title:Title'],
        ['filters[]', 'asn:64500'],
        ['filters[]', 'asn:64501'],
      ],
      ({ view, asn }) => view?.video_title !== 'Title' && ['64500', '64501'].includes(asn),
    ],
    [
      'views that started fast',
      [['metric_filters[]', 'video_startup_time<2000']],
      ({ view }) => view?.started === 1 && Number(view.startup_ms) < 2_000,
    ],
  ];

  it.each(FILTERS)('of %s pays its share, whatever it is divided by', async (_, pairs, meets) => {
    const mine = edge.filter((each) => inPart(each) && meets(each));
    const filtered: QueryPairs = [...PART, ...pairs];
    const { data } = await get<Overall>('/cost/overall', filtered);
    expect(mine.length).toBeGreaterThan(5);
    expect(data.requests).toBe(mine.length);
    expect(microsOf(data.cost)).toBe(shareOfBill(BOOK, monthsOfPart, mine));
    for (const dimension of ['cdn', 'video_title', 'view_id', 'object_type']) {
      expect(costOf(await rowsOf(dimension, filtered))).toBe(microsOf(data.cost));
    }
    const series = await get<Figures[]>('/cost/timeseries', [...filtered, ['group_by', 'day']]);
    expect(costOf(series.data)).toBe(microsOf(data.cost));
  });

  it.each([['video_id'], ['custom_1']])('is divided by filters of each %s', async (dimension) => {
    const rows = await rowsOf(dimension, PART);
    let sum = 0n;
    for (const { field, requests } of rows) {
      const one = await get<Overall>('/cost/overall', [
        ...PART,
        ['filters[]', `${dimension}:${field}`],
      ]);
      expect(one.data.requests).toBe(requests);
      sum += microsOf(one.data.cost);
    }
    // Each question is rounded by itself: by half a millionth for each pool and kind.
    const apart = sum - costOf(rows);
    const roundings = BigInt(rows.length * 12);
    expect(apart >= -roundings && apart <= roundings).toBe(true);
  });
});

describe('rows', () => {
  it('say what each view cost, by hand', async () => {
    const rows = await rowsOf('view_id', PART);
    const parts = edge.filter(inPart);
    for (const { field, cost, bytes } of rows) {
      const mine = parts.filter(({ viewId }) => viewId === field);
      expect(bytes).toBe(sumOf(mine, (each) => each.bytes));
      const apart = microsOf(cost) - shareOfBill(BOOK, monthsOfPart, mine);
      expect(apart >= -12n && apart <= 12n).toBe(true);
    }
  });

  const begun = world.views.filter(
    ({ view_start }) => Number(view_start) >= PART_FROM_MS && Number(view_start) < PART_TO_MS,
  );
  const playedBy = (views: readonly RowObject[]): number =>
    views
      .filter(({ closed, started }) => closed === 1 && started === 1)
      .reduce((sum, { playing_ms }) => sum + Number(playing_ms), 0);

  it('say what an hour, a view and a gigabyte cost, rounded once', async () => {
    for (const row of await rowsOf('video_title', PART)) {
      const views = begun.filter(({ video_title }) => video_title === row.field);
      const micros = microsOf(row.cost);
      const playingMs = playedBy(views);
      expect([row.views, row.playing_time]).toEqual([views.length, playingMs]);
      if (playingMs === 0) {
        expect(row.cost_per_watched_hour).toBe(null);
        continue;
      }
      const perHour = nearest(micros * 3_600_000n, BigInt(playingMs));
      expect(microsOf(row.cost_per_watched_hour ?? '')).toBe(perHour);
      expect(microsOf(row.cost_per_view ?? '')).toBe(nearest(micros, BigInt(views.length)));
      const perGigabyte = nearest(micros * 1_000_000_000n, BigInt(row.bytes));
      expect(microsOf(row.cost_per_gigabyte ?? '')).toBe(perGigabyte);
    }
  });

  it.each(['cost', 'bytes', 'requests', 'cost_per_watched_hour'] as const)(
    'come in the order of %s, what has none last',
    async (order) => {
      const pairs: QueryPairs = [...PART, ['group_by', 'view_id'], ['order_by', order]];
      const { data } = await get<Row[]>('/cost/breakdown', [...pairs, ['limit', '1000']]);
      const values = data.map((row) => Number(row[order] ?? -1));
      expect(values).toEqual(values.toSorted((left, right) => right - left));
      expect(values.at(0)).toBeGreaterThan(values.at(-1) ?? 0);
    },
  );
});

describe('what was of no use', () => {
  /** Whole bytes of each request that were not played, and that were beyond the player's size; undefined unknown. */
  function wasteOf(each: WorldRequest) {
    const { view } = each;
    if (view === undefined || each.mediaMs === 0) return undefined;
    const isTold = view.closed === 1 && view.unknown_ms === 0 && view.source !== 'cmcd1';
    const isWithin =
      Number(view.view_start) >= PART_FROM_MS - DAY_MS &&
      Number(view.view_end) < PART_TO_MS + DAY_MS;
    if (!isTold || !isWithin) return undefined;
    const media = sumOf(
      edge.filter(({ viewId }) => viewId === each.viewId),
      ({ mediaMs }) => mediaMs,
    );
    const over = Math.max(0, media - Number(view.playing_ms));
    const unplayed = (BigInt(each.bytes) * BigInt(over)) / BigInt(media);
    const played = BigInt(each.bytes) - unplayed;
    if (view.downscale_ppm === null) return { unplayed, oversized: 0n, sized: 0n };
    const kept = 1_000_000n - BigInt(Number(view.downscale_ppm));
    return {
      unplayed,
      oversized: (played * (10n ** 12n - kept * kept)) / 10n ** 12n,
      sized: played,
    };
  }

  it.each(['cdn', 'video_title', 'view_id'])('is told of each %s, by hand', async (dimension) => {
    const fieldOf = (each: WorldRequest): string =>
      dimension === 'cdn'
        ? each.cdn
        : dimension === 'view_id'
          ? each.viewId
          : String(each.view?.video_title ?? '');
    let wastedRows = 0;
    for (const { field, waste, bytes, cost_by_kind } of await rowsOf(dimension, PART)) {
      const mine = edge.filter((each) => inPart(each) && fieldOf(each) === field);
      const found = mine.map((each) => ({ each, told: wasteOf(each) }));
      const sum = (of: (told: NonNullable<ReturnType<typeof wasteOf>>) => bigint): number =>
        found.reduce((all, { told }) => all + (told === undefined ? 0 : Number(of(told))), 0);
      const known = sumOf(
        found.filter(({ told }) => told !== undefined).map(({ each }) => each),
        (each) => each.bytes,
      );
      expect(waste?.unplayed.bytes).toBe(sum(({ unplayed }) => unplayed));
      expect(waste?.oversized.bytes).toBe(sum(({ oversized }) => oversized));
      if (bytes > 0) {
        expect(waste?.unplayed.coverage).toBeCloseTo(known / bytes, 12);
        expect(waste?.oversized.coverage).toBeCloseTo(sum(({ sized }) => sized) / bytes, 12);
      }
      const spent = microsOf(waste?.unplayed.cost ?? '') + microsOf(waste?.oversized.cost ?? '');
      expect(spent <= microsOf(cost_by_kind.bytes ?? '')).toBe(true);
      if (spent > 0n) wastedRows++;
    }
    expect(wastedRows).toBeGreaterThan(1);
  });

  it('is priced by the byte, as the row that it is in', async () => {
    const pairs: QueryPairs = [...between(Date.UTC(2026, 1, 1), Date.UTC(2026, 1, 15))];
    const rows = await rowsOf('view_id', [
      ...pairs,
      ['filters[]', 'cdn:akamai'],
      ['filters[]', 'country:JP'],
    ]);
    const priced = rows.filter(({ waste }) => (waste?.unplayed.bytes ?? 0) > 0);
    expect(priced.length).toBeGreaterThan(1);
    for (const { waste, bytes, cost_by_kind } of priced) {
      const part = BigInt(waste?.unplayed.bytes ?? 0);
      const plain = nearest(microsOf(cost_by_kind.bytes ?? '') * part, BigInt(bytes));
      const apart = microsOf(waste?.unplayed.cost ?? '') - plain;
      expect(apart >= -1n && apart <= 1n).toBe(true);
    }
  });
});

describe('who has no price book', () => {
  it('is told what to set', async () => {
    const body = await ask('/cost/overall', [], 'bare');
    expect(body).toMatchObject({ code: 'prices_missing', status: 409 });
    expect(body.detail).toContain('STREAMGAUGE_PRICES_FILE');
  });
});

describe('names', () => {
  it('that are wrong are answered with the nearest', async () => {
    const body = await ask('/cost/breakdown', [['group_by', 'object_typ']]);
    expect(body).toMatchObject({ code: 'dimension_unknown' });
    expect(body.detail).toContain('object_type');
  });
});
