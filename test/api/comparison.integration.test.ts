import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { part } from '../../schemas/beat.ts';
import { viewEvents, views as viewsTable } from '../../schemas/tables/tables.ts';
import { dayOf, encodeParts, insertRows } from '../support/rows.ts';
import { generateViews, NOW_MS, type View } from './support/generated-views.ts';
import {
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestStore,
} from './support/server.ts';

const CODES = ['MEDIA_ERR_DECODE', '404', 'drm'];
const all = generateViews(220, 7, 'default').map(
  (view, index): View => ({
    ...view,
    player_error_code: index % 3 === 0 ? (CODES[index % 7] ?? '') : '',
  }),
);
const DAY_MS = 86_400_000;

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  await insertRows(engine.store, viewsTable, all);
  await insertRows(engine.store, viewsTable, generateViews(50, 8, 'other'));
  ({ server } = await startServer(engine.store));
});

afterAll(async () => {
  await server.close();
  await engine.close();
});

interface Item {
  readonly metric: string;
  readonly measurement: string;
  readonly type: string;
  readonly value: number | null;
  readonly items?: readonly Item[];
}
type Comparison = readonly [Record<string, number>, ...Item[]];

const get = async <Data>(path: string, pairs: QueryPairs = []): Promise<Data> => {
  const { status, body } = await ask<{ data: Data }>(server, path, pairs);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.data;
};

const overall = async (id: string, measurement: string, filters: QueryPairs = []) =>
  (
    await get<{ value: number | null }>(`/metrics/${id}/overall`, [
      ['measurement', measurement],
      ...filters,
    ])
  ).value;

describe('a comparison', () => {
  it.each([
    ['of everything', [], []],
    ['of a filter', [['filters[]', 'country:DE']], [['filters[]', 'country:DE']]],
    [
      'of a slice within a filter',
      [
        ['dimension', 'country'],
        ['value', 'DE'],
        ['filters[]', '!cdn:akamai'],
      ],
      [
        ['filters[]', 'country:DE'],
        ['filters[]', '!cdn:akamai'],
      ],
    ],
    [
      'of views by a figure',
      [['metric_filters[]', 'video_startup_time>=1000']],
      [['metric_filters[]', 'video_startup_time>=1000']],
    ],
  ] satisfies [string, QueryPairs, QueryPairs][])(
    '%s says what each metric says alone',
    async (_, pairs, filters) => {
      const [totals, ...groups] = await get<Comparison>('/metrics/comparison', pairs);
      expect(totals).toEqual({
        name: 'totals',
        view_count: await overall('views', 'count', filters),
        unique_viewers: await overall('unique_viewers', 'count', filters),
        started_views: await overall('started_views', 'count', filters),
        ended_views: await overall('ended_views', 'count', filters),
        total_playing_time: await overall('playing_time', 'sum', filters),
        watch_time: await overall('watch_time', 'sum', filters),
      });
      const items = groups.flatMap((group) => [group, ...(group.items ?? [])]);
      expect(items.length).toBeGreaterThan(35);
      for (const { metric, measurement, value } of items) {
        const alone = await overall(metric, measurement, filters);
        if (value === null || alone === null) expect(value, metric).toBe(alone);
        else expect(value, metric).toBeCloseTo(alone, 6);
      }
    },
  );

  it('of nothing has no values', async () => {
    const [totals, first] = await get<Comparison>('/metrics/comparison', [
      ['dimension', 'country'],
      ['value', 'nowhere'],
    ]);
    expect(totals.view_count).toBe(0);
    expect(first?.value).toBeNull();
  });

  it('refuses a value without its dimension, and names the nearest one', async () => {
    const alone = await ask<{ code: string }>(server, '/metrics/comparison', [['value', 'DE']]);
    expect([alone.status, alone.body.code]).toEqual([400, 'parameter_invalid']);
    const wrong = await ask<{ detail: string }>(server, '/metrics/comparison', [
      ['dimension', 'contry'],
      ['value', 'DE'],
    ]);
    expect(wrong.body.detail).toContain('did you mean country?');
  });
});

interface Insight {
  readonly filter_column: string;
  readonly filter_value: string;
  readonly metric: number | null;
  readonly negative_impact_score: number;
  readonly total_views: number;
}

describe('insights', () => {
  it.each([
    ['rebuffer_percentage', 'ratio'],
    ['video_startup_time', 'median'],
    ['viewer_experience_score', 'avg'],
  ])('of %s are the worst values over all dimensions', async (id, measurement) => {
    const found = await get<Insight[]>(`/metrics/${id}/insights`, [['limit', '20']]);
    expect(found).toHaveLength(20);
    const scores = found.map(({ negative_impact_score }) => negative_impact_score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const dimension of ['country', 'cdn', 'player_name', 'operating_system']) {
      const rows = await get<
        { field: string; negative_impact: number; value: number; views: number }[]
      >(`/metrics/${id}/breakdown`, [
        ['group_by', dimension],
        ['measurement', measurement],
        ['order_by', 'negative_impact'],
      ]);
      const ours = found.filter(({ filter_column }) => filter_column === dimension);
      const above = rows.filter(({ negative_impact }) => negative_impact > (scores.at(-1) ?? 0));
      expect(ours.length).toBeGreaterThanOrEqual(above.length);
      for (const insight of ours) {
        const row = rows.find(({ field }) => field === insight.filter_value);
        expect(insight).toMatchObject({
          metric: row?.value,
          negative_impact_score: row?.negative_impact,
          total_views: row?.views,
        });
      }
    }
  });

  it('may begin with what helps most', async () => {
    const found = await get<Insight[]>('/metrics/rebuffer_percentage/insights', [
      ['order_direction', 'asc'],
      ['limit', '5'],
    ]);
    const scores = found.map(({ negative_impact_score }) => negative_impact_score);
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(scores[0]).toBeLessThan(0);
  });
});

interface ErrorItem {
  readonly id: number;
  readonly code: number | null;
  readonly player_error_code: string;
  readonly message: string | null;
  readonly count: number;
  readonly percentage: number;
  readonly last_seen: string;
}

describe('errors', () => {
  const closed = (view: View) =>
    view.closed === 1 && view.view_end >= NOW_MS - DAY_MS && view.view_end < NOW_MS;

  it('are counted by code, most first, with their share and the last of them', async () => {
    const views = all.filter(closed);
    const expected = [...new Set(views.map((view) => String(view.player_error_code)))]
      .filter((code) => code !== '')
      .map((code) => {
        const having = views.filter((view) => view.player_error_code === code);
        return {
          player_error_code: code,
          count: having.length,
          last_seen: new Date(Math.max(...having.map((view) => view.view_end))).toISOString(),
        };
      })
      .sort((a, b) => b.count - a.count || (a.player_error_code < b.player_error_code ? -1 : 1));
    expect(expected.length).toBeGreaterThan(1);
    const found = await get<ErrorItem[]>('/errors', [['limit', '100']]);
    expect(
      found.map(({ player_error_code, count, last_seen }) => ({
        player_error_code,
        count,
        last_seen,
      })),
    ).toEqual(expected);
    for (const { count, percentage } of found) {
      expect(percentage).toBeCloseTo(count / views.length, 12);
    }
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  });

  it('are as many as there are on a page beyond the last, and none where there are none', async () => {
    type Page = { readonly data: unknown[]; readonly total_row_count: number };
    const page = async (pairs: QueryPairs) => (await ask<Page>(server, '/errors', pairs)).body;
    const { total_row_count } = await page([]);
    expect(total_row_count).toBeGreaterThan(1);
    expect(
      await page([
        ['page', '1000'],
        ['limit', '3'],
      ]),
    ).toMatchObject({ data: [], total_row_count });
    const none: QueryPairs = [['filters[]', 'country:nowhere']];
    expect(await page(none)).toMatchObject({ data: [], total_row_count: 0 });
    expect(await page([...none, ['page', '2']])).toMatchObject({ data: [], total_row_count: 0 });
  });

  it('lead to the views that have them', async () => {
    const [first] = await get<ErrorItem[]>('/errors');
    const listed = await get<{ player_error_code: string; error_type_id: number; live: boolean }[]>(
      '/video-views',
      [
        ['error_id', String(first?.id)],
        ['limit', '1000'],
      ],
    );
    // Errors count views that have closed; the list has live ones too.
    const views = listed.filter(({ live }) => !live);
    expect(views).toHaveLength(first?.count ?? -1);
    for (const view of views) {
      expect(view).toMatchObject({
        player_error_code: first?.player_error_code,
        error_type_id: first?.id,
      });
    }
  });

  it('say what the last view with the code was told', async () => {
    const [first] = await get<ErrorItem[]>('/errors');
    const code = first?.player_error_code ?? '';
    const view = all
      .filter((candidate) => closed(candidate) && candidate.player_error_code === code)
      .toSorted((a, b) => b.view_end - a.view_end)[0];
    const parts = (said: string, message: string) =>
      encodeParts([part.error({ code: said, message, fatal: 'yes', business: false })]);
    const event = (said: string, message: string, seq: number) => ({
      project: 'default',
      start_day: dayOf(view?.view_start ?? 0),
      view_id: view?.view_id ?? '',
      at: (view?.view_end ?? 0) - 10 + seq,
      seq,
      lane: 'main',
      name: 'error',
      schema_version: parts(said, message).version,
      parts: parts(said, message).bytes,
    });
    await insertRows(engine.store, viewEvents, [
      event(code, 'no such segment', 1),
      event('another', 'nothing', 2),
    ]);
    const [again] = await get<ErrorItem[]>('/errors');
    expect(again?.message).toBe('no such segment');
  });
});
