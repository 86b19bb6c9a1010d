import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measuresOf } from '../../api/planner/figure.ts';
import { measures, type ViewMetric, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { epochs, views as viewsTable } from '../../schemas/tables/tables.ts';
import { dayOf, insertRows, type RowObject } from '../support/rows.ts';
import { generateViews, NOW_MS, type View } from './support/generated-views.ts';
import { figureOf, impactOf, taking } from './support/recomputed.ts';
import {
  ask,
  openTestStore,
  type QueryPairs,
  startServer,
  type TestStore,
} from './support/server.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const all = generateViews(220, 7, 'default');

interface Meta {
  readonly unit: string;
  readonly measurement: string;
  readonly aggregation: string;
  readonly granularity?: string;
  readonly complete_through: string | null;
  readonly completeness: number | null;
}

interface Envelope<Data> {
  readonly data: Data;
  readonly timeframe: [number, number];
  readonly total_row_count: number;
  readonly meta: Meta;
  readonly code?: string;
  readonly detail?: string;
}

interface Overall {
  readonly value: number | null;
  readonly total_views: number;
  readonly total_playing_time: number;
  readonly total_watch_time: number;
  readonly global_value: number | null;
}

interface BreakdownItem {
  readonly field: string;
  readonly value: number | null;
  readonly views: number;
  readonly total_playing_time: number;
  readonly total_watch_time: number;
  readonly negative_impact: number;
}

type Point = [at: string, value: number | null, views: number];

let engine: TestStore;
let server: FastifyInstance;

/** Two days of epochs: partition 1 is the one that lags, and an older topic must not hold the time back. */
const OPEN_SINCE_MS = NOW_MS - 90_000;

beforeAll(async () => {
  engine = await openTestStore();
  const { store } = engine;
  // An older row of each view, that the newer one replaces, and another tenant's views.
  const older = all.map((view) => ({ ...view, _epoch: 1, playing_ms: 9e9, country: 'XX' }));
  await insertRows(store, viewsTable, older);
  await insertRows(store, viewsTable, all);
  await insertRows(store, viewsTable, generateViews(50, 8, 'other'));
  const epoch = (
    topic: string,
    partition: number,
    number: number,
    openSinceMs: number,
  ): RowObject => ({
    topic,
    _partition: partition,
    _epoch: number,
    log_time: topic === 'old' ? NOW_MS - DAY_MS : NOW_MS - 1_000,
    open_since: openSinceMs,
  });
  await insertRows(store, epochs, [
    epoch('old', 0, 900, NOW_MS - DAY_MS),
    epoch('new', 0, 9, NOW_MS - 5_000_000),
    epoch('new', 0, 10, NOW_MS - 2_000),
    epoch('new', 1, 10, OPEN_SINCE_MS),
    epoch('new', 1, 8, NOW_MS - 1_000),
  ]);
  ({ server } = await startServer(store));
});

afterAll(async () => {
  await server.close();
  await engine.close();
});

/** Views that a metric counts in the last 24 hours. */
function within(metric: ViewMetric, views: readonly View[] = all): View[] {
  const at = (view: View): number =>
    metric.bucketedBy === 'start' ? view.view_start : view.view_end;
  return views.filter(
    (view) =>
      at(view) >= NOW_MS - DAY_MS &&
      at(view) < NOW_MS &&
      (view.closed === 1 || metric.countsOpenViews),
  );
}

const sum = (views: readonly RowObject[], value: (view: RowObject) => number): number =>
  views.reduce((total, view) => total + value(view), 0);

const number = (view: RowObject, column: string): number => Number(view[column] ?? 0);
const playingOf = (view: RowObject): number =>
  view.started === 1 ? number(view, 'playing_ms') : 0;
const watchOf = (view: RowObject): number =>
  view.started === 1
    ? ['startup_ms', 'playing_ms', 'rebuffer_ms', 'seek_ms'].reduce(
        (total, column) => total + number(view, column),
        0,
      )
    : 0;

function expectNear(actual: number | null, expected: number | null): void {
  if (actual === null || expected === null) expect(actual).toBe(expected);
  else
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
}

async function overall(metric: ViewMetric, pairs: QueryPairs): Promise<Envelope<Overall>> {
  const { status, body } = await ask<Envelope<Overall>>(
    server,
    `/metrics/${metric.id}/overall`,
    pairs,
  );
  expect(body.code ?? status).toBe(200);
  return body;
}

describe.each(viewMetrics.map((metric) => [metric.id, metric] as const))('%s', (_id, metric) => {
  it.each(measuresOf(metric, measures))(
    'overall as %s is what its definition says',
    async (measure) => {
      const body = await overall(metric, [['measurement', measure]]);
      const views = within(metric);
      const part = taking(metric, views);
      expect(part.length).toBeGreaterThan(10);
      expectNear(body.data.value, figureOf(metric, measure, views));
      expectNear(body.data.global_value, body.data.value);
      expect(body.data.total_views).toBe(part.length);
      expect(body.data.total_playing_time).toBe(sum(part, playingOf));
      expect(body.data.total_watch_time).toBe(sum(part, watchOf));
      expect(body.meta.measurement).toBe(measure);
    },
  );

  it('overall under filters keeps the project as global value', async () => {
    const body = await overall(metric, [
      ['filters[]', 'country:DE'],
      ['filters[]', 'country:'],
      ['filters[]', '!cdn:fastly'],
    ]);
    const views = within(metric);
    const met = views.filter(
      (view) => ['DE', ''].includes(String(view.country)) && view.cdn !== 'fastly',
    );
    expectNear(body.data.value, figureOf(metric, metric.defaultMeasure, met));
    expectNear(body.data.global_value, figureOf(metric, metric.defaultMeasure, views));
    expect(body.data.total_views).toBe(taking(metric, met).length);
  });

  it('each point of a time series is the figure of its bucket', async () => {
    const { body } = await ask<Envelope<Point[]>>(server, `/metrics/${metric.id}/timeseries`);
    const views = within(metric);
    expect(body.meta.granularity).toBe('hour');
    expect(body.data).toHaveLength(24);
    for (const [iso, value, count] of body.data) {
      const from = Date.parse(iso);
      const bucket = views.filter((view) => {
        const at = metric.bucketedBy === 'start' ? view.view_start : view.view_end;
        return at >= from && at < from + HOUR_MS;
      });
      const part = taking(metric, bucket).length;
      expect(count).toBe(part);
      expectNear(value, part === 0 ? null : figureOf(metric, metric.defaultMeasure, bucket));
    }
  });

  it.each(measuresOf(metric, ['median', 'avg', 'count', 'sum', 'ratio']))(
    'a breakdown as %s gives each value its figure and its impact',
    async (measure) => {
      const { body } = await ask<Envelope<BreakdownItem[]>>(
        server,
        `/metrics/${metric.id}/breakdown`,
        [
          ['group_by', 'country'],
          ['measurement', measure],
          ['filters[]', '!country:US'],
        ],
      );
      const views = within(metric).filter((view) => view.country !== 'US');
      const groups = new Map<unknown, View[]>();
      for (const view of views)
        groups.set(view.country, [...(groups.get(view.country) ?? []), view]);
      expect(body.total_row_count).toBe(groups.size);
      expect(body.data).toHaveLength(groups.size);
      for (const item of body.data) {
        const group = groups.get(item.field) ?? [];
        const part = taking(metric, group);
        expect(item.views).toBe(part.length);
        expectNear(item.value, figureOf(metric, measure, group));
        expectNear(item.negative_impact, impactOf(metric, measure, group, views));
        expect(item.total_playing_time).toBe(sum(part, playingOf));
        expect(item.total_watch_time).toBe(sum(part, watchOf));
      }
    },
  );
});

const metricOf = (id: string): ViewMetric => {
  const metric = viewMetrics.find((entry) => entry.id === id);
  if (metric === undefined) throw new Error(`no metric ${id}`);
  return metric;
};

const views = metricOf('views');
const startup = metricOf('video_startup_time');
const rebufferPercentage = metricOf('rebuffer_percentage');

describe('what an answer says of itself', () => {
  it('names timeframe, unit and how far the figures are complete', async () => {
    const body = await overall(startup, []);
    expect(body.timeframe).toEqual([(NOW_MS - DAY_MS) / 1_000, NOW_MS / 1_000]);
    expect(body.total_row_count).toBe(1);
    expect(body.meta).toMatchObject({
      unit: 'ms',
      measurement: 'median',
      aggregation: 'view_end',
      complete_through: new Date(OPEN_SINCE_MS).toISOString(),
    });
  });

  it('gives the share of reports that arrived, of the views that take part', async () => {
    const numbered = taking(startup, within(startup)).filter((view) => view.reports_lost !== null);
    const received = sum(numbered, (view) => number(view, 'reports_received'));
    const lost = sum(numbered, (view) => number(view, 'reports_lost'));
    const single = await overall(startup, []);
    expectNear(single.meta.completeness, received / (received + lost));
    const series = await ask<Envelope<Point[]>>(server, '/metrics/video_startup_time/timeseries');
    expectNear(series.body.meta.completeness, received / (received + lost));
    const page = await ask<Envelope<BreakdownItem[]>>(
      server,
      '/metrics/video_startup_time/breakdown',
      [
        ['group_by', 'custom_1'],
        ['limit', '3'],
      ],
    );
    expectNear(page.body.meta.completeness, received / (received + lost));
  });

  it('answers a figure without views with null, a sum and a count with 0', async () => {
    const nobody = [['filters[]', 'country:Atlantis']] as const;
    expect((await overall(startup, nobody)).data).toMatchObject({ value: null, total_views: 0 });
    expect((await overall(rebufferPercentage, nobody)).data.value).toBeNull();
    expect((await overall(views, nobody)).data.value).toBe(0);
    expect((await overall(metricOf('playing_time'), nobody)).data.value).toBe(0);
    expect((await overall(startup, nobody)).meta.completeness).toBeNull();
  });

  it('gives avg of a metric that is a ratio as sum over sum', async () => {
    const avg = await overall(rebufferPercentage, [['measurement', 'avg']]);
    const ratio = await overall(rebufferPercentage, [['measurement', 'ratio']]);
    expect(avg.data.value).toBe(ratio.data.value);
  });
});

describe('filters', () => {
  it('take values with quotes, backslashes and colons literally', async () => {
    const value = "O'Brien\\land";
    const body = await overall(views, [['filters[]', `country:${value}`]]);
    const met = within(views).filter((view) => view.country === value);
    expect(met.length).toBeGreaterThan(0);
    expect(body.data.value).toBe(met.length);
    expect((await overall(views, [['filters[]', "country:' OR 1=1 --:x"]])).data.value).toBe(0);
  });

  it('may be written without brackets', async () => {
    const body = await overall(views, [['filters', 'country:DE']]);
    expect(body.data.value).toBe(within(views).filter((view) => view.country === 'DE').length);
  });

  it('find a viewer by the id that the page knows and by the id that answers carry', async () => {
    const stored = await ask<Envelope<BreakdownItem[]>>(server, '/metrics/views/breakdown', [
      ['group_by', 'viewer_id'],
      ['filters[]', 'viewer_id:ann'],
    ]);
    expect(stored.body.data.map(({ field }) => field)).toEqual(['ann']);
  });

  it('compare metrics in answer units', async () => {
    const body = await overall(views, [['metric_filters[]', 'rebuffer_percentage>=0.05']]);
    const met = within(views).filter((view) => {
      const playing = number(view, 'playing_ms') + number(view, 'rebuffer_ms');
      return view.started === 1 && playing > 0 && number(view, 'rebuffer_ms') / playing >= 0.05;
    });
    expect(met.length).toBeGreaterThan(0);
    expect(body.data.value).toBe(met.length);
  });
});

describe('time series', () => {
  it('hold only views within the timeframe in the first and the last bucket', async () => {
    const fromS = (NOW_MS - 10 * HOUR_MS) / 1_000 + 1_234;
    const toS = fromS + 2 * 3_600;
    const { body } = await ask<Envelope<Point[]>>(server, '/metrics/views/timeseries', [
      ['timeframe[]', String(fromS)],
      ['timeframe[]', String(toS)],
      ['group_by', 'hour'],
      ['order_direction', 'desc'],
    ]);
    const met = all.filter(
      (view) => view.view_start >= fromS * 1_000 && view.view_start < toS * 1_000,
    );
    expect(body.data).toHaveLength(3);
    expect(body.data.reduce((total, point) => total + point[2], 0)).toBe(met.length);
    expect(body.data[0]?.[0].localeCompare(body.data[2]?.[0] ?? '')).toBe(1);
    expect(body.data[0]?.[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00:00Z$/);
  });

  it('with too many points are refused by name', async () => {
    const { status, body } = await ask<Envelope<never>>(server, '/metrics/views/timeseries', [
      ['timeframe[]', '365:days'],
      ['group_by', 'minute'],
    ]);
    expect([status, body.code]).toEqual([400, 'parameter_invalid']);
    expect(body.detail).toContain('seriesPointsMax');
  });
});

describe('breakdowns', () => {
  it.each(measures.filter((measure) => measure !== 'ratio'))(
    'of few and many views compare each value as %s with all others',
    async (measure) => {
      const { body } = await ask<Envelope<BreakdownItem[]>>(
        server,
        '/metrics/rebuffer_count/breakdown',
        [
          ['group_by', 'custom_1'],
          ['measurement', measure],
          ['limit', '1000'],
        ],
      );
      const metric = metricOf('rebuffer_count');
      const counted = within(metric);
      for (const item of body.data) {
        const group = counted.filter((view) => view.custom_1 === item.field);
        expectNear(item.negative_impact, impactOf(metric, measure, group, counted));
      }
      expect(body.data.length).toBeGreaterThan(40);
    },
  );

  const page = async (pairs: QueryPairs): Promise<Envelope<BreakdownItem[]>> =>
    (
      await ask<Envelope<BreakdownItem[]>>(server, '/metrics/video_startup_time/breakdown', [
        ['group_by', 'custom_1'],
        ...pairs,
      ])
    ).body;

  it('come in pages that together hold every value once', async () => {
    const first = await page([['limit', '40']]);
    const fields = new Set<string>();
    for (let at = 1; at <= Math.ceil(first.total_row_count / 40); at += 1) {
      const { data } = await page([
        ['limit', '40'],
        ['page', String(at)],
      ]);
      for (const { field } of data) fields.add(field);
    }
    const part = taking(startup, within(startup));
    expect(fields.size).toBe(new Set(part.map((view) => view.custom_1)).size);
    expect(first.total_row_count).toBe(fields.size);
  });

  it('beyond the last page still tell how many values there are', async () => {
    const { data, total_row_count } = await page([['page', '99']]);
    expect(data).toEqual([]);
    expect(total_row_count).toBeGreaterThan(40);
  });

  it.each(['value', 'views', 'negative_impact'] as const)('sort by %s both ways', async (order) => {
    const down = await page([
      ['order_by', order],
      ['limit', '1000'],
    ]);
    const values = down.data.map((item) => item[order] ?? 0);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    const up = await page([
      ['order_by', order],
      ['order_direction', 'asc'],
      ['limit', '1000'],
    ]);
    const upwards = up.data.map((item) => item[order] ?? 0);
    expect(upwards).toEqual([...upwards].sort((a, b) => a - b));
  });

  it('sort by field from A to Z unless told otherwise', async () => {
    const { data } = await page([
      ['order_by', 'field'],
      ['limit', '1000'],
    ]);
    const fields = data.map(({ field }) => field);
    expect(fields).toEqual([...fields].sort());
  });

  it('give a value that is alone no impact', async () => {
    const [any] = (await page([['timeframe[]', '7:days']])).data;
    const { data } = await page([
      ['filters[]', `custom_1:${any?.field}`],
      ['timeframe[]', '7:days'],
    ]);
    expect(data.map(({ negative_impact }) => negative_impact)).toEqual([0]);
  });
});

it('prunes no view that began long before it ended', async () => {
  const long = {
    project: 'default',
    view_id: 'long',
    country: 'LONG',
    start_day: dayOf(NOW_MS - 40 * DAY_MS),
    view_start: NOW_MS - 40 * DAY_MS,
    view_end: NOW_MS - 1_000,
    closed: 1,
    started: 1,
    source: 'native',
    startup_ms: 5,
    _epoch: 1,
  };
  await insertRows(engine.store, viewsTable, [long]);
  const body = await overall(startup, [['filters[]', 'country:LONG']]);
  expect(body.data).toMatchObject({ value: 5, total_views: 1 });
});
