/** The routes of engagement on a real engine, against what plain code makes of the same views. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bucketsFor } from '../../api/views/content-buckets.ts';
import { views as viewsTable } from '../../schemas/tables/tables.ts';
import { insertRows, type RowObject } from '../support/rows.ts';
import { withSpans } from './support/generated-spans.ts';
import { generateViews, NOW_MS } from './support/generated-views.ts';
import {
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestStore,
} from './support/server.ts';

const DAY_MS = 86_400_000;
const all = withSpans(generateViews(400, 23, 'default'), 24);
const VIDEO = 'video-3';

interface Envelope<Data> {
  readonly data: Data;
  readonly meta: { readonly content_ms: number; readonly bucket_count: number };
  readonly code?: string;
}
interface Heatmap {
  readonly total_views: number;
  readonly value: number[];
}
interface Hotspots {
  readonly total_views: number;
  readonly hotspots: { start_ms: number; end_ms: number; score: number }[];
}
type Suffered = Readonly<Record<string, number>>;
interface Quality {
  readonly total_views: number;
  readonly buckets: Suffered[];
  readonly unplaced: Suffered;
}

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  const older = all.map((view) => ({ ...view, _epoch: 1, content_end_ms: 8e7 }));
  for (const rows of [older, all, withSpans(generateViews(60, 8, 'other'), 3)])
    await insertRows(engine.store, viewsTable, rows);
  ({ server } = await startServer(engine.store));
});

afterAll(async () => {
  await server?.close();
  await engine?.close();
});

async function get<Data>(path: string, pairs: QueryPairs = []): Promise<Envelope<Data>> {
  const { status, body } = await ask<Envelope<Data>>(server, `/engagement/videos${path}`, pairs);
  expect([status, body.code]).toEqual([200, undefined]);
  return body;
}

const watched = all.filter(
  ({ video_id, stream_type, content_end_ms, closed, view_end }) =>
    video_id === VIDEO &&
    stream_type !== 'live' &&
    Number(content_end_ms) > 0 &&
    closed === 1 &&
    view_end >= NOW_MS - DAY_MS &&
    view_end < NOW_MS,
);
const list = (view: RowObject, name: string) => (view[name] ?? []) as readonly (string | number)[];
const sumOf = (views: readonly RowObject[], name: string): number =>
  views.reduce((sum, view) => sum + Number(view[name] ?? 0), 0);

/** Overlap of each view's parts with each bucket, in the mean of all. */
function plainValues(views: readonly RowObject[]): number[] {
  const contentMs = Math.max(0, ...views.map((view) => Number(view.content_end_ms)));
  return bucketsFor(contentMs).map(({ startMs, endMs }) => {
    let playedMs = 0;
    for (const view of views) {
      list(view, 'content_from_s').forEach((from, place) => {
        const to = 1_000 * Number(list(view, 'content_to_s')[place]);
        playedMs += Math.max(0, Math.min(endMs, to) - Math.max(startMs, 1_000 * Number(from)));
      });
    }
    return playedMs / (views.length * (endMs - startMs));
  });
}

function plainTroubles(startMs: number, endMs: number, isLast: boolean): Suffered {
  const isHere = (second: number): boolean =>
    1_000 * second >= startMs && (isLast || 1_000 * second < endMs);
  const found = { rebuffer_duration: 0, rebuffer_count: 0, downswitch_count: 0, error_count: 0 };
  let exits = 0;
  for (const view of watched) {
    list(view, 'trouble_kinds').forEach((kind, place) => {
      const at = (name: string): number => Number(list(view, name)[place]);
      if (!isHere(at('trouble_seconds'))) return;
      found.rebuffer_duration += at('trouble_ms');
      found[`${kind}_count` as keyof typeof found] += at('trouble_counts');
    });
    const left = view.started === 1 && view.outcome !== 'ended' && view.content_exit_ms !== null;
    if (left && isHere(Math.floor(Number(view.content_exit_ms) / 1_000))) exits++;
  }
  return { start_ms: startMs, end_ms: endMs, ...found, exit_count: exits };
}

describe('the heatmap of a video', () => {
  it('says how much of each bucket its views played', async () => {
    const { data, meta } = await get<Heatmap>(`/${VIDEO}/heatmap`);
    const plain = plainValues(watched);
    expect(data.total_views).toBe(watched.length);
    expect(watched.length).toBeGreaterThan(3);
    expect(data.value).toHaveLength(plain.length);
    for (const [index, value] of data.value.entries())
      expect(value).toBeCloseTo(plain[index] ?? -1, 12);
    expect(meta).toMatchObject({
      content_ms: Math.max(...watched.map((view) => Number(view.content_end_ms))),
      bucket_count: plain.length,
    });
  });

  it('takes filters and a timeframe', async () => {
    const some = watched.filter(({ cdn }) => cdn === 'fastly');
    const { data } = await get<Heatmap>(`/${VIDEO}/heatmap`, [['filters[]', 'cdn:fastly']]);
    expect(data.total_views).toBe(some.length);
    for (const [index, value] of data.value.entries())
      expect(value).toBeCloseTo(plainValues(some)[index] ?? -1, 12);
    const none = await get<Heatmap>(`/${VIDEO}/heatmap`, [['timeframe[]', '1:second']]);
    expect(none.data).toEqual({ total_views: 0, value: [] });
  });

  it('is empty for a video that nobody watched', async () => {
    const { data } = await get<Heatmap>(`/${encodeURIComponent("no'such")}/heatmap`);
    expect(data).toEqual({ total_views: 0, value: [] });
    const { data: quality } = await get<Quality>('/none/quality-heatmap');
    expect(quality).toMatchObject({ total_views: 0, buckets: [], unplaced: { exit_count: 0 } });
  });
});

describe('the hotspots of a video', () => {
  it('are stretches of its heatmap, as many as asked for', async () => {
    const { data } = await get<Hotspots>(`/${VIDEO}/hotspots`);
    const { value } = (await get<Heatmap>(`/${VIDEO}/heatmap`)).data;
    const scores = data.hotspots.map(({ score }) => score);
    expect(data.total_views).toBe(watched.length);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores[0]).toBeGreaterThan(value.reduce((sum, one) => sum + one, 0) / value.length);
    const one = await get<Hotspots>(`/${VIDEO}/hotspots`, [['limit', '1']]);
    expect(one.data.hotspots).toEqual(data.hotspots.slice(0, 1));
    const cold = await get<Hotspots>(`/${VIDEO}/hotspots`, [['order_direction', 'asc']]);
    expect(cold.data.hotspots[0]?.score).toBeLessThan(scores.at(-1) ?? 0);
  });
});

describe('the quality heatmap of a video', () => {
  it('has what its views met in each bucket, and what has no place', async () => {
    const { data } = await get<Quality>(`/${VIDEO}/quality-heatmap`);
    const contentMs = Math.max(...watched.map((view) => Number(view.content_end_ms)));
    const buckets = bucketsFor(contentMs);
    const plain = buckets.map(({ startMs, endMs }, index) =>
      plainTroubles(startMs, endMs, index === buckets.length - 1),
    );
    expect(data.buckets).toEqual(plain);
    const exits = watched.filter((view) => view.started === 1 && view.outcome !== 'ended').length;
    expect(data.unplaced).toEqual({
      rebuffer_duration: sumOf(watched, 'rebuffer_ms') - sumOf(plain, 'rebuffer_duration'),
      rebuffer_count: sumOf(watched, 'rebuffer_count') - sumOf(plain, 'rebuffer_count'),
      error_count: sumOf(watched, 'error_count') - sumOf(plain, 'error_count'),
      exit_count: exits - sumOf(plain, 'exit_count'),
    });
    expect(sumOf(plain, 'exit_count')).toBeGreaterThan(0);
  });

  it.each([
    [[['filters[]', 'contry:DE']], 'dimension_unknown'],
    [[['limit', '5']], 'parameter_unknown'],
  ] as [QueryPairs, string][])('refuses %j', async (pairs, code) => {
    const path = `/engagement/videos/${VIDEO}/quality-heatmap`;
    const { status, body } = await ask<Envelope<null>>(server, path, pairs);
    expect([status, body.code]).toEqual([400, code]);
  });
});
