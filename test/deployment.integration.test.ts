/**
 * What the dashboards and alerts ask is there: metrics in a running program, figures in the store. Panels of views and
 * of windows answer what the api answers.
 *
 * Queries run with the reader's filters as a setting, which the engine applies where it would apply a row policy; the users
 * themselves are tried in deployment-users.integration.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IntervalSeriesRow, planIntervalSeries } from '../api/planner/monitoring.ts';
import { type OverallRow, planOverall } from '../api/planner/overall.ts';
import type { Statement } from '../api/planner/statement.ts';
import type { KafkaLog } from '../platform/log/kafka.ts';
import { exportLogMetrics } from '../platform/metrics/engines.ts';
import { Registry } from '../platform/metrics/registry.ts';
import { findIntervalMetric } from '../schemas/catalogue/interval-metrics.ts';
import { findViewMetric } from '../schemas/catalogue/metrics.ts';
import { playback5s, rejected, views as viewsTable } from '../schemas/tables/tables.ts';
import { generatePlayback, NOW_MS as PLAYBACK_NOW_MS } from './api/support/generated-intervals.ts';
import { generateViews, NOW_MS as VIEWS_NOW_MS } from './api/support/generated-views.ts';
import { openTestStore, type TestStore } from './api/support/server.ts';
import { boards, expressions, type Panel, readerOfXml } from './support/deployment.ts';
import { insertRows } from './support/rows.ts';
import { startTestServer } from './support/running.ts';

/** Labels that Prometheus adds, or makes of a histogram. */
const ADDED_LABELS = ['job', 'instance', 'le'];

/** The counters of a log in Kafka, which the program below does not have. A name that is not there does not compile. */
const KAFKA_COUNTERS: Readonly<Record<keyof KafkaLog['counters'], number>> = {
  appendedRecords: 0,
  appendedBytes: 0,
  overloaded: 0,
  produceRequests: 0,
  retriedBatches: 0,
  failedBatches: 0,
  fetchRequests: 0,
  fetchedBytes: 0,
};

/** Label names of each metric in texts of the exposition format. */
function metricsOf(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) /gm)) found.set(name, new Set());
  for (const [, sample = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) {
      found.get(metricOf(sample))?.add(label);
    }
  }
  return found;
}

const metricOf = (series: string): string => series.replace(/_(bucket|sum|count)$/, '');

describe('what Prometheus is asked for', () => {
  let metrics: ReadonlyMap<string, ReadonlySet<string>>;

  beforeAll(async () => {
    const server = await startTestServer();
    await fetch(`${server.url}/healthz`);
    const running = await (await fetch(`${server.url}/metrics`)).text();
    await server.close();
    const registry = new Registry();
    exportLogMetrics(registry, { counters: KAFKA_COUNTERS });
    metrics = metricsOf(`${running}\n${await registry.metrics()}`);
  });

  it.each(expressions())('%s: is told by the program', (_where, expression) => {
    const series = expression.match(/\bstreamgauge_\w+/g) ?? [];
    if (series.length === 0) expect(expression).toMatch(/\bup\{/);
    const unknown = series.filter((name) => !metrics.has(metricOf(name)));
    expect(unknown).toEqual([]);
    const known = new Set([
      ...ADDED_LABELS,
      ...series.flatMap((name) => [...(metrics.get(metricOf(name)) ?? [])]),
    ]);
    expect(labelsIn(expression).filter((label) => !known.has(label))).toEqual([]);
  });

  it('names every metric of a group that it asks for as a counter or not', () => {
    for (const [where, expression] of expressions()) {
      const rated = expression.match(/(?:rate|increase)\(streamgauge_\w+/g) ?? [];
      for (const call of rated) expect(call, where).toMatch(/_(total|bucket|sum|count)$/);
    }
  });
});

/** Label names in matchers and in groupings. */
function labelsIn(expression: string): string[] {
  const groupings = [...expression.matchAll(/\b(?:by|without) \(([^)]*)\)/g)];
  const matchers = [...expression.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)];
  return [
    ...groupings.flatMap(([, names = '']) => names.split(',').map((name) => name.trim())),
    ...matchers.map(([, name = '']) => name),
  ];
}

interface Frame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalS: number;
}

/** Grafana's macros, as its data source replaces them. Its frames hold their end, so that of ours is one before. */
function replaced(sql: string, { fromMs, toMs, intervalS }: Frame, dimension = 'cdn'): string {
  const seconds = (ms: number): string => `toDateTime(${Math.floor(ms / 1_000)})`;
  const milli = (ms: number): string => `fromUnixTimestamp64Milli(${ms})`;
  const text = sql
    .replaceAll(
      /\$__timeFilter_ms\((\w+)\)/g,
      (_all, column) => `${column} >= ${milli(fromMs)} AND ${column} <= ${milli(toMs - 1)}`,
    )
    .replaceAll(
      /\$__timeFilter\((\w+)\)/g,
      (_all, column) => `${column} >= ${seconds(fromMs)} AND ${column} <= ${seconds(toMs - 1)}`,
    )
    .replaceAll(
      /\$__timeInterval\((\w+)\)/g,
      (_all, column) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${intervalS} second)`,
    )
    .replaceAll('$__interval_s', String(intervalS))
    .replaceAll('$__toTime', seconds(toMs))
    .replaceAll('$dimension', dimension);
  expect(text).not.toContain('$');
  return text;
}

/** The reader's filters as a setting: the engine applies it where it would apply a row policy. */
function asReader(sql: string): string {
  const filters = [...readerOfXml().filters].map(
    ([table, filter]) => `'${table}': '${filter.replaceAll("'", "''")}'`,
  );
  const setting = `additional_table_filters = {${filters.join(', ')}}`;
  return sql.includes('SETTINGS ') ? `${sql}, ${setting}` : `${sql}\nSETTINGS ${setting}`;
}

const HOUR_MS = 3_600_000;
const VIEWS_FRAME = { fromMs: VIEWS_NOW_MS - 24 * HOUR_MS, toMs: VIEWS_NOW_MS, intervalS: 3_600 };
const PLAYBACK_TO_MS = Math.floor(PLAYBACK_NOW_MS / 60_000) * 60_000;
const PLAYBACK_FRAME = { fromMs: PLAYBACK_TO_MS - 1_800_000, toMs: PLAYBACK_TO_MS, intervalS: 60 };

const qos = boards().find(({ uid }) => uid === 'streamgauge-qos')!;
const sqlOf = (panel: Panel): string => panel.targets?.[0]?.rawSql ?? '';
const idOf = ({ description = '' }: Panel): string => /^[\w-]+/.exec(description)?.[0] ?? '';
const panelsOf = (type: string, found: (id: string) => object | undefined) =>
  qos.panels
    .filter((panel) => panel.type === type && found(idOf(panel)) !== undefined)
    .map((panel): [string, string, string] => [panel.title, idOf(panel), sqlOf(panel)]);
const stats = panelsOf('stat', findViewMetric);
const viewSeries = panelsOf('timeseries', findViewMetric);
const windowSeries = panelsOf('timeseries', findIntervalMetric);

describe('what ClickHouse is asked for', () => {
  let engine: TestStore;

  beforeAll(async () => {
    engine = await openTestStore();
    const { store } = engine;
    for (const [project, seed] of [
      ['default', 7],
      ['other', 8],
    ] as const) {
      await insertRows(store, viewsTable, generateViews(220, seed, project));
      await insertRows(store, playback5s, generatePlayback(project, seed));
      const reject = { project, at: VIEWS_NOW_MS - 1, route: 'cmcd', code: project, message: 'no' };
      await insertRows(store, rejected, [{ ...reject, rejects: 3, events: 2 }]);
    }
  });

  afterAll(() => engine.close());

  const ask = <Row>(sql: string, frame: Frame, dimension?: string): Promise<Row[]> =>
    engine.store.query<Row>(asReader(replaced(sql, frame, dimension)));
  const plan = <Row>({ sql, params }: Statement): Promise<Row[]> =>
    engine.store.query<Row>(sql, { params });
  const scope = ({ fromMs, toMs }: Frame) => ({
    project: 'default',
    timeframe: { fromMs, toMs },
    filters: [],
    metricFilters: [],
  });
  const overall = async (id: string, frame: Frame): Promise<number | null | undefined> => {
    const metric = findViewMetric(id)!;
    const rows = await plan<OverallRow>(
      planOverall({ metric, measure: metric.defaultMeasure }, scope(frame)),
    );
    return rows[0]?.value;
  };

  it('shows figures of views and of windows', () => {
    expect([stats.length, viewSeries.length, windowSeries.length]).toEqual([6, 6, 9]);
    expect(qos.panels.filter(({ type }) => type === 'table')).toHaveLength(2);
  });

  it.each(stats)(
    '%s (%s) is what the api answers, of the reader’s project alone',
    async (_title, id, sql) => {
      const [row] = await ask<{ value: number }>(sql, VIEWS_FRAME);
      expect(row?.value).toBeGreaterThan(0);
      expect(row?.value).toBeCloseTo((await overall(id, VIEWS_FRAME)) ?? Number.NaN, 9);
      const [open] = await engine.store.query<{ value: number }>(replaced(sql, VIEWS_FRAME));
      expect(open?.value).not.toBe(row?.value);
    },
  );

  it.each(viewSeries)('%s (%s) is what the api answers, hour by hour', async (_title, id, sql) => {
    const rows = await ask<{ time: string; value: number | null }>(sql, VIEWS_FRAME);
    expect(rows.length).toBeGreaterThan(12);
    for (const { time, value } of rows) {
      const fromMs = Date.parse(`${time.replace(' ', 'T')}Z`);
      const expected = await overall(id, { fromMs, toMs: fromMs + HOUR_MS, intervalS: 3_600 });
      expect(value ?? Number.NaN).toBeCloseTo(expected ?? Number.NaN, 9);
    }
  });

  it.each(windowSeries)(
    '%s (%s) is what the api answers, minute by minute',
    async (_title, id, sql) => {
      const rows = await ask<{ time: string; value: number | null }>(sql, PLAYBACK_FRAME);
      const { fromMs, toMs } = PLAYBACK_FRAME;
      const frame = { project: 'default', frame: { fromMs, toMs }, filters: [], gauge: undefined };
      const planned = await plan<IntervalSeriesRow>(
        planIntervalSeries(findIntervalMetric(id)!, frame, 60_000),
      );
      const expected = new Map(planned.map(({ bucket, value }) => [bucket, value]));
      expect(rows).toHaveLength(30);
      expect(expected.size).toBe(30);
      const perBucket = findIntervalMetric(id)?.joined === 'mean' ? 12 : 1;
      for (const { time, value } of rows) {
        const found = expected.get(Date.parse(`${time.replace(' ', 'T')}Z`));
        if (found === null) expect(value).toBeNull();
        else expect(value).toBeCloseTo((found ?? Number.NaN) / perBucket, 6);
      }
    },
  );

  const breakdown = sqlOf(qos.panels.find(({ title }) => title === 'Breakdown')!);
  const dimensions = qos.templating.list.find(({ name }) => name === 'dimension')?.options ?? [];

  it.each(dimensions)('breaks down by $value', async ({ value }) => {
    const rows = await ask<{ views: number }>(breakdown, VIEWS_FRAME, value);
    const views = rows.reduce((sum, row) => sum + row.views, 0);
    expect(views).toBe(await overall('ended_views', VIEWS_FRAME));
  });

  it('breaks down into the figures of all where a dimension has one value', async () => {
    const [row] = await ask<Record<string, number>>(breakdown, VIEWS_FRAME, 'asn');
    const figures = {
      startup: 'video_startup_time',
      rebuffering: 'rebuffer_percentage',
      failures: 'playback_failure_percentage',
      exits: 'exits_before_video_start',
      experience: 'viewer_experience_score',
    };
    for (const [column, id] of Object.entries(figures)) {
      expect(row?.[column], id).toBeCloseTo((await overall(id, VIEWS_FRAME)) ?? Number.NaN, 9);
    }
  });

  it('shows rejects of the reader’s project', async () => {
    const panel = qos.panels.find(({ title }) => title === 'Rejects by reason')!;
    expect(await ask(sqlOf(panel), VIEWS_FRAME)).toEqual([
      { route: 'cmcd', code: 'default', rejects: 3, events: 2, example: 'no' },
    ]);
  });

  it.each([...readerOfXml().filters])(
    'the filter of %s is an expression over it',
    async (table, filter) => {
      await engine.store.query(`SELECT count() AS rows FROM ${table} WHERE ${filter}`);
    },
  );
});
