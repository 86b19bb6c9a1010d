/**
 * Every figure computed again, in plain code, from the definitions: what the planner's SQL is checked against.
 *
 * Nothing here reads the catalogue's SQL; only units and scales are taken from it.
 */
import {
  type Measure,
  measureLevels,
  type ViewMetric,
} from '../../../schemas/catalogue/metrics.ts';
import type { RowObject } from '../../support/rows.ts';

type Value = number | string | null;

const of = (view: RowObject, column: string): number => Number(view[column] ?? 0);
const known = (view: RowObject, column: string): number | null =>
  view[column] === null || view[column] === undefined ? null : Number(view[column]);
const started = (view: RowObject): boolean => of(view, 'started') === 1;
const withStates = (view: RowObject): boolean => view.source !== '';
const flag = (condition: boolean): number => (condition ? 1 : 0);
const ifStarted =
  (value: (view: RowObject) => Value) =>
  (view: RowObject): Value =>
    started(view) ? value(view) : null;
const ifStates =
  (condition: (view: RowObject) => boolean) =>
  (view: RowObject): Value =>
    withStates(view) ? flag(condition(view)) : null;
/** Rounds half to even, as ClickHouse's `round` does for floats. */
const round = (value: number): number => {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
};
const over = (top: number, bottom: number, times = 1): number | null =>
  bottom > 0 ? round((top * times) / bottom) : null;
const addUp = (...values: (number | null)[]): number | null =>
  values.some((value) => value === null) ? null : values.reduce<number>((a, b) => a + (b ?? 0), 0);

const active = (view: RowObject): number => of(view, 'playing_ms') + of(view, 'rebuffer_ms');
const framesOf = (view: RowObject): number | null =>
  addUp(known(view, 'dropped_frames'), known(view, 'shown_frames'));
const reportsOf = (view: RowObject): number | null =>
  addUp(of(view, 'reports_received'), known(view, 'reports_lost'));
const changes = (column: string) =>
  ifStarted((view) => (of(view, 'bitrate_known_ms') > 0 ? of(view, column) : null));
const column = (name: string) => (view: RowObject) => known(view, name);
const ads = (name: string) => (view: RowObject) => (withStates(view) ? of(view, name) : null);

/** Value of one view in stored units, by metric id. */
const definitions: Readonly<Record<string, (view: RowObject) => Value>> = {
  views: () => 1,
  started_views: ifStarted(() => 1),
  ended_views: () => 1,
  unique_viewers: (view) => (view.viewer_user_id === '' ? null : String(view.viewer_user_id)),
  video_startup_time: ifStarted(column('startup_ms')),
  player_startup_time: column('player_startup_ms'),
  page_load_time: column('page_load_ms'),
  aggregate_startup_time: ifStarted((view) =>
    addUp(known(view, 'page_load_ms'), known(view, 'player_startup_ms'), of(view, 'startup_ms')),
  ),
  exits_before_video_start: ifStates(
    (view) => !started(view) && view.failed === 0 && view.failed_business === 0,
  ),
  video_startup_failure_percentage: ifStates((view) => view.failed === 1 && !started(view)),
  playback_failure_percentage: ifStates((view) => view.failed === 1),
  video_startup_business_exception_percentage: ifStates(
    (view) => view.failed_business === 1 && !started(view),
  ),
  playback_business_exception_percentage: ifStates((view) => view.failed_business === 1),
  view_dropped_percentage: ifStarted((view) => flag(view.outcome === 'dropped')),
  playing_time: ifStarted(column('playing_ms')),
  watch_time: ifStarted((view) => active(view) + of(view, 'startup_ms') + of(view, 'seek_ms')),
  rebuffer_count: ifStarted(column('rebuffer_count')),
  rebuffer_duration: ifStarted(column('rebuffer_ms')),
  rebuffer_percentage: ifStarted((view) => over(of(view, 'rebuffer_ms'), active(view), 1e6)),
  rebuffer_frequency: ifStarted((view) => over(of(view, 'rebuffer_count'), active(view), 6e10)),
  video_restart_time: ifStarted((view) =>
    of(view, 'restart_count') > 0 ? of(view, 'restart_ms') : null,
  ),
  restart_count: ifStarted(column('restart_count')),
  seek_latency: ifStarted((view) => over(of(view, 'seek_done_ms'), of(view, 'seek_count'))),
  weighted_average_bitrate: ifStarted((view) =>
    over(of(view, 'bitrate_bit_ms'), of(view, 'bitrate_known_ms')),
  ),
  rendition_change_count: changes('rendition_changes'),
  rendition_upshift_count: changes('rendition_upshifts'),
  rendition_downshift_count: changes('rendition_downshifts'),
  upscale_percentage: ifStarted(column('upscale_ppm')),
  downscale_percentage: ifStarted(column('downscale_ppm')),
  max_upscale_percentage: ifStarted(column('max_upscale_ppm')),
  max_downscale_percentage: ifStarted(column('max_downscale_ppm')),
  dropped_frame_percentage: ifStarted((view) =>
    over(of(view, 'dropped_frames'), framesOf(view) ?? 0, 1e6),
  ),
  live_stream_latency: ifStarted(column('live_latency_ms')),
  request_latency: (view) => over(of(view, 'media_ttfb_sum_ms'), of(view, 'media_ttfb_count')),
  max_request_latency: (view) =>
    of(view, 'media_ttfb_count') > 0 ? of(view, 'media_ttfb_max_ms') : null,
  request_throughput: (view) => over(of(view, 'media_bytes'), of(view, 'media_time_ms'), 8_000),
  playback_success_score: column('success_milli'),
  startup_time_score: column('startup_score_milli'),
  rebuffer_score: column('rebuffer_score_milli'),
  video_quality_score: column('quality_score_milli'),
  viewer_experience_score: column('experience_score_milli'),
  report_completeness: (view) => over(of(view, 'reports_received'), reportsOf(view) ?? 0, 1e6),
  ad_attempt_count: ads('ad_attempt_count'),
  ad_impression_count: ads('ad_impression_count'),
  ad_break_count: ads('ad_break_count'),
  ad_error_count: ads('ad_error_count'),
  ad_error_percentage: (view) =>
    withStates(view) ? over(of(view, 'ad_error_count'), of(view, 'ad_attempt_count'), 1e6) : null,
  ad_exit_before_start_count: ads('ad_exit_before_start_count'),
};

type Ratio = (view: RowObject) => readonly [top: number, bottom: number];

/** What a view adds to both sums of a ratio, and the unit's factor. A share's view adds its value to 1. */
const ratioOf: Readonly<Record<string, readonly [Ratio, factor: number]>> = {
  rebuffer_percentage: [(view) => [of(view, 'rebuffer_ms'), active(view)], 1],
  rebuffer_frequency: [(view) => [of(view, 'rebuffer_count'), active(view)], 60_000],
  dropped_frame_percentage: [(view) => [of(view, 'dropped_frames'), framesOf(view) ?? 0], 1],
  report_completeness: [(view) => [of(view, 'reports_received'), reportsOf(view) ?? 0], 1],
  ad_error_percentage: [(view) => [of(view, 'ad_error_count'), of(view, 'ad_attempt_count')], 1],
};

/** Views that have a value. */
export function taking(metric: ViewMetric, views: readonly RowObject[]): RowObject[] {
  const value = definitionOf(metric);
  return views.filter((view) => value(view) !== null);
}

function definitionOf(metric: ViewMetric): (view: RowObject) => Value {
  const value = definitions[metric.id];
  if (value === undefined) throw new Error(`${metric.id} is not recomputed`);
  return value;
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The figure over views, in answer units. */
export function figureOf(
  metric: ViewMetric,
  measure: Measure,
  views: readonly RowObject[],
): number | null {
  const part = taking(metric, views);
  const values = part.map(definitionOf(metric));
  if (measure === 'count') return metric.distinct === true ? new Set(values).size : values.length;
  const numbers = values.map(Number);
  if (measure === 'sum') return total(numbers) / metric.scale;
  const level = measureLevels[measure];
  if (level !== undefined) return scaled(percentile(numbers, level), metric.scale);
  const ratio = ratioOf[metric.id];
  if (ratio === undefined) return scaled(total(numbers) / numbers.length, metric.scale);
  const [sides, factor] = ratio;
  const bottom = total(part.map((view) => sides(view)[1]));
  return scaled((total(part.map((view) => sides(view)[0])) / bottom) * factor, 1);
}

const scaled = (value: number | null, scale: number): number | null =>
  value === null || !Number.isFinite(value) ? null : value / scale;

function percentile(values: readonly number[], level: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = level * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? 0;
  return low + (high - low) * (at - Math.floor(at));
}

/** What a group costs the whole, by its definition: its figure against that of all other views. */
export function impactOf(
  metric: ViewMetric,
  measure: Measure,
  group: readonly RowObject[],
  all: readonly RowObject[],
): number {
  const inside = new Set(group);
  const rest = all.filter((view) => !inside.has(view));
  const size = taking(metric, group).length;
  const others = taking(metric, rest).length;
  if (metric.good === 'none' || measure === 'count' || others === 0) return 0;
  const sign = metric.good === 'low' ? 1 : -1;
  if (measure === 'sum') {
    const own = figureOf(metric, 'sum', group) ?? 0;
    return sign * (own - ((figureOf(metric, 'sum', rest) ?? 0) / others) * size);
  }
  const value = figureOf(metric, measure, group);
  const restValue = figureOf(metric, measure, rest);
  if (value === null || restValue === null) return 0;
  return (sign * (value - restValue) * size) / (size + others);
}
