import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IntervalMetric, intervalMetrics } from '../../schemas/catalogue/interval-metrics.ts';
import { sketchBucket } from '../../schemas/sketch.ts';
import { epochs, playback5s, viewersNow } from '../../schemas/tables/tables.ts';
import { insertRows, type RowObject, seeded } from '../support/rows.ts';
import {
  COMPLETE_MS,
  generateEpochs,
  generateGauges,
  generatePlayback,
  NEWEST_MS,
  NOW_MS,
  startAt,
  WINDOW_MS,
} from './support/generated-intervals.ts';
import {
  gaugeRows,
  impactOf,
  joinSketches,
  percentile,
  recompute,
  type WindowRows,
} from './support/recomputed-intervals.ts';
import { ask, openTestStore, type QueryPairs, type TestStore } from './support/server.ts';

const MINUTE_MS = 60_000;
const playback = generatePlayback('default', 11);
const gauges = generateGauges('default', 12);

interface Meta {
  readonly unit: string;
  readonly complete_through: string | null;
  readonly source: string;
  readonly gauge_from: string | null;
  readonly gauge_through: string | null;
  readonly gauge_left_out?: string;
  readonly granularity?: string;
  readonly buckets?: { start: number; end: number | null }[];
}

interface Envelope<Data> {
  readonly data: Data;
  readonly timeframe: [number, number];
  readonly total_row_count: number;
  readonly meta: Meta;
  readonly code?: string;
  readonly detail?: string;
}

interface Point {
  readonly date: string;
  readonly value: number | null;
  readonly concurrent_viewers: number;
}

interface Item {
  readonly value: string;
  readonly display_value: string;
  readonly metric_value: number | null;
  readonly concurrent_viewers: number;
  readonly starting_up_viewers: number;
  readonly negative_impact: number;
}

interface BreakdownPoint {
  readonly date: string;
  readonly values: Item[];
}

interface HistogramPoint {
  readonly timestamp: string;
  readonly sum: number;
  readonly median: number | null;
  readonly p95: number | null;
  readonly average: number | null;
  readonly max_percentage: number;
  readonly bucket_values: { count: number; percentage: number }[];
}

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  const { store } = engine;
  await insertRows(store, playback5s, playback);
  await insertRows(store, playback5s, generatePlayback('other', 13));
  await insertRows(store, viewersNow, gauges);
  await insertRows(store, viewersNow, generateGauges('other', 14));
  // Rows of an epoch that has no commit: a crash left them.
  const crashed = { ...gauges[0], at: NOW_MS - 500, _partition: 0, _epoch: 301, playing: 9e6 };
  await insertRows(store, viewersNow, [crashed]);
  await insertRows(store, epochs, generateEpochs());
  server = await startAt(store);
});

afterAll(async () => {
  await server.close();
  await engine.close();
});

type Keep = (row: RowObject) => boolean;
const everything: Keep = () => true;

const windowOf = (timeMs: number): number => Math.floor(timeMs / WINDOW_MS) * WINDOW_MS;
const GAUGE_FROM_MS = windowOf(COMPLETE_MS);

/** The rows that answer for a window. */
function rowsOf(metric: IntervalMetric, atMs: number, keep: Keep, gaugeAllowed = true): WindowRows {
  const gauge = metric.now && gaugeAllowed && atMs >= GAUGE_FROM_MS;
  const rows = gauge
    ? gaugeRows(gauges, NEWEST_MS, 300, atMs)
    : playback.filter(({ window }) => window === atMs / 1_000);
  return { atMs, gauge, rows: rows.filter(keep) };
}

function windowsOf(
  metric: IntervalMetric,
  fromMs: number,
  toMs: number,
  keep: Keep = everything,
  gaugeAllowed = true,
): WindowRows[] {
  const count = (toMs - fromMs) / WINDOW_MS;
  return Array.from({ length: count }, (_, index) =>
    rowsOf(metric, fromMs + index * WINDOW_MS, keep, gaugeAllowed),
  );
}

function expectNear(actual: number | null | undefined, expected: number | null, near = 1e-9): void {
  if (typeof actual !== 'number' || expected === null) expect(actual).toBe(expected);
  else
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(near * Math.max(1, Math.abs(expected)));
}

async function get<Data>(
  metric: Pick<IntervalMetric, 'id'>,
  route: string,
  pairs: QueryPairs = [],
): Promise<Envelope<Data>> {
  const path = `/monitoring/metrics/${metric.id}/${route}`;
  const { status, body } = await ask<Envelope<Data>>(server, path, pairs);
  expect(body.detail ?? status).toBe(200);
  return body;
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString().replace('.000Z', 'Z');
const seconds = (timeMs: number): string => String(timeMs / 1_000);
const frame = (fromMs: number, toMs: number): QueryPairs => [
  ['timeframe[]', seconds(fromMs)],
  ['timeframe[]', seconds(toMs)],
];
/** End of the window that the tests ask in. */
const END_MS = windowOf(NOW_MS) + WINDOW_MS;

function expectPoint(
  point: Point | undefined,
  metric: IntervalMetric,
  windows: WindowRows[],
): void {
  const expected = recompute(metric, windows);
  expectNear(point?.value, expected.value);
  expectNear(point?.concurrent_viewers, expected.concurrent);
}

/** Rows without those of a value, and those of it alone. */
const split = (windows: readonly WindowRows[], dimension: string, value: string) => {
  const kept = (keep: Keep): WindowRows[] =>
    windows.map((window) => ({ ...window, rows: window.rows.filter(keep) }));
  return {
    group: kept((row) => (row[dimension] ?? '') === value),
    rest: kept((row) => (row[dimension] ?? '') !== value),
  };
};

/** The values of a breakdown by the definition, in the order of concurrent viewers. */
function recomputeBreakdown(
  metric: IntervalMetric,
  windows: readonly WindowRows[],
  dimension: string,
) {
  const rows = windows.flatMap((window) => window.rows);
  const values = [...new Set(rows.map((row) => String(row[dimension] ?? '')))];
  return values
    .map((value) => {
      const { group, rest } = split(windows, dimension, value);
      return { field: value, ...recompute(metric, group), impact: impactOf(metric, group, rest) };
    })
    .filter(({ concurrent, starting, weight }) => concurrent > 0 || starting > 0 || weight > 0)
    .sort((a, b) => b.concurrent - a.concurrent || (a.field < b.field ? -1 : 1));
}

function expectItems(
  items: readonly Item[],
  expected: ReturnType<typeof recomputeBreakdown>,
  withImpact = true,
): void {
  expect(items.map(({ value }) => value)).toEqual(expected.map(({ field }) => field));
  for (const [index, item] of items.entries()) {
    const one = expected[index];
    expectNear(item.metric_value, one?.value ?? null);
    expectNear(item.concurrent_viewers, one?.concurrent ?? null);
    expectNear(item.starting_up_viewers, one?.starting ?? null);
    if (withImpact) expectNear(item.negative_impact, one?.impact ?? null);
  }
}

describe.each(intervalMetrics.map((metric) => [metric.id, metric] as const))(
  '%s',
  (_id, metric) => {
    it('over time is, window by window, what its definition says', async () => {
      const body = await get<Point[]>(metric, 'timeseries');
      const windows = windowsOf(metric, END_MS - 30 * MINUTE_MS, END_MS);
      expect(body.data.map(({ date }) => date)).toEqual(windows.map(({ atMs }) => iso(atMs)));
      for (const [index, window] of windows.entries()) {
        expectPoint(body.data[index], metric, [window]);
      }
      expect(body.meta.unit).toBe(metric.unit);
      expect(body.meta.complete_through).toBe(new Date(COMPLETE_MS).toISOString());
      expect(body.meta.source).toBe(metric.now ? 'both' : 'playback_5s');
      expect(body.meta.gauge_from).toBe(metric.now ? iso(GAUGE_FROM_MS) : null);
      expect(body.timeframe).toEqual([END_MS / 1_000 - 1_800, END_MS / 1_000]);
      expect(body.total_row_count).toBe(windows.length);
    });

    it('over joined windows divides sums anew and takes the peak of peaks', async () => {
      const fromMs = END_MS - 7 * MINUTE_MS;
      const pairs: QueryPairs = [['group_by', 'minute'], ...frame(fromMs, END_MS)];
      const body = await get<Point[]>(metric, 'timeseries', pairs);
      const windows = windowsOf(metric, fromMs, END_MS);
      // 12:00:05 is no whole minute: the first and the last bucket are cut.
      expect(body.data).toHaveLength(8);
      for (const point of body.data) {
        const atMs = Date.parse(point.date);
        const joined = windows.filter((one) => one.atMs >= atMs && one.atMs < atMs + MINUTE_MS);
        expectPoint(point, metric, joined);
      }
    });

    it('by a dimension is what its definition says, and what each value costs the whole', async () => {
      const atMs = GAUGE_FROM_MS - MINUTE_MS;
      const pairs: QueryPairs = [
        ['dimension', 'cdn'],
        ['timestamp', seconds(atMs + 1_000)],
      ];
      const body = await get<Item[]>(metric, 'breakdown', pairs);
      const expected = recomputeBreakdown(metric, windowsOf(metric, atMs, atMs + WINDOW_MS), 'cdn');
      expect(expected.length).toBeGreaterThan(1);
      expectItems(body.data, expected);
      expect(body.timeframe).toEqual([atMs / 1_000, atMs / 1_000 + 5]);
      expect(body.total_row_count).toBe(expected.length);
      expect(body.meta.source).toBe('playback_5s');
    });

    it('by a dimension over joined windows, those that still fill among them', async () => {
      const fromMs = END_MS - 5 * MINUTE_MS;
      const pairs: QueryPairs = [['timeframe[]', '5:minutes']];
      const body = await get<Item[]>(metric, 'breakdown', pairs);
      const expected = recomputeBreakdown(metric, windowsOf(metric, fromMs, END_MS), 'country');
      expect(expected).toHaveLength(4);
      expectItems(body.data, expected);
    });

    it('by a dimension over time has the first values of each window', async () => {
      const fromMs = END_MS - 2 * MINUTE_MS;
      const pairs: QueryPairs = [
        ['dimension', 'country'],
        ['limit', '2'],
        ...frame(fromMs, END_MS),
      ];
      const body = await get<BreakdownPoint[]>(metric, 'breakdown-timeseries', pairs);
      const windows = windowsOf(metric, fromMs, END_MS);
      expect(body.data.map(({ date }) => date)).toEqual(windows.map(({ atMs }) => iso(atMs)));
      for (const [index, window] of windows.entries()) {
        const expected = recomputeBreakdown(metric, [window], 'country').slice(0, 2);
        expectItems(body.data[index]?.values ?? [], expected, false);
      }
    });

    it('under filters counts what they let through', async () => {
      const pairs: QueryPairs = [
        ['filters[]', 'country:DE'],
        ['filters[]', "country:O'Brien\\land"],
        ['filters[]', '!cdn:akamai'],
      ];
      const keep: Keep = ({ country, cdn }) =>
        (country === 'DE' || country === "O'Brien\\land") && cdn !== 'akamai';
      const body = await get<Point[]>(metric, 'timeseries', pairs);
      const windows = windowsOf(metric, END_MS - 30 * MINUTE_MS, END_MS, keep);
      for (const [index, window] of windows.entries()) {
        expectPoint(body.data[index], metric, [window]);
      }
    });
  },
);

const sketched = intervalMetrics.flatMap(({ id, sketch }) =>
  sketch === undefined ? [] : [[id, { id, sketch }] as const],
);

describe.each(sketched)('the histogram of %s', (_id, metric) => {
  it('is, window by window, what its sketches say', async () => {
    const { sketch } = metric;
    const body = await get<HistogramPoint[]>(metric, 'histogram-timeseries');
    expect(body.meta.buckets?.map(({ start }) => start)).toEqual(sketch.bars);
    expect(body.data).toHaveLength(360);
    for (const point of body.data) {
      const atMs = Date.parse(point.timestamp);
      const rows = playback.filter(({ window }) => window === atMs / 1_000);
      const pairs = joinSketches([{ atMs, gauge: false, rows }], sketch.column);
      const total = pairs.reduce((all, [, weight]) => all + weight, 0);
      expect(point.sum).toBe(total);
      const factored = (value: number | null): number | null =>
        value === null ? null : value * sketch.factor;
      expectNear(point.median, factored(percentile(pairs, 0.5)));
      expectNear(point.p95, factored(percentile(pairs, 0.95)));
      const counts = point.bucket_values.map(({ count }) => count);
      expect(counts.reduce((a, b) => a + b, 0)).toBe(total);
      expectNear(point.max_percentage, total === 0 ? 0 : Math.max(...counts) / total);
    }
  });
});

describe('percentiles', () => {
  it('are within 1 % of the exact ones', async () => {
    const random = seeded(5);
    const values = Array.from({ length: 500 }, () => Math.round(50 + 20_000 * random() ** 3));
    const atMs = END_MS - 45 * MINUTE_MS;
    const rows = values.map((value) => ({
      project: 'default',
      window: atMs / 1_000,
      country: value % 2 === 0 ? 'DE' : 'FR',
      viewers: 1,
      views_started: 1,
      startup_sketch: new Map([[sketchBucket(value), 1]]),
    }));
    await insertRows(engine.store, playback5s, rows);
    const near = (actual: number | null | undefined, level: number, of: number[]): void => {
      const sorted = [...of].sort((a, b) => a - b);
      expectNear(actual, sorted[Math.ceil(level * sorted.length) - 1] ?? null, 0.01);
    };
    const metric = { id: 'video-startup-time' };
    const pairs = frame(atMs, atMs + WINDOW_MS);
    const { data } = await get<HistogramPoint[]>(metric, 'histogram-timeseries', pairs);
    near(data[0]?.median, 0.5, values);
    near(data[0]?.p95, 0.95, values);
    expectNear(data[0]?.average, values.reduce((a, b) => a + b, 0) / values.length, 0.01);
    const series = await get<Point[]>(metric, 'timeseries', pairs);
    near(series.data[0]?.value, 0.5, values);
    const breakdown = await get<Item[]>(metric, 'breakdown', pairs);
    const french = breakdown.data.find(({ value }) => value === 'FR');
    near(
      french?.metric_value,
      0.5,
      values.filter((value) => value % 2 !== 0),
    );
    expect(french?.display_value).toBe('France');
  });
});

const viewers = intervalMetrics.find(
  ({ id }) => id === 'current-concurrent-viewers',
) as IntervalMetric;

describe('windows that still fill', () => {
  it('are not answered by the gauge where it lacks the dimension, and the answer says so', async () => {
    const windows = windowsOf(viewers, END_MS - MINUTE_MS, END_MS, everything, false);
    const pairs: QueryPairs = [
      ['dimension', 'video_id'],
      ['timeframe[]', '60:seconds'],
    ];
    const body = await get<BreakdownPoint[]>(viewers, 'breakdown-timeseries', pairs);
    for (const [index, window] of windows.entries()) {
      const expected = recomputeBreakdown(viewers, [window], 'video_id');
      expectItems(body.data[index]?.values ?? [], expected, false);
    }
    expect(body.meta).toMatchObject({ source: 'playback_5s', gauge_from: null });
    expect(body.meta.gauge_left_out).toContain('video_id');
  });

  it('nor under a filter on such a dimension', async () => {
    const pairs: QueryPairs = [
      ['filters[]', '!asn:64512'],
      ['timeframe[]', '60:seconds'],
    ];
    const body = await get<Point[]>(viewers, 'timeseries', pairs);
    const keep: Keep = ({ asn }) => asn !== '64512';
    const windows = windowsOf(viewers, END_MS - MINUTE_MS, END_MS, keep, false);
    for (const [index, one] of windows.entries()) expectPoint(body.data[index], viewers, [one]);
    expect(body.meta.gauge_left_out).toContain('asn');
  });

  it('count nothing for a partition whose newest epoch held no viewers', async () => {
    const held = gauges.filter(
      ({ _partition, _epoch }) => _partition === 1 && Number(_epoch) > 280,
    );
    expect(held).toHaveLength(0);
    const { data, meta } = await get<Item[]>(viewers, 'breakdown');
    const rows = gaugeRows(gauges, NEWEST_MS, 300, END_MS - WINDOW_MS);
    expect(new Set(rows.map(({ _partition }) => _partition))).toEqual(new Set([0, 2]));
    const total = recompute(viewers, [{ atMs: END_MS - WINDOW_MS, gauge: true, rows }]);
    expect(data.reduce((sum, item) => sum + item.concurrent_viewers, 0)).toBe(total.concurrent);
    expect(meta.source).toBe('viewers_now');
    expect(meta.gauge_through).toBe(new Date(Math.min(...NEWEST_MS)).toISOString());
  });

  it('are empty when they are still to come', async () => {
    const body = await get<Point[]>(viewers, 'timeseries', frame(END_MS, END_MS + MINUTE_MS));
    expect(body.data).toHaveLength(12);
    expect(body.data.map(({ value }) => value)).toEqual(body.data.map(() => 0));
  });
});

describe('without a time', () => {
  it.each([
    ['current-concurrent-viewers', END_MS],
    // No gauge tells of failures: the newest window that is complete answers.
    ['playback-failure-percentage', GAUGE_FROM_MS],
  ])('%s is answered for the newest window that can be', async (id, endMs) => {
    const window = await get<Item[]>({ id }, 'breakdown');
    expect(window.timeframe).toEqual([endMs / 1_000 - 5, endMs / 1_000]);
    const minute = await get<BreakdownPoint[]>({ id }, 'breakdown-timeseries');
    expect(minute.timeframe).toEqual([endMs / 1_000 - 60, endMs / 1_000]);
  });

  it('a series begins at its timestamp', async () => {
    const fromMs = END_MS - 3 * MINUTE_MS;
    const body = await get<Point[]>(viewers, 'timeseries', [['timestamp', seconds(fromMs)]]);
    expect(body.timeframe).toEqual([fromMs / 1_000, END_MS / 1_000]);
  });

  it('a duration has as many windows as fit in it', async () => {
    const body = await get<Point[]>(viewers, 'timeseries', [['timeframe[]', '60:seconds']]);
    expect(body.data).toHaveLength(12);
  });

  it('a day is taken, in its windows or joined', async () => {
    for (const [join, points] of [
      ['five_seconds', 17_280],
      ['hour', 25],
    ] as const) {
      const pairs: QueryPairs = [
        ['timeframe[]', '24:hours'],
        ['group_by', join],
      ];
      expect((await get<Point[]>(viewers, 'timeseries', pairs)).data).toHaveLength(points);
    }
  });
});

describe('the order of a breakdown', () => {
  const items = async (pairs: QueryPairs): Promise<Item[]> =>
    (
      await get<Item[]>({ id: 'current-rebuffering-percentage' }, 'breakdown', [
        ['timeframe[]', '5:minutes'],
        ...pairs,
      ])
    ).data;

  it.each([
    ['value', 'metric_value'],
    ['negative_impact', 'negative_impact'],
    ['views', 'concurrent_viewers'],
    ['field', 'value'],
  ] as const)('by %s is kept, both ways', async (order, name) => {
    for (const direction of ['asc', 'desc'] as const) {
      const found = await items([
        ['order_by', order],
        ['order_direction', direction],
      ]);
      const sorted = [...found].sort((a, b) => ((a[name] ?? 0) < (b[name] ?? 0) ? -1 : 1));
      expect(found).toEqual(direction === 'asc' ? sorted : sorted.reverse());
    }
  });

  it('cuts at the limit and tells how many there are', async () => {
    const { data, total_row_count } = await get<Item[]>(viewers, 'breakdown', [['limit', '1']]);
    expect(data).toHaveLength(1);
    expect(total_row_count).toBeGreaterThan(1);
  });
});

describe('names', () => {
  it('are listed', async () => {
    const metrics = await ask<Envelope<{ name: string }[]>>(server, '/monitoring/metrics');
    expect(metrics.body.data.map(({ name }) => name)).toEqual(intervalMetrics.map(({ id }) => id));
    const dimensions = await ask<Envelope<{ name: string }[]>>(server, '/monitoring/dimensions');
    expect(dimensions.body.data).toContainEqual({ name: 'cdn', display_name: 'CDN' });
    expect(dimensions.body.data.map(({ name }) => name)).not.toContain('browser');
  });

  const base = '/monitoring/metrics/current-concurrent-viewers';
  it.each([
    ['/monitoring/metrics/current-concurent-viewers/timeseries', 'metric_unknown', 'viewers'],
    [
      '/monitoring/metrics/video-startup-tme/histogram-timeseries',
      'metric_unknown',
      'video-startup-time',
    ],
    [`${base}/histogram-timeseries`, 'metric_unknown', 'video-startup-time'],
    [`${base}/breakdown?dimension=contry`, 'dimension_unknown', 'country'],
    [`${base}/breakdown?dimension=browser`, 'dimension_unknown', 'cdn'],
    [`${base}/timeseries?filters[]=!cnd:x`, 'dimension_unknown', 'cdn'],
    [`${base}/timeseries?filters[]=browser:x`, 'dimension_unknown', 'do not carry'],
    [`${base}/timeseries?filters[]=cdn`, 'parameter_invalid', 'filters[]'],
    [`${base}/timeseries?timeframe[]=25:hours`, 'parameter_invalid', 'frameMsMax'],
    [`${base}/timeseries?timestamp=1`, 'parameter_invalid', 'frameMsMax'],
    [`${base}/timeseries?timestamp=1&timeframe[]=1:hours`, 'parameter_invalid', 'timestamp'],
    [`${base}/timeseries?group_by=day`, 'parameter_invalid', 'minute'],
    [`${base}/breakdown?limit=0`, 'parameter_invalid', 'limit'],
    [`${base}/breakdown-timeseries?limit=101`, 'parameter_invalid', 'limit'],
    [
      `${base}/breakdown-timeseries?limit=100&timeframe[]=24:hours`,
      'parameter_invalid',
      'queryRowsMax',
    ],
    [`${base}/breakdown?group_by=cdn`, 'parameter_unknown', 'order_by'],
  ])('%s is %s', async (path, code, named) => {
    const { status, body } = await ask<Envelope<never>>(server, path);
    expect(status).toBe(400);
    expect(body.code).toBe(code);
    expect(body.detail).toContain(named);
  });
});
