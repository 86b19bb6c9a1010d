/** Examples of single views: made from a row by the code that makes the answers, so that they have its fields. */
import { dimensions } from '../../../schemas/catalogue/dimensions.ts';
import { viewMetrics } from '../../../schemas/catalogue/metrics.ts';
import { metricColumn, type ViewRow } from '../../planner/video-views.ts';
import { listItem, viewDetail } from '../../views/view-answer.ts';
import { viewCost } from './cost.ts';
import { type AnswerExample, THROUGH } from './envelope.ts';

const START_MS = 1_767_258_000_000;
const END_MS = START_MS + 1_215_400;

/** What the view has; other dimensions are unknown, in other metrics it takes no part. */
const said: ViewRow = {
  view_id: '6e2fb550-c457-11e9-bb97-0800200c9a66',
  video_id: 'movie-1',
  video_title: 'A film',
  stream_type: 'on-demand',
  source_type: 'hls',
  player_software: 'hls.js',
  operating_system: 'Android',
  browser: 'Chrome',
  viewer_device_category: 'phone',
  country: 'SE',
  cdn: 'cdn-a',
};
const figures: Readonly<Record<string, number>> = {
  views: 1,
  started_views: 1,
  ended_views: 1,
  unique_viewers: 1,
  video_startup_time: 612,
  playback_failure_percentage: 0,
  video_startup_failure_percentage: 0,
  exits_before_video_start: 0,
  view_dropped_percentage: 0,
  playing_time: 1_210_000,
  watch_time: 1_215_400,
  rebuffer_count: 2,
  rebuffer_duration: 4_788,
  rebuffer_percentage: 0.00394,
  weighted_average_bitrate: 4_810_000,
  viewer_experience_score: 91.4,
};

const row: ViewRow = {
  ...Object.fromEntries(dimensions.map(({ name }) => [name, ''])),
  ...Object.fromEntries(
    viewMetrics.map((metric) => [metricColumn(metric), figures[metric.id] ?? null]),
  ),
  ...said,
  start_ms: START_MS,
  end_ms: END_MS,
  closed: 1,
  outcome: 'ended',
  source: 'cmcd',
  clock_skew_ms: -38,
  edge_request_count: 244,
  edge_bytes: 731_000_000,
  edge_error_count: 0,
  edge_bitrate_bit_ms: 5_820_100_000_000,
  edge_media_ms: 1_210_000,
  edge_starvation_count: 1,
  edge_startup_request_count: 3,
  edge_buffer_sum_ms: 4_880_000,
  edge_buffer_count: 244,
  edge_throughput_sum_kbps: 4_392_000,
  edge_throughput_count: 244,
  total_rows: 1,
};

const event = {
  viewer_time: START_MS + 612,
  client_at: new Date(START_MS + 612).toISOString(),
  event_time: START_MS + 574,
  at: new Date(START_MS + 574).toISOString(),
  playback_time: 0,
  name: 'ps',
  source: 'cmcd',
  lane: 'main',
  state: 'playing',
  taken: 'yes',
  seq: 1,
  details: { state: 'playing', playhead: 0 },
};

export const viewList: AnswerExample = {
  data: [listItem(row)],
  rows: 1,
  meta: { complete_through: THROUGH },
};

export const view: AnswerExample = {
  data: { ...viewDetail(row, undefined), cost: viewCost, events: [event] },
  rows: 1,
  meta: {
    complete_through: THROUGH,
    events: { page: 1, limit: 1_000, total_row_count: 1, next_page: null },
  },
};
