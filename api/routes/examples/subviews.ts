/** Examples of answers about spans of views. */
import { type AnswerExample, THROUGH } from './envelope.ts';

const meta = {
  metric: 'playing_time',
  subview_type: 'rendition',
  unit: 'ms',
  aggregation: 'view_end',
  complete_through: THROUGH,
};
const group_by = ['video_source_height', 'video_source_codec'];

const values = [
  {
    breakdown_value: '1080 / avc1.640028',
    attributes: { video_source_height: '1080', video_source_codec: 'avc1.640028' },
    metric_value: 14_210_000,
  },
  {
    breakdown_value: ' / ',
    attributes: { video_source_height: '', video_source_codec: '' },
    metric_value: 22_000,
  },
];

export const overall: AnswerExample = { data: { metric_value: 14_232_000 }, rows: null, meta };

export const breakdown: AnswerExample = {
  data: values,
  rows: 2,
  meta: { ...meta, group_by },
};

export const comparison: AnswerExample = {
  data: [
    { dimension_value: 'SE', values },
    { dimension_value: 'NO', values: [] },
  ],
  rows: 2,
  meta: { ...meta, dimension: 'country', group_by },
};

export const series: AnswerExample = {
  data: [
    { date: '2026-01-01T00:00:00Z', status: 'complete', values },
    { date: '2026-01-01T01:00:00Z', status: 'partial', values: [] },
  ],
  rows: 2,
  meta: { ...meta, group_by, time_granularity: 'hour' },
};

export const names: AnswerExample = {
  data: {
    subview: ['video_source_bitrate', ...group_by],
    view: ['video_id', 'country', 'cdn'],
  },
  rows: null,
  meta: {},
};

export const dimensionValues: AnswerExample = {
  data: [
    { value: 'SE', playing_time: 9_100_000 },
    { value: '', playing_time: 5_132_000 },
  ],
  rows: 2,
  meta: { ...meta, dimension_name: 'country' },
};
