/** The example of a what-if answer. A test holds it against the schema that it stands at. */
import { moveCost } from './cost.ts';
import { type AnswerExample, THROUGH } from './envelope.ts';

const startup = { unit: 'ms', views_from: 11_720, views_to: 4_190 };
const share = { unit: 'fraction', views_from: 62, views_to: 31 };
const unknown = { would_be: null, delta: null, low: null, high: null };

export const whatIf: AnswerExample = {
  data: {
    from: 'cdn-a',
    to: 'cdn-b',
    share: 20,
    match: ['asn', 'country', 'viewer_device_category', 'stream_type'],
    slice: { views: 18_250, views_from: 12_400, views_to: 4_480 },
    moved: { views: 2_364 },
    supported_share: 0.953,
    quality: {
      rebuffer_percentage: {
        ...share,
        now: 0.00412,
        would_be: 0.00396,
        delta: -0.00016,
        low: -0.00028,
        high: -0.00003,
        views_from: 1_530,
        views_to: 498,
      },
      video_startup_time: {
        ...startup,
        now: 812.4,
        would_be: 798.1,
        delta: -14.3,
        low: -19.9,
        high: -8.6,
      },
      viewer_experience_score: {
        ...startup,
        unit: 'score',
        now: 88.21,
        would_be: 88.47,
        delta: 0.26,
        low: 0.12,
        high: 0.41,
      },
      video_startup_failure_percentage: {
        ...share,
        now: 0.0051,
        would_be: 0.0053,
        delta: 0.0002,
        low: -0.0003,
        high: 0.0008,
      },
      playback_failure_percentage: {
        ...share,
        now: 0.0074,
        would_be: 0.0075,
        delta: 0.0001,
        low: -0.0005,
        high: 0.0007,
        views_from: 90,
        views_to: 44,
      },
      exits_before_video_start: { ...share, ...unknown, now: 0.0006, views_from: 8, views_to: 2 },
    },
    cost: moveCost,
    refused: [
      {
        cell: {
          asn: '64512',
          country: 'SE',
          viewer_device_category: 'tv',
          stream_type: 'live',
        },
        views_from: 410,
        views_to: 11,
        reason: 'too_few_views_to',
      },
    ],
    refused_cells: 9,
  },
  rows: 1,
  meta: {
    aggregation: 'view_end',
    complete_through: THROUGH,
    completeness: 0.998,
    confidence: 0.95,
  },
};
