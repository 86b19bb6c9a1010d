/**
 * A single view as it is answered.
 *
 * Guarantee: a live view says only what its events so far tell; every other metric of it is null, never a zero that
 * looks like a measurement.
 */
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { type LiveRow, liveMetrics, metricColumn, type ViewRow } from '../planner/video-views.ts';
import { edgeAnswer } from './edge-answer.ts';
import { muxFields, muxFigureFields } from './mux-fields.ts';

type Metrics = Readonly<Record<string, number | null>>;

export const isLive = (row: ViewRow): boolean => row.closed === 0;

const iso = (timeMs: unknown): string | null =>
  typeof timeMs === 'number' ? new Date(timeMs).toISOString() : null;

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Values by metric id, from a row that has `metricColumn`s. */
function metricsOf(row: ViewRow): Metrics {
  return Object.fromEntries(
    viewMetrics.map((metric) => [metric.id, numberOrNull(row[metricColumn(metric)])]),
  );
}

const ofTheRow: ReadonlySet<string> = new Set(['views', 'unique_viewers']);
const ofTheEvents: ReadonlySet<string> = new Set(liveMetrics.map(({ id }) => id));

/** A live view's metrics: from its events where they tell, from its first row where that is enough. */
function liveMetricsOf(row: ViewRow, live: LiveRow | undefined): Metrics {
  return Object.fromEntries(
    viewMetrics.map((metric) => {
      const from = ofTheRow.has(metric.id) ? row : ofTheEvents.has(metric.id) ? live : undefined;
      return [metric.id, numberOrNull(from?.[metricColumn(metric)])];
    }),
  );
}

function common(row: ViewRow, metrics: Metrics, endMs: unknown): Record<string, unknown> {
  return {
    id: row.view_id,
    live: isLive(row),
    outcome: row.outcome,
    source: row.source,
    view_start: iso(row.start_ms),
    view_end: iso(endMs),
    video_title: row.video_title,
    video_id: row.video_id,
    stream_type: row.stream_type,
    player_error_code: row.player_error_code === '' ? null : row.player_error_code,
    player_error_message: null,
    ...muxFields(row, metrics),
    watch_time: metrics.watch_time ?? null,
    video_startup_time: metrics.video_startup_time ?? null,
    rebuffer_percentage: metrics.rebuffer_percentage ?? null,
    viewer_device_category: row.viewer_device_category,
    viewer_experience_score: metrics.viewer_experience_score ?? null,
  };
}

/** Fields of Mux Data's list, and what tells views apart at a glance. */
const LISTED = [
  'id',
  'live',
  'outcome',
  'view_start',
  'view_end',
  'video_id',
  'video_title',
  'stream_type',
  'country_code',
  'viewer_os_family',
  'viewer_application_name',
  'error_type_id',
  'player_error_code',
  'player_error_message',
  'playback_failure',
  'viewer_experience_score',
  'watch_time',
  'video_startup_time',
  'rebuffer_percentage',
  'viewer_device_category',
] as const;

export function listItem(row: ViewRow): Record<string, unknown> {
  const metrics = isLive(row) ? liveMetricsOf(row, undefined) : metricsOf(row);
  const all = common(row, metrics, row.end_ms);
  return {
    ...Object.fromEntries(LISTED.map((name) => [name, all[name]])),
    total_row_count: row.total_rows,
  };
}

/** Everything known of a view but its timeline. */
export function viewDetail(row: ViewRow, live: LiveRow | undefined): Record<string, unknown> {
  const open = isLive(row);
  const metrics = open ? liveMetricsOf(row, live) : metricsOf(row);
  const newest = open && live !== undefined && live.newest_ms > 0 ? live.newest_ms : row.end_ms;
  return {
    ...Object.fromEntries(dimensions.map(({ name }) => [name, row[name]])),
    ...common(row, metrics, newest),
    ...(open ? {} : muxFigureFields(row)),
    ...metrics,
    ...(open ? { state: live?.state ?? '' } : {}),
    clock_skew: numberOrNull(row.clock_skew_ms),
    edge: edgeAnswer(row),
  };
}
