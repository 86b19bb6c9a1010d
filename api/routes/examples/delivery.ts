/** Examples of answers about delivery. A test holds each against the schema that it stands at. */
import { type AnswerExample, THROUGH } from './envelope.ts';

const meta = {
  unit: 'ms',
  measurement: '95th',
  source: 'edge',
  table: 'delivery_5s',
  percentiles: 'sketch',
  complete_through: THROUGH,
};

export const overall: AnswerExample = {
  data: {
    value: 184.2,
    total_requests: 1_204_110,
    total_bytes: 1_310_441_020_112,
    global_value: 171.6,
  },
  rows: 1,
  meta,
};

export const timeseries: AnswerExample = {
  data: [
    ['2026-01-01T00:00:00Z', 180.7, 50_412],
    ['2026-01-01T01:00:00Z', null, 0],
  ],
  rows: 2,
  meta: { ...meta, granularity: 'hour' },
};

export const breakdown: AnswerExample = {
  data: [
    {
      field: 'cdn-a',
      value: 0.962,
      total_requests: 802_300,
      total_bytes: 881_220_100_004,
      negative_impact: -0.021,
    },
    {
      field: 'cdn-b',
      value: 0.884,
      total_requests: 401_810,
      total_bytes: 429_220_920_108,
      negative_impact: 0.026,
    },
  ],
  rows: 2,
  meta: {
    unit: 'fraction',
    measurement: 'ratio',
    source: 'edge',
    table: 'delivery_5s',
    complete_through: THROUGH,
  },
};

const both = { source: 'both', table: 'requests', complete_through: THROUGH };

export const blame: AnswerExample = {
  data: [
    {
      field: 'cdn-b',
      requests: 120_410,
      paired_requests: 118_900,
      cmsd_requests: 1_480,
      affected_requests: 6_020,
      affected_percentage: 0.05,
      blame_network_percentage: 0.11,
      blame_edge_percentage: 0.04,
      blame_origin_percentage: 0.85,
      network_time: 212.4,
      edge_time: 3.1,
      origin_time: 140.9,
    },
  ],
  rows: 1,
  meta: both,
};

export const affected: AnswerExample = {
  data: [
    {
      view_id: 'b1946ac9-2b6a-4f0e-9d0e-3c1f7a0c5d11',
      at: '2026-01-01T21:14:05.220Z',
      object_type: 'segment',
      cdn: 'cdn-b',
      asn: '64500',
      status: 200,
      edge_status: 200,
      bytes: 612_000,
      total_time: 2_410,
      expected_time: 240.5,
      network_time: 190,
      edge_time: 2,
      origin_time: 2_218,
      split_by: 'edge',
      blamed: 'origin',
    },
  ],
  rows: 1,
  meta: both,
};

export const dimensions: AnswerExample = {
  data: { basic: ['object_type', 'cdn'], advanced: ['cache', 'video_title'] },
  rows: 4,
  meta: {},
};
