/** Examples of answers along the content of a video: 20 s of it, in buckets of 5 s. */
import { type AnswerExample, THROUGH } from './envelope.ts';

const meta = {
  aggregation: 'view_end',
  complete_through: THROUGH,
  content_ms: 20_000,
  bucket_count: 4,
};
const views = { total_views: 420 };

export const heatmap: AnswerExample = {
  data: { ...views, value: [0.98, 0.91, 0.64, 0.6] },
  rows: null,
  meta,
};

export const hotspots: AnswerExample = {
  data: { ...views, hotspots: [{ start_ms: 0, end_ms: 10_000, score: 0.945 }] },
  rows: null,
  meta,
};

const calm = {
  rebuffer_duration: 0,
  rebuffer_count: 0,
  downswitch_count: 0,
  error_count: 0,
  exit_count: 0,
};

export const quality: AnswerExample = {
  data: {
    ...views,
    buckets: [
      { ...calm, start_ms: 0, end_ms: 5_000, exit_count: 12 },
      { ...calm, start_ms: 5_000, end_ms: 10_000, downswitch_count: 3 },
      {
        start_ms: 10_000,
        end_ms: 15_000,
        rebuffer_duration: 8_420,
        rebuffer_count: 9,
        downswitch_count: 31,
        error_count: 1,
        exit_count: 88,
      },
      { ...calm, start_ms: 15_000, end_ms: 20_000, exit_count: 4 },
    ],
    unplaced: { rebuffer_duration: 640, rebuffer_count: 1, error_count: 0, exit_count: 2 },
  },
  rows: null,
  meta,
};
