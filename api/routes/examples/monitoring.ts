/** Examples of answers about windows of 5 s. */
import { type AnswerExample, THROUGH } from './envelope.ts';

const meta = {
  unit: 'bit/s',
  complete_through: THROUGH,
  source: 'playback_5s',
  gauge_from: null,
  gauge_through: null,
};
const first = '2026-01-01T00:00:00Z';
const second = '2026-01-01T00:00:05Z';

export const series: AnswerExample = {
  data: [
    { date: first, value: 4_810_000, concurrent_viewers: 212 },
    { date: second, value: null, concurrent_viewers: 0 },
  ],
  rows: 2,
  meta: { ...meta, granularity: 'five_seconds' },
};

const sweden = {
  value: 'SE',
  metric_value: 4_920_000,
  concurrent_viewers: 130,
  starting_up_viewers: 4,
};
const unknown = {
  value: '',
  metric_value: null,
  concurrent_viewers: 1,
  starting_up_viewers: 1,
};

export const breakdown: AnswerExample = {
  data: [
    { ...sweden, display_value: 'Sweden', negative_impact: -68_000 },
    { ...unknown, display_value: '', negative_impact: 0 },
  ],
  rows: 2,
  meta,
};

export const breakdownSeries: AnswerExample = {
  data: [
    { date: first, values: [sweden, unknown] },
    { date: second, values: [] },
  ],
  rows: 2,
  meta: { ...meta, granularity: 'five_seconds' },
};

export const histogram: AnswerExample = {
  data: [
    {
      timestamp: first,
      sum: 40,
      median: 4_800_000,
      p95: 7_900_000,
      average: 4_700_000,
      max_percentage: 0.75,
      bucket_values: [
        { count: 10, percentage: 0.25 },
        { count: 30, percentage: 0.75 },
      ],
    },
  ],
  rows: 1,
  meta: {
    ...meta,
    granularity: 'five_seconds',
    bucket_unit: 'bits_per_second',
    buckets: [
      { start: 0, end: 4_000_000 },
      { start: 4_000_000, end: null },
    ],
    counts: 'ms of playing time',
  },
};
