/** The published client of Mux Data, pointed here: every data method that has a route, typed and right. */
import Mux from '@mux/mux-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer, until } from '../support/running.ts';

/** Two minutes ago, so that all of it lies in complete windows; whole windows of 5 s. */
const T0 = Math.floor((Date.now() - 600_000) / 60_000) * 60_000;

interface Watched {
  readonly view: string;
  readonly country: string;
  readonly startupMs: number;
  readonly rebufferMs: number;
}

/** Each plays 60 s, from `T0` plus its startup. */
const watched: readonly Watched[] = [
  { view: 'one', country: 'DE', startupMs: 500, rebufferMs: 0 },
  { view: 'two', country: 'DE', startupMs: 1_500, rebufferMs: 4_000 },
  { view: 'three', country: 'SE', startupMs: 1_000, rebufferMs: 0 },
];

const state = (ms: number, name: string) => ({ at: T0 + ms, type: 'state', state: name });

/** What one view showed, and where in the content it was. */
const shown = [
  { at: T0 + 1_000, type: 'rendition', bitrate: 1_000_000, width: 640, height: 360 },
  { at: T0 + 1_000, type: 'status', playhead: 0 },
  { at: T0 + 31_000, type: 'rendition', bitrate: 4_000_000, width: 1_280, height: 720 },
  { at: T0 + 31_000, type: 'status', playhead: 30_000 },
  { at: T0 + 61_000, type: 'status', playhead: 60_000 },
];

const numbered = (events: readonly object[]): object[] =>
  events.map((event, seq) => ({ seq, ...event }));

function beatOf({ view, country, startupMs, rebufferMs }: Watched): object {
  const resumedMs = startupMs + 30_000 + rebufferMs;
  const events = numbered([
    state(0, 'starting'),
    state(startupMs, 'playing'),
    ...(rebufferMs > 0
      ? [state(startupMs + 30_000, 'rebuffering'), state(resumedMs, 'playing')]
      : []),
    ...(view === 'three' ? shown : []),
    state(resumedMs + 30_000, 'ended'),
  ]);
  const context = {
    country,
    video_id: 'movie',
    video_title: 'A movie',
    viewer_user_id: `v-${view}`,
  };
  return { view, sentAt: T0 + 100_000, context, events };
}

const failed = {
  view: 'failed',
  sentAt: T0 + 100_000,
  context: { country: 'SE', video_id: 'movie', viewer_user_id: 'v-failed' },
  events: numbered([
    state(0, 'starting'),
    { at: T0 + 700, type: 'error', code: '4004', message: 'no manifest', fatal: true },
    state(800, 'failed'),
  ]),
};

let server: TestServer;
let mux: Mux;

beforeAll(async () => {
  server = await startTestServer({ epochMs: 500, reorderMs: 500, viewTimeoutMs: 2_000 });
  mux = new Mux({ tokenId: 'dev', tokenSecret: 'dev', baseURL: server.url, maxRetries: 0 });
  const beats = [...watched.map(beatOf), failed];
  const headers = { authorization: 'Bearer dev-trusted', 'content-type': 'application/json' };
  const answer = await server.post('/v1/beats', JSON.stringify(beats), headers);
  expect(await answer.json()).toMatchObject({ rejectedTotal: 0 });
  await until(
    () => server.get<{ data: { live: boolean }[] }>('/data/v1/video-views?timeframe[]=1:hours'),
    ({ data }) => data.length === 4 && data.every(({ live }) => !live),
  );
});

afterAll(() => server?.close());

const timeframe = ['1:hours'];
const iso = (ms: number) => new Date(ms).toISOString();

describe('metrics of the client', () => {
  it('getOverallValues', async () => {
    const median = await mux.data.metrics.getOverallValues('video_startup_time', { timeframe });
    expect(median.data).toMatchObject({
      value: 1_000,
      total_views: 3,
      total_playing_time: 180_000,
      total_watch_time: 187_000,
      global_value: 1_000,
    });
    expect(median.meta.aggregation).toBe('view_end');
    const [from = 0, to = 0] = median.timeframe;
    expect(to - from).toBe(3_600);
    const german = await mux.data.metrics.getOverallValues('rebuffer_percentage', {
      timeframe,
      filters: ['country:DE'],
      metric_filters: ['video_startup_time>=1000'],
    });
    expect(german.data.value).toBeCloseTo(4_000 / 64_000, 12);
    const failures = await mux.data.metrics.getOverallValues('playback_failure_percentage', {
      timeframe,
    });
    expect(failures.data.value).toBe(0.25);
    const summed = await mux.data.metrics.getOverallValues('rebuffer_count', {
      timeframe,
      measurement: 'sum',
    });
    expect(summed.data.value).toBe(1);
  });

  it('listBreakdownValues, page by page', async () => {
    const query = { group_by: 'country', timeframe, order_by: 'field', limit: 1 } as const;
    const fields: unknown[] = [];
    for await (const row of mux.data.metrics.listBreakdownValues('video_startup_time', query)) {
      fields.push([row.field, row.value, row.views, row.total_playing_time]);
    }
    expect(fields).toEqual([
      ['DE', 1_000, 2, 120_000],
      ['SE', 1_000, 1, 60_000],
    ]);
    const page = await mux.data.metrics.listBreakdownValues('rebuffer_percentage', {
      ...query,
      order_by: 'negative_impact',
      limit: 25,
    });
    expect(page.data[0]).toMatchObject({ field: 'DE', negative_impact: expect.any(Number) });
    expect(page.data[0]?.negative_impact).toBeGreaterThan(0);
  });

  it('getTimeseries', async () => {
    const { data, meta } = await mux.data.metrics.getTimeseries('views', {
      timeframe: [String(T0 / 1_000 - 60), String(T0 / 1_000 + 180)],
      group_by: 'minute',
    });
    expect(meta.granularity).toBe('minute');
    expect(data).toEqual([
      [iso(T0 - 60_000).replace('.000', ''), null, 0],
      [iso(T0).replace('.000', ''), 4, 4],
      [iso(T0 + 60_000).replace('.000', ''), null, 0],
      [iso(T0 + 120_000).replace('.000', ''), null, 0],
    ]);
  });

  it('getInsights', async () => {
    const { data } = await mux.data.metrics.getInsights('rebuffer_percentage', { timeframe });
    const worst = data.find(({ filter_column }) => filter_column === 'country');
    expect(worst).toMatchObject({
      filter_value: 'DE',
      total_views: 2,
      total_playing_time: 120_000,
    });
    expect(worst?.negative_impact_score).toBeGreaterThan(0);
  });

  it('list, the comparison', async () => {
    const { data } = await mux.data.metrics.list({ timeframe, dimension: 'country', value: 'DE' });
    expect(data[0]).toMatchObject({
      name: 'totals',
      view_count: 2,
      started_views: 2,
      unique_viewers: 2,
      total_playing_time: 120_000,
    });
    const items = data.flatMap((group) => group.items ?? []);
    expect(items).toContainEqual(
      expect.objectContaining({
        metric: 'video_startup_time',
        measurement: 'median',
        type: 'milliseconds',
        value: 1_000,
      }),
    );
  });
});

describe('dimensions, errors and annotations of the client', () => {
  it('dimensions.list and listValues', async () => {
    const { data } = await mux.data.dimensions.list();
    expect(data.basic).toContain('country');
    expect(data.advanced).toContain('browser');
    const values = await mux.data.dimensions.listValues('country', { timeframe });
    expect(values.data).toEqual([
      { value: 'DE', total_count: 2 },
      { value: 'SE', total_count: 2 },
    ]);
  });

  it('errors.list', async () => {
    const { data } = await mux.data.errors.list({ timeframe });
    expect(data).toEqual([
      {
        id: expect.any(Number),
        code: 4_004,
        player_error_code: '4004',
        message: 'no manifest',
        description: null,
        notes: null,
        count: 1,
        percentage: 0.25,
        last_seen: iso(T0 + 800),
      },
    ]);
  });

  it('annotations.create, retrieve, update, list and delete', async () => {
    const { annotations } = mux.data;
    const date = Math.floor(Date.now() / 1_000) - 60;
    const made = await annotations.create({ date, note: 'first', sub_property_id: 'kids' });
    expect(Date.parse(made.date)).toBe(date * 1_000);
    expect(await annotations.retrieve(made.id)).toEqual(made);
    const changed = await annotations.update(made.id, { date, note: 'second' });
    expect(changed).toEqual({ ...made, note: 'second' });
    const listed = [];
    for await (const each of annotations.list({ timeframe })) listed.push(each);
    expect(listed).toEqual([changed]);
    await annotations.delete(made.id);
    await expect(annotations.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('views of the client', () => {
  it('videoViews.list and retrieve', async () => {
    const titles = [];
    const query = {
      timeframe,
      limit: 2,
      order_direction: 'desc',
      filters: ['video_id:movie'],
    } as const;
    for await (const view of mux.data.videoViews.list({ ...query, filters: ['video_id:movie'] })) {
      titles.push([view.id, view.country_code, view.playback_failure, view.watch_time]);
    }
    expect(titles).toEqual([
      ['two', 'DE', false, 65_500],
      ['three', 'SE', false, 61_000],
      ['one', 'DE', false, 60_500],
      ['failed', 'SE', true, null],
    ]);
    const { data } = await mux.data.videoViews.retrieve('two');
    expect(data).toMatchObject({
      id: 'two',
      country_code: 'DE',
      video_title: 'A movie',
      buffering_count: 1,
      buffering_duration: 4_000,
      time_to_first_frame: 1_500,
      view_start: iso(T0),
      view_end: iso(T0 + 65_500),
    });
    expect(data.events.map(({ name }) => name)).toEqual(Array(5).fill('state'));
    const mine = await mux.data.videoViews.list({ timeframe, viewer_id: 'v-three' });
    expect(mine.data.map(({ id }) => id)).toEqual(['three']);
    const [error] = (await mux.data.errors.list({ timeframe })).data;
    const broken = await mux.data.videoViews.list({ timeframe, error_id: error?.id ?? -1 });
    expect(broken.data.map(({ id }) => id)).toEqual(['failed']);
  });
});

describe('monitoring of the client', () => {
  const timestamp = (T0 + 20_000) / 1_000;

  it('listDimensions and metrics.list', async () => {
    const dimensions = await mux.data.monitoring.listDimensions();
    expect(dimensions.data).toContainEqual({ name: 'country', display_name: 'Country' });
    const metrics = await mux.data.monitoring.metrics.list();
    expect(metrics.data.map(({ name }) => name)).toContain('current-concurrent-viewers');
  });

  it('metrics.getBreakdown of a moment', async () => {
    const { data } = await mux.data.monitoring.metrics.getBreakdown('current-concurrent-viewers', {
      dimension: 'country',
      timestamp,
      order_by: 'value',
      order_direction: 'desc',
    });
    expect(data.map(({ value, metric_value }) => [value, metric_value])).toEqual([
      ['DE', 2],
      ['SE', 1],
    ]);
  });

  it('metrics.getTimeseries', async () => {
    const { data } = await mux.data.monitoring.metrics.getTimeseries('current-concurrent-viewers', {
      timestamp,
      filters: ['country:DE'],
    });
    const points = new Map(data.map(({ date, value }) => [Date.parse(date), value]));
    expect(points.get(T0 + 20_000)).toBe(2);
    expect(points.get(T0 + 90_000)).toBe(0);
  });

  it('metrics.getBreakdownTimeseries', async () => {
    const { data } = await mux.data.monitoring.metrics.getBreakdownTimeseries(
      'current-rebuffering-percentage',
      {
        dimension: 'country',
        timeframe: [String(T0 / 1_000 + 30), String(T0 / 1_000 + 40)],
      },
    );
    expect(data.map(({ date }) => Date.parse(date))).toEqual([T0 + 30_000, T0 + 35_000]);
    const german = data[0]?.values.find(({ value }) => value === 'DE');
    // One of two played all of these 5 s, the other was rebuffering from 31.5 s on.
    expect(german).toMatchObject({ concurrent_viewers: 2 });
    expect(german?.metric_value).toBeCloseTo(3_500 / 10_000, 12);
  });

  it('metrics.getHistogramTimeseries', async () => {
    const { data, meta } = await mux.data.monitoring.metrics.getHistogramTimeseries(
      'video-startup-time',
      {},
    );
    expect(meta.bucket_unit).toBe('milliseconds');
    expect(data.length).toBeGreaterThan(0);
    for (const point of data) {
      expect(point.bucket_values).toHaveLength(meta.buckets.length);
      expect(point.bucket_values.reduce((sum, { count }) => sum + count, 0)).toBe(point.sum);
    }
  });
});

describe('subviews of the client', () => {
  const { subviewMetrics } = new Mux({ tokenId: 'dev', tokenSecret: 'dev' }).data;
  it('are all of its methods', () => {
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(subviewMetrics));
    expect(names.filter((name) => name !== 'constructor').toSorted()).toEqual([
      'getBreakdownTimeseries',
      'getOverallValues',
      'listBreakdownValues',
      'listComparisonValues',
      'listDimensionValues',
      'listDimensions',
    ]);
  });

  it('getOverallValues and listBreakdownValues', async () => {
    const { subviewMetrics: asked } = mux.data;
    const overall = await asked.getOverallValues('playing_time', 'rendition', { timeframe });
    expect(overall.data.metric_value).toBe(180_000);
    expect(overall.meta).toMatchObject({ metric: 'playing_time', subview_type: 'rendition' });
    const rows = await asked.listBreakdownValues('playing_time', 'rendition', {
      timeframe,
      group_by: ['video_source_height'],
      filters: ['country:SE'],
    });
    expect(rows.data.map((row) => row.metric_value).toSorted()).toEqual([30_000, 30_000]);
    expect(rows.data.map((row) => row.breakdown_value).toSorted()).toEqual(['360', '720']);
  });

  it('listComparisonValues and getBreakdownTimeseries', async () => {
    const { subviewMetrics: asked } = mux.data;
    const group_by: 'video_source_height'[] = ['video_source_height'];
    const compared = await asked.listComparisonValues('playing_time', 'rendition', {
      timeframe,
      dimension: 'country',
      values: ['DE', 'SE'],
      group_by,
    });
    const sums = compared.data.map(({ dimension_value, values }) => [
      dimension_value,
      values.reduce((sum, { metric_value }) => sum + metric_value, 0),
    ]);
    expect(sums.toSorted()).toEqual([
      ['DE', 120_000],
      ['SE', 60_000],
    ]);
    const series = await asked.getBreakdownTimeseries('playing_time', 'rendition', {
      timeframe,
      group_by,
      time_granularity: 'hour',
    });
    const total = series.data
      .flatMap(({ values }) => values)
      .reduce((sum, { metric_value }) => sum + metric_value, 0);
    expect(total).toBe(180_000);
  });

  it('listDimensions and listDimensionValues', async () => {
    const { subviewMetrics: asked } = mux.data;
    const { data } = await asked.listDimensions('rendition');
    expect(data.subview).toContain('video_source_height');
    expect(data.view).toContain('country');
    const values = await asked.listDimensionValues('rendition', 'video_source_height', {
      timeframe,
      filters: ['country:SE'],
    });
    expect(values.data).toEqual(
      expect.arrayContaining([
        { value: '360', playing_time: 30_000 },
        { value: '720', playing_time: 30_000 },
      ]),
    );
  });
});

describe('engagement and exports of the client', () => {
  it('engagement.videos.heatmap and hotspots', async () => {
    const { videos } = mux.data.engagement;
    const heatmap = await videos.heatmap('movie', { timeframe });
    expect(heatmap.data.total_views).toBe(1);
    expect(heatmap.data.value.length).toBeGreaterThanOrEqual(10);
    expect(new Set(heatmap.data.value)).toEqual(new Set([1]));
    const { data } = await videos.hotspots('movie', { timeframe, limit: 3 });
    expect(data.total_views).toBe(1);
    for (const { start_ms, end_ms, score } of data.hotspots) {
      expect(end_ms).toBeGreaterThan(start_ms);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('exports.listVideoViews, whose files can be read', async () => {
    const { data } = await mux.data.exports.listVideoViews();
    expect(Array.isArray(data)).toBe(true);
    for (const { export_date, files } of data) {
      expect(export_date).toMatch(/^\d{4}-\d\d-\d\d/);
      for (const { path, type, version } of files) {
        expect([typeof path, typeof type, typeof version]).toEqual(['string', 'string', 'number']);
      }
    }
  });
});

it('errors of ours reach the client with their code', async () => {
  const wrong = mux.data.dimensions.listValues('contry', { timeframe });
  await expect(wrong).rejects.toMatchObject({
    status: 400,
    error: expect.objectContaining({ code: 'dimension_unknown' }),
  });
});
