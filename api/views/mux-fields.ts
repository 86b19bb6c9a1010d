/**
 * Fields of a single view under the names that Mux Data's clients know, beside ours.
 *
 * Only what this system knows is here. Values are ours: times in ms, shares as fractions, scores to 100; unknown is
 * null.
 */

import type { ViewRow } from '../planner/video-views.ts';
import { errorId } from './error-id.ts';

type Value = string | number | boolean | null;
type Fields = Record<string, Value>;

/** Mux Data's name → the metric whose value it is. */
const BY_METRIC: Readonly<Record<string, string>> = {
  buffering_count: 'rebuffer_count',
  buffering_duration: 'rebuffer_duration',
  buffering_rate: 'rebuffer_frequency',
  time_to_first_frame: 'video_startup_time',
  player_load_time: 'player_startup_time',
  playback_score: 'playback_success_score',
  startup_score: 'startup_time_score',
  rebuffering_score: 'rebuffer_score',
  quality_score: 'video_quality_score',
  view_playing_time: 'playing_time',
  view_total_content_playback_time: 'playing_time',
  view_total_upscaling: 'upscale_percentage',
  view_total_downscaling: 'downscale_percentage',
  view_max_upscale_percentage: 'max_upscale_percentage',
  view_max_downscale_percentage: 'max_downscale_percentage',
  view_average_request_latency: 'request_latency',
  view_average_request_throughput: 'request_throughput',
  view_max_request_latency: 'max_request_latency',
};

/** Mux Data's name → the dimension whose value it is. */
const BY_DIMENSION: Readonly<Record<string, string>> = {
  country_code: 'country',
  mux_viewer_id: 'viewer_user_id',
  player_source_type: 'source_type',
  player_source_stream_type: 'stream_type',
  video_stream_type: 'stream_type',
  viewer_application_name: 'browser',
  viewer_application_version: 'browser_version',
  viewer_os_family: 'operating_system',
  viewer_os_version: 'operating_system_version',
};

/** Mux Data's name → the metric that is 1 of a view that has it. */
const FLAGS: Readonly<Record<string, string>> = {
  playback_failure: 'playback_failure_percentage',
  video_startup_failure: 'video_startup_failure_percentage',
  exit_before_video_start: 'exits_before_video_start',
  view_dropped: 'view_dropped_percentage',
};

const orNull = (value: Value | undefined): Value =>
  value === undefined || value === '' ? null : value;

/** Fields that follow from metrics and dimensions. */
export function muxFields(row: ViewRow, metrics: Readonly<Record<string, number | null>>): Fields {
  const { player_error_code: code } = row;
  const fields: Fields = {
    view_id: orNull(row.view_id),
    view_has_ad: row.view_has_ad === 'true',
    error_type_id: typeof code === 'string' && code !== '' ? errorId(code) : null,
    watched: metrics.started_views === 1,
  };
  for (const [name, id] of Object.entries(BY_METRIC)) fields[name] = orNull(metrics[id]);
  for (const [name, id] of Object.entries(BY_DIMENSION)) fields[name] = orNull(row[id]);
  for (const [name, id] of Object.entries(FLAGS)) fields[name] = metrics[id] === 1;
  return fields;
}

/** Fields that follow from stored figures. A live view has none of them yet. */
export function muxFigureFields(row: ViewRow): Fields {
  return {
    view_seek_count: orNull(row.seek_count),
    view_seek_duration: orNull(row.seek_ms),
    view_dropped_frame_count: orNull(row.dropped_frames),
    ad_attempt_count: orNull(row.ad_attempt_count),
    ad_impression_count: orNull(row.ad_impression_count),
    ad_break_count: orNull(row.ad_break_count),
    ad_error_count: orNull(row.ad_error_count),
    ad_exit_before_start_count: orNull(row.ad_exit_before_start_count),
  };
}
