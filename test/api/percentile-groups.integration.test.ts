/** A percentile by a dimension, against plain code: each group's own, and that of all views outside of it. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planBreakdown } from '../../api/planner/breakdown.ts';
import { findViewMetric, measureLevels } from '../../schemas/catalogue/metrics.ts';
import { views as viewsTable } from '../../schemas/tables/tables.ts';
import { dayOf, insertRows } from '../support/rows.ts';
import { openTestStore, type TestStore } from './support/server.ts';

const START_MS = Date.UTC(2026, 2, 10, 12);
const MEASURES = ['5th', '25th', 'median', '75th', '90th', '95th', '99th'] as const;

interface Grouped {
  readonly group: string;
  readonly latencyMs: number;
}

interface Row {
  readonly field: string;
  readonly value: number;
  readonly views: number;
  readonly playing: number;
  readonly negative_impact: number;
}

let engine: TestStore;
let projects = 0;

beforeAll(async () => {
  engine = await openTestStore();
});

afterAll(async () => {
  await engine?.close();
});

/** Ties, neighbours within a bucket, values below zero, and values far apart. */
const latency = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 1_000, max: 1_050 }),
  fc.integer({ min: -2_000, max: 2_000 }),
  fc.integer({ min: 0, max: 3_000_000_000 }),
);
const group = fc.constantFrom('US', 'US', 'US', 'DE', 'DE', 'FR', '', "O'Brien\\land");
const grouped = fc.array(fc.record({ group, latencyMs: latency }), {
  minLength: 1,
  maxLength: 120,
});
const oneGroup = fc.array(fc.record({ group: fc.constant('US'), latencyMs: latency }), {
  minLength: 1,
  maxLength: 30,
});
const allAlone = fc
  .array(latency, { minLength: 1, maxLength: 30 })
  .map((values) => values.map((latencyMs, at) => ({ group: `group-${at}`, latencyMs })));

async function insert(project: string, items: readonly Grouped[]): Promise<void> {
  const rows = items.map(({ group: country, latencyMs }, at) => ({
    project,
    view_id: `view-${at}`,
    start_day: dayOf(START_MS),
    view_start: START_MS,
    view_end: START_MS + at,
    closed: 1,
    started: 1,
    source: 'native',
    country,
    playing_ms: 1_000 + at,
    live_latency_ms: latencyMs,
    _epoch: 1,
  }));
  await insertRows(engine.store, viewsTable, rows);
}

async function breakdown(project: string, measure: (typeof MEASURES)[number]): Promise<Row[]> {
  const metric = findViewMetric('live_stream_latency');
  if (metric === undefined) throw new Error('the catalogue has no live_stream_latency');
  const timeframe = { fromMs: START_MS, toMs: START_MS + 60_000 };
  const scope = { project, timeframe, filters: [], metricFilters: [] };
  const order = { orderBy: 'field', descending: false, page: 1, limit: 200 } as const;
  const { sql, params } = planBreakdown({ metric, measure }, scope, {
    ...order,
    dimension: 'country',
  });
  return engine.store.query<Row>(sql, { params });
}

function percentile(items: readonly Grouped[], level: number): number {
  const sorted = items.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
  const at = level * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.floor(at) + 1] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}

function expectRow(row: Row, all: readonly Grouped[], level: number): void {
  const own = all.filter((item) => item.group === row.field);
  const rest = all.filter((item) => item.group !== row.field);
  const scale = findViewMetric('live_stream_latency')?.scale ?? Number.NaN;
  const share = own.length / all.length;
  const impact =
    rest.length === 0 ? 0 : ((percentile(own, level) - percentile(rest, level)) / scale) * share;
  const playing = all.reduce(
    (sum, item, at) => sum + (item.group === row.field ? 1_000 + at : 0),
    0,
  );
  expect([row.views, row.playing]).toEqual([own.length, playing]);
  expect(row.value).toBeCloseTo(percentile(own, level) / scale, 4);
  expect(row.negative_impact).toBeCloseTo(impact, 4);
}

it('each group has its percentile and is compared with that of the rest, whatever the values', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(grouped, grouped, oneGroup, allAlone),
      fc.constantFrom(...MEASURES),
      async (items, measure) => {
        const project = `project-${projects++}`;
        await insert(project, items);
        const rows = await breakdown(project, measure);
        const fields = [...new Set(items.map((item) => item.group))].toSorted();
        expect(rows.map(({ field }) => field).toSorted()).toEqual(fields);
        for (const row of rows) expectRow(row, items, measureLevels[measure] ?? Number.NaN);
      },
    ),
    { numRuns: 80 },
  );
});
