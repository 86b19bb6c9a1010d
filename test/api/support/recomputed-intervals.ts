/**
 * Every interval figure computed again, in plain code, from the definitions: what the planner's SQL is checked against.
 *
 * Nothing here reads the catalogue's SQL; only ids and the sketches' bars are taken from it.
 */
import type { IntervalMetric } from '../../../schemas/catalogue/interval-metrics.ts';
import { sketchValue } from '../../../schemas/sketch.ts';
import type { RowObject } from '../../support/rows.ts';
import { EPOCH_MS, WINDOW_MS } from './generated-intervals.ts';

/** Rows of one window, and which table they are of. */
export interface WindowRows {
  readonly atMs: number;
  readonly gauge: boolean;
  readonly rows: readonly RowObject[];
}

export interface Recomputed {
  readonly value: number | null;
  readonly concurrent: number;
  readonly starting: number;
  /** What shares of views are by. */
  readonly weight: number;
}

const of = (row: RowObject, name: string): number => Number(row[name] ?? 0);
const add = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const sum = (rows: readonly RowObject[], name: string): number =>
  add(rows.map((row) => of(row, name)));
const most = (values: readonly number[]): number => Math.max(0, ...values);

const viewing = (row: RowObject): number =>
  of(row, 'starting') + of(row, 'playing') + of(row, 'rebuffering') + of(row, 'seeking');
const viewersOf = ({ gauge, rows }: WindowRows): number =>
  gauge ? add(rows.map(viewing)) : sum(rows, 'viewers');
const startingOf = ({ gauge, rows }: WindowRows): number =>
  sum(rows, gauge ? 'starting' : 'starting_viewers');
const timeOf = ({ gauge, rows }: WindowRows, state: 'playing' | 'rebuffering'): number => {
  if (gauge) return sum(rows, state) * WINDOW_MS;
  return sum(rows, state === 'playing' ? 'playing_ms' : 'rebuffer_ms');
};
const viewingTime = (window: WindowRows): number =>
  window.gauge ? viewersOf(window) * WINDOW_MS : sum(window.rows, 'viewing_ms');

type Definition = (windows: readonly WindowRows[]) => number | null;

const over =
  (top: string, bottom: string): Definition =>
  (windows) => {
    const below = add(windows.map(({ rows }) => sum(rows, bottom)));
    return below > 0 ? add(windows.map(({ rows }) => sum(rows, top))) / below : null;
  };

const median =
  (column: string): Definition =>
  (windows) =>
    percentile(joinSketches(windows, column), 0.5);

const definitions: Readonly<Record<string, Definition>> = {
  'current-concurrent-viewers': (windows) => most(windows.map(viewersOf)),
  'current-average-concurrent-viewers': (windows) =>
    add(windows.map(viewingTime)) / (windows.length * WINDOW_MS),
  'current-starting-viewers': (windows) => most(windows.map(startingOf)),
  'current-rebuffering-percentage': (windows) => {
    const rebuffering = add(windows.map((window) => timeOf(window, 'rebuffering')));
    const both = rebuffering + add(windows.map((window) => timeOf(window, 'playing')));
    return both > 0 ? rebuffering / both : null;
  },
  'current-rebuffer-starts': (windows) =>
    add(windows.map(({ rows }) => sum(rows, 'rebuffer_starts'))),
  'current-average-bitrate': over('bitrate_bit_ms', 'bitrate_known_ms'),
  'exits-before-video-start': over('exits_before_start', 'views_decided'),
  'video-startup-failure-percentage': over('startup_failures', 'views_decided'),
  'playback-failure-percentage': over('failures', 'views_decided'),
  'video-startup-time': median('startup_sketch'),
  'live-stream-latency': over('latency_ms_ms', 'latency_known_ms'),
  'request-latency': median('ttfb_sketch'),
};

const byDecided = [
  'exits-before-video-start',
  'video-startup-failure-percentage',
  'playback-failure-percentage',
];

function weightOf(id: string, windows: readonly WindowRows[]): number {
  if (byDecided.includes(id)) return add(windows.map(({ rows }) => sum(rows, 'views_decided')));
  if (id === 'video-startup-time')
    return add(windows.map(({ rows }) => sum(rows, 'views_started')));
  return add(windows.map(viewersOf));
}

export function recompute({ id }: IntervalMetric, windows: readonly WindowRows[]): Recomputed {
  const definition = definitions[id];
  if (definition === undefined) throw new Error(`${id} is not recomputed`);
  return {
    value: definition(windows),
    concurrent: most(windows.map(viewersOf)),
    starting: most(windows.map(startingOf)),
    weight: weightOf(id, windows),
  };
}

/** What a group costs the whole: its figure against that of all other rows. */
export function impactOf(
  metric: IntervalMetric,
  group: readonly WindowRows[],
  rest: readonly WindowRows[],
): number {
  if (metric.unit === 'count' || metric.good === 'none') return 0;
  const own = recompute(metric, group);
  const others = recompute(metric, rest);
  const all = own.weight + others.weight;
  if (own.value === null || others.value === null || all === 0) return 0;
  const sign = metric.good === 'low' ? 1 : -1;
  return (sign * (own.value - others.value) * own.weight) / all;
}

/** Sums by bucket; what is not positive in total is left out. By bucket. */
export function joinSketches(windows: readonly WindowRows[], column: string): [number, number][] {
  const joined = new Map<number, number>();
  for (const { rows } of windows) {
    for (const row of rows) {
      for (const [bucket, weight] of (row[column] as Map<number, number> | undefined) ?? []) {
        joined.set(bucket, (joined.get(bucket) ?? 0) + weight);
      }
    }
  }
  return [...joined].filter(([, weight]) => weight > 0).sort(([a], [b]) => a - b);
}

/** Nearest rank: the first value whose running weight reaches its share. */
export function percentile(pairs: readonly [number, number][], level: number): number | null {
  const total = add(pairs.map(([, weight]) => weight));
  let running = 0;
  for (const [bucket, weight] of pairs) {
    running += weight;
    if (running >= level * total) return sketchValue(bucket);
  }
  return null;
}

/** The gauge's rows of a window: of each partition those of its last epoch that ended by the window's end. */
export function gaugeRows(
  gauges: readonly RowObject[],
  newestMs: readonly number[],
  epochs: number,
  windowMs: number,
): RowObject[] {
  return newestMs.flatMap((newest, partition) => {
    const behind = Math.max(0, Math.ceil((newest - (windowMs + WINDOW_MS)) / EPOCH_MS));
    return gauges.filter(
      ({ _partition, _epoch }) => _partition === partition && _epoch === epochs - behind,
    );
  });
}
