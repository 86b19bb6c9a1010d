/** The routes of subviews on a real engine, against sums that plain code makes of the same views. */
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochs, views as viewsTable } from '../../schemas/tables/tables.ts';
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

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const all = withSpans(generateViews(260, 17, 'default'), 18);
const THROUGH_MS = NOW_MS - 90_000;

type Metric = 'playing_time' | 'rebuffer_count' | 'rebuffer_duration';
const METRICS: readonly Metric[] = ['playing_time', 'rebuffer_count', 'rebuffer_duration'];
const TYPES = ['rendition', 'playback_mode'] as const;
type Kind = (typeof TYPES)[number];

interface Item {
  readonly breakdown_value: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly metric_value: number;
}

interface Envelope<Data> {
  readonly data: Data;
  readonly total_row_count: number | null;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly detail?: string;
}

let engine: TestStore;
let server: FastifyInstance;

beforeAll(async () => {
  engine = await openTestStore();
  const older = all.map((view) => ({ ...view, _epoch: 1, rendition_bitrates: [9], country: 'XX' }));
  for (const rows of [older, all, withSpans(generateViews(40, 8, 'other'), 3)])
    await insertRows(engine.store, viewsTable, rows);
  const epoch = { topic: 't', _epoch: 10, log_time: NOW_MS, open_since: THROUGH_MS };
  await insertRows(engine.store, epochs, [epoch]);
  ({ server } = await startServer(engine.store));
});

afterAll(async () => {
  await server?.close();
  await engine?.close();
});

async function get<Data>(path: string, pairs: QueryPairs = []): Promise<Envelope<Data>> {
  const { status, body } = await ask<Envelope<Data>>(server, `/subview-metrics${path}`, pairs);
  expect(body.code, body.detail).toBeUndefined();
  expect(status).toBe(200);
  return body;
}

/** A span of a view: what it was, as texts, and how much of the metric is its own. */
interface PlainSpan {
  readonly view: RowObject;
  readonly attributes: Readonly<Record<string, string>>;
  readonly amount: number;
}

const list = (view: RowObject, name: string) => (view[name] ?? []) as readonly (string | number)[];
const textOf = (value: string | number | undefined): string =>
  value === undefined || value === 0 ? '' : String(value);

const LISTS = {
  rendition: {
    video_source_bitrate: 'rendition_bitrates',
    video_source_width: 'rendition_widths',
    video_source_height: 'rendition_heights',
    video_source_fps: 'rendition_milli_fps',
    video_source_codec: 'rendition_codecs',
  },
  playback_mode: { playback_mode: 'mode_names' },
} as const;
const SUMS = {
  playing_time: ['playing_ms', 'playing_ms'],
  rebuffer_count: ['rebuffer_counts', 'rebuffer_count'],
  rebuffer_duration: ['rebuffer_ms', 'rebuffer_ms'],
} as const;

/** Playing time counts where its view begins, the rest where it ends; of views that have ended. */
function takesPart(metric: Metric, view: RowObject): boolean {
  const at = Number(metric === 'playing_time' ? view.view_start : view.view_end);
  const isIn = at >= NOW_MS - DAY_MS && at < NOW_MS;
  return isIn && view.closed === 1;
}

function spansOf(metric: Metric, kind: Kind): PlainSpan[] {
  const [part, total] = SUMS[metric];
  const prefix = kind === 'rendition' ? 'rendition' : 'mode';
  return all
    .filter((view) => takesPart(metric, view))
    .flatMap((view) => {
      const known = list(view, `${prefix}_${part}`).map(Number);
      const rest = Number(view[total]) - known.reduce((sum, value) => sum + value, 0);
      return [...known, rest].map((amount, place) => ({
        view,
        amount,
        attributes: Object.fromEntries(
          Object.entries(LISTS[kind]).map(([name, column]) => {
            const value = list(view, column)[place];
            const isRate = name === 'video_source_fps';
            return [name, textOf(isRate ? Number(value ?? 0) / 1_000 : value)];
          }),
        ),
      }));
    })
    .filter(({ amount }) => amount !== 0);
}

function grouped(spans: readonly PlainSpan[], groups: readonly string[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const { attributes, amount, view } of spans) {
    const key = groups.map((name) => attributes[name] ?? String(view[name] ?? '')).join(' / ');
    sums.set(key, (sums.get(key) ?? 0) + amount);
  }
  return [...sums].sort();
}

const pairsOf = (items: readonly Item[]): [string, number][] =>
  items
    .map(({ breakdown_value, metric_value }): [string, number] => [breakdown_value, metric_value])
    .sort();
const sumOf = (spans: readonly PlainSpan[]): number =>
  spans.reduce((sum, { amount }) => sum + amount, 0);

describe.each(TYPES)('spans of %s', (kind) => {
  const names = Object.keys(LISTS[kind]);

  it.each(METRICS)('add up to the metric %s of their views', async (metric) => {
    const { data, meta, total_row_count } = await get<{ metric_value: number }>(
      `/${metric}/${kind}/overall`,
    );
    expect(data.metric_value).toBe(sumOf(spansOf(metric, kind)));
    expect(total_row_count).toBeNull();
    expect(meta).toMatchObject({ metric, subview_type: kind });
    const whole = await ask<Envelope<{ value: number }>>(server, `/metrics/${metric}/overall`, [
      ['measurement', 'sum'],
    ]);
    expect(data.metric_value).toBe(whole.body.data.value);
  });

  it.each(METRICS)('are broken down by all attributes for %s', async (metric) => {
    const { data, meta, total_row_count } = await get<Item[]>(`/${metric}/${kind}/breakdown`, [
      ['limit', '1000'],
    ]);
    const plain = grouped(spansOf(metric, kind), names);
    expect(pairsOf(data)).toEqual(plain);
    expect([total_row_count, meta.group_by]).toEqual([plain.length, names]);
    const amounts = data.map(({ metric_value }) => metric_value);
    expect(amounts).toEqual([...amounts].sort((a, b) => b - a));
  });

  it('are filtered by attributes and by dimensions of their views', async () => {
    const [name = ''] = names;
    const value = kind === 'rendition' ? '1000000' : 'fullscreen';
    const spans = spansOf('rebuffer_duration', kind);
    const path = `/rebuffer_duration/${kind}/overall`;
    const cases: [QueryPairs, (span: PlainSpan) => boolean][] = [
      [[['filters[]', `${name}:${value}`]], (span) => span.attributes[name] === value],
      [[['filters[]', `!${name}:${value}`]], (span) => span.attributes[name] !== value],
      [[['filters[]', `${name}:__empty__`]], (span) => span.attributes[name] === ''],
      [
        [
          ['filters[]', `${name}:${value}`],
          ['filters[]', `${name}:`],
          ['filters[]', 'country:DE'],
          ['filters[]', 'country:__empty__'],
          ['metric_filters[]', 'rebuffer_count>=2'],
        ],
        ({ attributes, view }) =>
          ['', value].includes(attributes[name] ?? '-') &&
          ['', 'DE'].includes(String(view.country)) &&
          Number(view.rebuffer_count) >= 2 &&
          view.started === 1,
      ],
    ];
    for (const [pairs, keeps] of cases) {
      const { data } = await get<{ metric_value: number }>(path, pairs);
      const plain = sumOf(spans.filter(keeps));
      expect([pairs, data.metric_value]).toEqual([pairs, plain]);
      expect(plain).toBeGreaterThan(0);
    }
  });

  it('are listed with playing time for each value of a dimension', async () => {
    const spans = spansOf('playing_time', kind);
    for (const dimension of ['country', ...names]) {
      type Value = { value: string; playing_time: number };
      const { data, total_row_count, meta } = await get<Value[]>(
        `/${kind}/dimensions/${dimension}`,
        [['limit', '1000']],
      );
      const plain = grouped(spans, [dimension]);
      expect(data.map(({ value, playing_time }) => [value, playing_time]).sort()).toEqual(plain);
      expect([total_row_count, meta.dimension_name]).toEqual([plain.length, dimension]);
      const [page] = (
        await get<Value[]>(`/${kind}/dimensions/${dimension}`, [
          ['order_by', 'value'],
          ['order_direction', 'desc'],
          ['limit', '1'],
        ])
      ).data;
      expect([page?.value, page?.playing_time]).toEqual(plain.at(-1));
    }
    const { data } = await get<unknown[]>(`/${kind}/dimensions/country`, [['query', 'Brien\\']]);
    expect(data).toHaveLength(1);
  });

  it('are compared for the values of a dimension', async () => {
    const { data, meta } = await get<{ dimension_value: string; values: Item[] }[]>(
      `/playing_time/${kind}/comparison`,
      [
        ['dimension', 'country'],
        ['values[]', 'DE'],
        ['values[]', '__empty__'],
        ['filters[]', 'country:DE'],
        ['filters[]', 'cdn:fastly'],
        ['breakdown_value_limit', '1000'],
      ],
    );
    const spans = spansOf('playing_time', kind).filter(
      ({ view }) => view.country === 'DE' && view.cdn === 'fastly',
    );
    expect(data.map(({ dimension_value }) => dimension_value)).toEqual(['DE', '']);
    expect(pairsOf(data[0]?.values ?? [])).toEqual(grouped(spans, names));
    expect(data[1]?.values).toEqual([]);
    expect(meta).toMatchObject({ dimension: 'country', group_by: names });
  });

  it('are broken down over time, as far as all views are known', async () => {
    type Bucket = { date: string; status: string; values: Item[] };
    const { data, meta } = await get<Bucket[]>(`/rebuffer_count/${kind}/breakdown-timeseries`, [
      ['breakdown_value_limit', '1000'],
      ['time_granularity', 'hour'],
    ]);
    const spans = spansOf('rebuffer_count', kind);
    expect(data).toHaveLength(24);
    for (const { date, status, values } of data) {
      const fromMs = Date.parse(date);
      expect(status).toBe(fromMs + HOUR_MS <= THROUGH_MS ? 'complete' : 'partial');
      const here = spans.filter(
        ({ view }) => Number(view.view_end) >= fromMs && Number(view.view_end) < fromMs + HOUR_MS,
      );
      expect([date, pairsOf(values)]).toEqual([date, grouped(here, names)]);
    }
    expect(data.at(-1)?.status).toBe('partial');
    expect(meta).toMatchObject({ time_granularity: 'hour', group_by: names });
    const narrow = await get<Bucket[]>(`/rebuffer_count/${kind}/breakdown-timeseries`, [
      ['breakdown_value_limit', '1'],
      ['timeframe[]', '7:days'],
      ['time_granularity', 'day'],
    ]);
    expect(narrow.data.every(({ values }) => values.length <= 1)).toBe(true);
    expect(narrow.data).toHaveLength(8);
  });
});

describe('subviews', () => {
  it('are grouped by the attributes asked for, page by page', async () => {
    const groups = ['video_source_height', 'video_source_fps'];
    const pairs: QueryPairs = groups.map((name) => ['group_by[]', name]);
    const path = '/playing_time/rendition/breakdown';
    const plain = grouped(spansOf('playing_time', 'rendition'), groups);
    const whole = await get<Item[]>(path, pairs);
    expect(pairsOf(whole.data)).toEqual(plain);
    expect(whole.data[0]?.attributes).toEqual(
      Object.fromEntries(
        groups.map((name, at) => [name, whole.data[0]?.breakdown_value.split(' / ')[at]]),
      ),
    );
    const second = await get<Item[]>(path, [...pairs, ['limit', '2'], ['page', '2']]);
    expect(second.data).toEqual(whole.data.slice(2, 4));
    const beyond = await get<Item[]>(path, [...pairs, ['page', '9']]);
    expect([beyond.data, beyond.total_row_count]).toEqual([[], plain.length]);
  });

  it('name the dimensions that they have', async () => {
    const { data, total_row_count } = await get<{ subview: string[]; view: string[] }>(
      '/rendition/dimensions',
    );
    expect(data.subview).toEqual(Object.keys(LISTS.rendition));
    expect(data.view).toContain('country');
    expect(total_row_count).toBeNull();
  });

  it.each([
    ['/playing_tim/rendition/overall', [], 'metric_unknown', 'playing_time'],
    ['/views/rendition/overall', [], 'metric_unknown', 'rebuffer_count'],
    ['/playing_time/renditions/overall', [], 'parameter_invalid', 'rendition'],
    ['/rendtion/dimensions', [], 'parameter_invalid', 'rendition'],
    ['/rendition/dimensions/contry', [], 'dimension_unknown', 'country'],
    [
      '/playing_time/rendition/breakdown',
      [['group_by[]', 'video_source_heigth']],
      'dimension_unknown',
      'video_source_height',
    ],
    [
      '/playing_time/rendition/overall',
      [['filters[]', 'contry:DE']],
      'dimension_unknown',
      'country',
    ],
    [
      '/playing_time/rendition/overall',
      [['filters[]', 'DE']],
      'parameter_invalid',
      'dimension:value',
    ],
    [
      '/playing_time/playback_mode/overall',
      [['filters[]', 'video_source_width:640']],
      'dimension_unknown',
      'video',
    ],
    [
      '/playing_time/rendition/comparison',
      [['dimension', 'country']],
      'parameter_invalid',
      'values',
    ],
  ] as [string, QueryPairs, string, string][])(
    '%s with %j is %s',
    async (path, pairs, code, word) => {
      const { status, body } = await ask<Envelope<null>>(server, `/subview-metrics${path}`, pairs);
      expect([status, body.code]).toEqual([400, code]);
      expect(body.detail).toContain(word);
    },
  );
});
