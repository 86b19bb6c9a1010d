/** From raw beats to answers: a running Streamgauge says of every metric what plain code says of the same beats. */
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measuresOf } from '../../api/planner/figure.ts';
import { measures, type ViewMetric, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { startTestServer, type TestServer, until } from '../support/running.ts';
import { generateBeats, type RawBeat, SPAN_MS } from './support/raw-beats.ts';
import { figureOf, impactOf, taking, valueIn } from './support/raw-figures.ts';
import { type RawView, recomputeView } from './support/raw-recomputed.ts';
import { WINDOW_MS, windowAt, windowFigures } from './support/raw-windows.ts';

const VIEWS = 220;
const SEED = 3;
const TEN_MINUTES_MS = 600_000;
const HOUR_MS = 3_600_000;
/** Requests at a time: what the store's readers take. */
const REQUESTS = 4;
const SETTINGS = { epochMs: 500, reorderMs: 5_000, viewTimeoutMs: 8_000, pausedTimeoutMs: 8_000 };

interface Answer<Data> {
  readonly data: Data;
  readonly total_row_count: number;
}

interface Overall {
  readonly value: number | null;
  readonly total_views: number;
  readonly total_playing_time: number;
  readonly total_watch_time: number;
}

interface Item {
  readonly field: string;
  readonly value: number | null;
  readonly views: number;
  readonly total_playing_time: number;
  readonly total_watch_time: number;
  readonly negative_impact: number;
}

type Point = readonly [at: string, value: number | null, views: number];

interface WindowPoint {
  readonly date: string;
  readonly value: number | null;
}

interface HistogramPoint {
  readonly timestamp: string;
  readonly sum: number;
  readonly median: number | null;
  readonly p95: number | null;
}

/** A filter as it is asked for, and the views that meet it. */
interface Filter {
  readonly query: string;
  readonly meets: (view: RawView) => boolean;
}

const dimension = (view: RawView, name: string): string => view.dimensions[name] ?? '';
const everything: Filter = { query: '', meets: () => true };
const narrowed: readonly Filter[] = [
  {
    query: 'filters[]=country:DE&filters[]=country:',
    meets: (view) => ['DE', ''].includes(dimension(view, 'country')),
  },
  { query: 'filters[]=!cdn:fastly', meets: (view) => dimension(view, 'cdn') !== 'fastly' },
  {
    query: 'metric_filters[]=rebuffer_percentage>=0.05',
    meets: (view) => Number(valueIn(view, 'rebuffer_percentage') ?? -1) >= 0.05,
  },
];
const groupings = ['country', 'cdn', 'custom_1'] as const;
/** Percentiles that differ from the median and the 95th in their level alone: one grouping each, in turn. */
const levelsAlone = ['5th', '25th', '75th', '90th', '99th'];
/**
 * `npm run test:figures` asks every measure under every filter by every grouping; it takes minutes. Without it which of
 * them meet takes turns.
 */
const WHOLE = process.env.STREAMGAUGE_TEST_FIGURES === 'all';

let server: TestServer;
let fromMs: number;
let all: RawView[];

beforeAll(async () => {
  // All lies in the past, and far enough that the newest windows are complete.
  fromMs = Math.floor((Date.now() - 120_000) / TEN_MINUTES_MS) * TEN_MINUTES_MS - SPAN_MS;
  const beats = generateBeats(VIEWS, SEED, fromMs);
  all = beats.map(recomputeView);
  server = await startTestServer(SETTINGS);
  for (let at = 0; at < beats.length; at += 20) await send(beats.slice(at, at + 20).flat());
  await until(
    async () => (await overall('ended_views', 'count', '')).value,
    (ended) => ended === VIEWS,
  );
});

afterAll(async () => {
  await server?.close();
});

/** A view's beats come in one body: no swapped neighbour waits for a request. */
async function send(beats: readonly RawBeat[]): Promise<void> {
  const headers = { authorization: 'Bearer dev-trusted', 'content-type': 'application/json' };
  const answer = await server.post('/v1/beats', JSON.stringify(beats), headers);
  const accepted = beats.reduce((sum, { events }) => sum + events.length, 0);
  expect(await answer.json()).toMatchObject({ accepted, rejected: [], rejectedTotal: 0 });
}

const frame = (): string =>
  `timeframe[]=${fromMs / 1_000}&timeframe[]=${(fromMs + SPAN_MS) / 1_000}`;

async function ask<Data>(path: string, query: string): Promise<Answer<Data>> {
  return server.get<Answer<Data>>(`/data/v1/${path}?${encodeURI(`${frame()}&${query}`)}`);
}

async function overall(metric: string, measure: string, query: string): Promise<Overall> {
  const path = `metrics/${metric}/overall`;
  return (await ask<Overall>(path, `measurement=${measure}&${query}`)).data;
}

const sum = (views: readonly RawView[], value: (view: RawView) => number): number =>
  views.reduce((total, view) => total + value(view), 0);

/** Whole numbers exactly, others to 1e-9 of their size. */
function expectFigure(actual: number | null | undefined, expected: number | null, of: string) {
  const near =
    typeof actual === 'number' &&
    expected !== null &&
    Math.abs(actual - expected) <=
      (Number.isInteger(expected) && Number.isInteger(actual)
        ? 0
        : 1e-9 * Math.max(1, Math.abs(expected)));
  expect(near ? expected : actual, of).toBe(expected);
}

interface Totals {
  readonly views: number;
  readonly total_playing_time: number;
  readonly total_watch_time: number;
}

function expectTotals(actual: Totals, metric: string, views: readonly RawView[], of: string) {
  const part = taking(metric, views);
  expect([actual.views, actual.total_playing_time, actual.total_watch_time], of).toEqual([
    part.length,
    sum(part, (view) => Number(valueIn(view, 'playing_time'))),
    sum(part, (view) => Number(valueIn(view, 'watch_time'))),
  ]);
}

async function expectOverall(metric: ViewMetric, measure: string, filter: Filter): Promise<void> {
  const views = all.filter(filter.meets);
  const data = await overall(metric.id, measure, filter.query);
  const of = `${metric.id} as ${measure}, ${filter.query}`;
  expectFigure(data.value, figureOf(metric.id, measure, views), of);
  expectTotals({ ...data, views: data.total_views }, metric.id, views, of);
}

async function expectBreakdown(
  metric: ViewMetric,
  measure: string,
  by: string,
  filter: Filter,
): Promise<void> {
  const query = `measurement=${measure}&group_by=${by}&limit=100&${filter.query}`;
  const { data } = await ask<Item[]>(`metrics/${metric.id}/breakdown`, query);
  const views = all.filter(filter.meets);
  const fields = new Set(taking(metric.id, views).map((view) => dimension(view, by)));
  expect(data.map(({ field }) => field).toSorted()).toEqual([...fields].toSorted());
  for (const item of data) {
    const group = views.filter((view) => dimension(view, by) === item.field);
    const rest = views.filter((view) => dimension(view, by) !== item.field);
    const of = `${metric.id} as ${measure} of ${by} ${item.field}, ${filter.query}`;
    expectFigure(item.value, figureOf(metric.id, measure, group), of);
    expectTotals(item, metric.id, group, of);
    expectFigure(item.negative_impact, impactOf(metric, measure, group, rest), `impact: ${of}`);
  }
}

async function expectSeries(metric: ViewMetric, by: string, lengthMs: number): Promise<void> {
  const { data } = await ask<Point[]>(`metrics/${metric.id}/timeseries`, `group_by=${by}`);
  const placed = ({ startMs, endMs }: RawView) => (metric.bucketedBy === 'start' ? startMs : endMs);
  expect(data.length).toBeGreaterThanOrEqual(SPAN_MS / lengthMs);
  expect(data.reduce((total, [, , count]) => total + count, 0)).toBe(taking(metric.id, all).length);
  for (const [iso, value, count] of data) {
    const at = Date.parse(iso);
    const views = all.filter((view) => placed(view) >= at && placed(view) < at + lengthMs);
    const part = taking(metric.id, views).length;
    expect(count, iso).toBe(part);
    const expected = part === 0 ? null : figureOf(metric.id, metric.defaultMeasure, views);
    expectFigure(value, expected, `${metric.id} at ${iso}`);
  }
}

/** Filters and groupings under which a measure is asked. */
function pairsFor(measure: string, turn: number): (readonly [Filter, string])[] {
  if (WHOLE) return narrowed.flatMap((filter) => groupings.map((by) => [filter, by] as const));
  return groupings.flatMap((by, index) => {
    const filter = narrowed[(turn + index) % narrowed.length] ?? everything;
    return index === turn % 3 || !levelsAlone.includes(measure) ? [[filter, by] as const] : [];
  });
}

describe('every metric of views is what its definition says of the beats', () => {
  it.each(viewMetrics.map((metric) => [metric.id, metric] as const))(
    '%s, by every measure, filter and grouping',
    async (id, metric) => {
      expect(taking(id, all).length).toBeGreaterThan(10);
      const limit = pLimit(REQUESTS);
      const filters = [everything, ...narrowed];
      await Promise.all([
        ...measuresOf(metric, measures).flatMap((measure, turn) => [
          ...(WHOLE || measure === metric.defaultMeasure ? filters : [everything]).map((filter) =>
            limit(() => expectOverall(metric, measure, filter)),
          ),
          ...pairsFor(measure, turn).map(([filter, by]) =>
            limit(() => expectBreakdown(metric, measure, by, filter)),
          ),
        ]),
        ...groupings.map((by) =>
          limit(() => expectBreakdown(metric, metric.defaultMeasure, by, everything)),
        ),
      ]);
      await expectSeries(metric, 'hour', HOUR_MS);
      await expectSeries(metric, 'ten_minutes', TEN_MINUTES_MS);
    },
  );
});

describe('windows of 5 s', () => {
  it.each(Object.entries(windowFigures))('hold %s as the beats say', async (id, figure) => {
    const { data } = await ask<WindowPoint[]>(`monitoring/metrics/${id}/timeseries`, '');
    expect(data).toHaveLength(SPAN_MS / WINDOW_MS);
    const answered = data.filter(({ value }) => value !== null && value !== 0);
    expect(answered.length).toBeGreaterThan(20);
    for (const { date, value } of data)
      expectFigure(value, figure(windowAt(Date.parse(date), all)), `${id} at ${date}`);
  });

  it.each(['hour', 'ten_minutes'])(
    'joined by %s know startup times to one in a hundred',
    async (join) => {
      const path = 'monitoring/metrics/video-startup-time/histogram-timeseries';
      const { data } = await ask<HistogramPoint[]>(path, `group_by=${join}`);
      const lengthMs = join === 'hour' ? HOUR_MS : TEN_MINUTES_MS;
      expect(data.reduce((total, point) => total + point.sum, 0)).toBe(
        taking('started_views', all).length,
      );
      for (const { timestamp, sum: counted, median, p95 } of data) {
        const startups = startupsWithin(Date.parse(timestamp), lengthMs);
        expect(counted).toBe(startups.length);
        expectNearest(median, startups, 0.5);
        expectNearest(p95, startups, 0.95);
      }
    },
  );
});

/** Startup times of the views that began to play then, the shortest first. */
const startupsWithin = (atMs: number, lengthMs: number): number[] =>
  all
    .filter(({ firstPlayingMs = 0 }) => firstPlayingMs >= atMs && firstPlayingMs < atMs + lengthMs)
    .map((view) => Number(valueIn(view, 'video_startup_time')))
    .toSorted((a, b) => a - b);

function expectNearest(actual: number | null, sorted: readonly number[], level: number): void {
  const exact = sorted[Math.max(0, Math.ceil(sorted.length * level) - 1)];
  if (exact === undefined) expect(actual).toBeNull();
  else expect(Math.abs((actual ?? Number.NaN) - exact)).toBeLessThanOrEqual(exact * 0.01);
}
