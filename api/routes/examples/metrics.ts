/** Examples of answers of figures, dimensions and errors. A test holds each against the schema that it stands at. */
import { errorId } from '../../views/error-id.ts';
import { type AnswerExample, THROUGH } from './envelope.ts';

const meta = {
  unit: 'ms',
  measurement: 'median',
  aggregation: 'view_end',
  complete_through: THROUGH,
  completeness: 0.998,
};

export const overall: AnswerExample = {
  data: {
    value: 612,
    total_views: 18_250,
    total_playing_time: 21_900_000_000,
    total_watch_time: 22_460_000_000,
    global_value: 640,
  },
  rows: 1,
  meta,
};

export const timeseries: AnswerExample = {
  data: [
    ['2026-01-01T00:00:00Z', 598, 760],
    ['2026-01-01T01:00:00Z', null, 0],
    ['2026-01-01T02:00:00Z', 631, 812],
  ],
  rows: 3,
  meta: { ...meta, granularity: 'hour' },
};

export const breakdown: AnswerExample = {
  data: [
    {
      field: 'SE',
      value: 580,
      views: 11_020,
      total_playing_time: 13_300_000_000,
      total_watch_time: 13_620_000_000,
      negative_impact: -48.3,
    },
    {
      field: '',
      value: 702,
      views: 310,
      total_playing_time: 290_000_000,
      total_watch_time: 301_000_000,
      negative_impact: 1.5,
    },
  ],
  rows: 2,
  meta,
};

export const insights: AnswerExample = {
  data: [
    {
      filter_column: 'cdn',
      filter_value: 'cdn-b',
      metric: 940,
      negative_impact_score: 61.2,
      total_views: 3_400,
      total_playing_time: 3_900_000_000,
      total_watch_time: 4_080_000_000,
    },
  ],
  rows: 1,
  meta,
};

/** Values of the example of a comparison by metric, or by metric and measure. What is not here has no value. */
export const comparisonValues: Readonly<Record<string, number>> = {
  views: 18_310,
  unique_viewers: 9_140,
  started_views: 18_020,
  ended_views: 18_250,
  playing_time: 21_900_000_000,
  watch_time: 22_460_000_000,
  viewer_experience_score: 91.4,
  report_completeness: 0.998,
  playback_success_score: 98.2,
  playback_failure_percentage: 0.004,
  video_startup_failure_percentage: 0.003,
  exits_before_video_start: 0.011,
  view_dropped_percentage: 0.002,
};

export const dimensionNames: AnswerExample = {
  data: { basic: ['video_id', 'country', 'cdn'], advanced: ['video_title', 'region'] },
  rows: 5,
  meta: {},
};

export const dimensionValues: AnswerExample = {
  data: [
    { value: 'SE', total_count: 11_060 },
    { value: '', total_count: 312 },
  ],
  rows: 2,
  meta: { aggregation: 'view_start', complete_through: THROUGH },
};

export const errors: AnswerExample = {
  data: [
    {
      id: errorId('manifestLoadError'),
      code: null,
      player_error_code: 'manifestLoadError',
      message: 'The manifest was answered with 503',
      description: null,
      notes: null,
      count: 41,
      percentage: 0.0022,
      last_seen: '2026-01-01T21:14:05.220Z',
    },
  ],
  rows: 1,
  meta: { aggregation: 'view_end', complete_through: THROUGH },
};
