/** What stands beside costs: quality of each value, and the cost of one view. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUERY_LIMITS } from '../../api/api.ts';
import { askMove } from '../../api/cost/move.ts';
import { createQueryRunner } from '../../api/query-runner.ts';
import { priceBookOf } from '../../platform/prices/price-book.ts';
import { projectsOf, shop } from '../support/projects.ts';
import { BOOK, insertWorld, isHit, makeWorld, type WorldRequest } from './support/cost-world.ts';
import { billOf, microsOf, shareOfBill } from './support/plain-invoice.ts';
import { openTestStore, startServer, type TestStore } from './support/server.ts';

const world = makeWorld('shop', 29, { views: 60, requests: 700 });
const edge = world.requests.filter(({ source }) => source === 'edge');
const bare = { id: 'bare', writeKeys: [{ key: 'b' }], readTokens: [{ id: 'bare', secret: 's' }] };
const projects = projectsOf([shop({ prices: BOOK }), { ...shop(), ...bare }]);
const EVERYTHING = 'timeframe[]=2026-01-01&timeframe[]=2026-04-01';

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  await insertWorld(engine.store, 'shop', world);
  await insertWorld(engine.store, 'bare', makeWorld('bare', 3, { views: 3, requests: 20 }));
  ({ server } = await startServer(engine.store, { projects }));
});
afterAll(async () => {
  await server?.close();
  await engine?.close();
});

async function ask(url: string, token = 't') {
  const authorization = `Basic ${Buffer.from(`${token}:s`).toString('base64')}`;
  const headers = { authorization, host: 'localhost' };
  const response = await server.inject({ url: `/data/v1${url}`, headers });
  expect([response.statusCode, response.json().detail]).toEqual([200, undefined]);
  return response.json();
}

interface Scored {
  readonly field: string;
  readonly quality?: Readonly<Record<string, number | null>>;
}

const succeeded = ({ status }: WorldRequest): boolean => status >= 200 && status < 400;
const ratio = (of: readonly WorldRequest[], part: (each: WorldRequest) => boolean) =>
  of.filter(part).length / of.length;
const bytesOf = (of: readonly WorldRequest[]): number =>
  of.reduce((sum, { bytes }) => sum + bytes, 0);

const FIGURES = [
  ['rebuffer_percentage', 'ratio'],
  ['video_startup_time', 'median'],
  ['viewer_experience_score', 'avg'],
] as const;

describe('the scoreboard', () => {
  it.each(['cdn', 'video_title'])(
    'by %s has what views met with, as their metrics say it',
    async (by) => {
      const board: Scored[] = (
        await ask(`/cost/breakdown?group_by=${by}&quality=true&limit=100&${EVERYTHING}`)
      ).data;
      expect(board.length).toBeGreaterThan(2);
      for (const [id, measure] of FIGURES) {
        const url = `/metrics/${id}/breakdown?group_by=${by}&measurement=${measure}&limit=100`;
        const { data } = await ask(`${url}&${EVERYTHING}`);
        const values = new Map<string, number>(
          data.map((row: { field: string; value: number }) => [row.field, row.value]),
        );
        expect(values.size).toBeGreaterThan(2);
        for (const { field, quality } of board) {
          expect([field, id, quality?.[id] ?? null]).toEqual([
            field,
            id,
            values.get(field) ?? null,
          ]);
        }
      }
    },
  );

  it.each([
    ['cdn', (each: WorldRequest) => each.cdn],
    ['video_title', (each: WorldRequest) => String(each.view?.video_title ?? '')],
    ['view_cdn_edge_pop', (each: WorldRequest) => each.pop],
  ] as const)('by %s has what requests met with, by hand', async (by, fieldOf) => {
    const { data } = await ask(
      `/cost/breakdown?group_by=${by}&quality=true&limit=100&${EVERYTHING}`,
    );
    for (const { field, quality } of data as Scored[]) {
      const mine = edge.filter((each) => fieldOf(each) === field);
      if (mine.length === 0) continue;
      const times = mine.filter(succeeded).map(({ ttfbMs }) => ttfbMs);
      times.sort((left, right) => left - right);
      const [low = 0, high = 0] = [0, 1].map((more) => times[(times.length - 1 + more) >> 1]);
      const ttfb = quality?.ttfb ?? -1;
      expect(ttfb).toBeGreaterThanOrEqual(low * 0.99);
      expect(ttfb).toBeLessThanOrEqual(high * 1.01);
      const known = mine.filter((each) => isHit(each) || each.cache === 'miss');
      const hits = bytesOf(mine.filter(isHit)) / bytesOf(known);
      expect(quality?.hit_ratio).toBeCloseTo(hits, 9);
      const errors = ratio(mine, ({ status }) => status >= 400);
      expect(quality?.error_percentage).toBeCloseTo(errors, 12);
    }
  });

  it('is there for CDNs, and for others when it is asked for', async () => {
    const has = async (query: string) =>
      'quality' in (await ask(`/cost/breakdown?${query}&${EVERYTHING}`)).data[0];
    expect(await has('group_by=cdn')).toBe(true);
    expect(await has('group_by=cdn&quality=false')).toBe(false);
    expect(await has('group_by=country')).toBe(false);
  });
});

describe('one view', () => {
  it('has its share of the bills of the months that it lies in', async () => {
    let priced = 0;
    for (const { view_id } of world.views) {
      const mine = edge.filter(({ viewId }) => viewId === view_id);
      const { cost } = (await ask(`/video-views/${view_id}`)).data;
      if (mine.length === 0) {
        expect(cost).toBe(null);
        continue;
      }
      expect(microsOf(cost.amount)).toBe(shareOfBill(BOOK, edge, mine));
      expect(cost).toMatchObject({ currency: 'EUR', bytes: bytesOf(mine), requests: mine.length });
      if (cost.amount !== '0.000000') priced++;
    }
    expect(priced).toBeGreaterThan(10);
  });

  it('has none where nobody gave a price book', async () => {
    expect((await ask('/video-views/view-1', 'bare')).data.cost).toBe(null);
  });
});

describe('a move of everything that a CDN had', () => {
  const FROM_MS = Date.UTC(2026, 1, 3);
  const TO_MS = Date.UTC(2026, 1, 27);
  const timeframe = { fromMs: FROM_MS, toMs: TO_MS };

  it('costs what the bills of its months differ by, made by hand', async () => {
    const runner = createQueryRunner({
      store: engine.store,
      limits: QUERY_LIMITS,
      logger: { error: () => undefined, warn: () => undefined },
    });
    const parsed = priceBookOf(BOOK);
    if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
    const filters = [{ dimension: 'video_title', exclude: false, values: ['A film'] }];
    const scope = {
      project: 'shop',
      timeframe,
      filters,
      metricFilters: [],
      source: 'edge',
    } as const;
    const move = { book: parsed.book, scope, from: 'fastly', to: 'akamai', share: 1 };
    const cost = await askMove({ runner }, move, new AbortController().signal);
    const february = edge.filter(
      ({ atMs }) => atMs >= Date.UTC(2026, 1, 1) && atMs < Date.UTC(2026, 2, 1),
    );
    const isMoved = ({ cdn, view, atMs }: WorldRequest): boolean =>
      cdn === 'fastly' && view?.video_title === 'A film' && atMs >= FROM_MS && atMs < TO_MS;
    const after = february.map((each) => (isMoved(each) ? { ...each, cdn: 'akamai' } : each));
    expect(february.filter(isMoved).length).toBeGreaterThan(5);
    expect(microsOf(cost.delta)).toBe(billOf(BOOK, after) - billOf(BOOK, february));
    expect(cost.moved.bytes).toBe(bytesOf(february.filter(isMoved)));
    expect(cost.unpriced_after.length).toBeGreaterThan(0);
  });
});
