/** Examples of answers of cost. */
import { type AnswerExample, THROUGH } from './envelope.ts';

const meta = {
  source: 'edge',
  currency: 'EUR',
  price_book: { contracts: 4, valid_from: '2026-01-01', valid_to: null },
  unpriced: [
    {
      cdn: 'cdn-c',
      month: '2026-01',
      reason: 'cdn_unknown',
      bytes: 1_200_000_000,
      requests: 610,
      origin_bytes: 0,
    },
  ],
  unaccounted_bytes: 0,
  complete_through: THROUGH,
};

const figures = {
  cost: '812.402113',
  cost_by_kind: { bytes: '790.113402', requests: '14.209711', origin_egress: '8.079000' },
  bytes: 12_400_000_000_000,
  requests: 18_946_280,
  origin_bytes: 403_950_000_000,
  unpriced: { bytes: 1_200_000_000, requests: 610, origin_bytes: 0 },
  views: 18_310,
  playing_time: 21_900_000_000,
  watched_hours: 6_083.333333333333,
  cost_per_watched_hour: '0.133546',
  cost_per_view: '0.044369',
  cost_per_gigabyte: '0.065516',
};

const waste = {
  unplayed: { bytes: 901_000_000_000, cost: '57.410026', coverage: 0.91 },
  oversized: { bytes: 310_000_000_000, cost: '19.752835', coverage: 0.64 },
};

const line = { cdn: 'cdn-a', region: 'europe', month: '2026-01', contract: 0 };

export const overall: AnswerExample = {
  data: {
    ...figures,
    waste,
    lines: [
      { ...line, kind: 'bytes', tier: 0, quantity: 10_000_000_000_000, cost: '650.000000' },
      { ...line, kind: 'bytes', tier: 1, quantity: 2_398_800_000_000, cost: '140.113402' },
      { ...line, kind: 'requests', tier: null, quantity: 18_945_670, cost: '14.209711' },
      { ...line, kind: 'origin_egress', tier: null, quantity: 403_950_000_000, cost: '8.079000' },
    ],
    months_cost: '25184.465503',
    forecast: {
      month: '2026-01',
      as_of: '2026-01-02T00:00:00.000Z',
      cost_so_far: '812.402113',
      cost_expected: '21408.930127',
      basis: [{ cdn: 'cdn-a', method: 'mean', days: 1 }],
      tier_crossings: [
        {
          cdn: 'cdn-a',
          region: 'europe',
          contract: 0,
          tier: 1,
          from_bytes: 10_000_000_000_000,
          day: '2026-01-01',
          state: 'reached',
        },
      ],
    },
  },
  rows: 1,
  meta,
};

export const timeseries: AnswerExample = {
  data: [{ at: '2026-01-01T00:00:00.000Z', ...figures }],
  rows: 1,
  meta: { ...meta, granularity: 'day' },
};

export const breakdown: AnswerExample = {
  data: [
    {
      field: 'cdn-a',
      ...figures,
      waste,
      quality: {
        rebuffer_percentage: 0.0041,
        video_startup_time: 612,
        viewer_experience_score: 91.4,
        ttfb: 38.2,
        hit_ratio: 0.967,
        error_percentage: 0.0008,
      },
    },
  ],
  rows: 1,
  meta,
};

/** Of one view. */
export const viewCost = {
  amount: '0.041204',
  currency: 'EUR',
  source: 'edge',
  bytes: 731_000_000,
  requests: 244,
  origin_bytes: 12_000_000,
  unpriced: { bytes: 0, requests: 0, origin_bytes: 0 },
};

/** Of a move between CDNs. */
export const moveCost = {
  source: 'edge',
  currency: 'EUR',
  share_moved: 0.18,
  delta: '-61.330218',
  months_cost: '25184.465503',
  months_cost_after: '25123.135285',
  moved: { bytes: 904_000_000_000, requests: 1_381_200, origin_bytes: 29_400_000_000 },
  unpriced_before: [],
  unpriced_after: [],
};
