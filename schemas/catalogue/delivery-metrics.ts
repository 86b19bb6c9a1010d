/**
 * The delivery metrics: what was delivered, as edge logs or players tell of it. Read from `delivery_5s` or, for questions
 * about what no window carries, from `requests`: the same sums, over the requests of either.
 *
 * Declared once; SQL, validation and documentation come from here.
 */
import type { deliverySketches, deliverySums } from '../tables/delivery.ts';
import type { Measure, Unit } from './metric.ts';

export type DeliverySum = (typeof deliverySums)[number]['name'];
export type DeliverySketch = (typeof deliverySketches)[number]['name'];
export type DeliveryUnit = Unit | 'bytes' | 's';

export interface DeliveryMetric {
  readonly id: string;
  readonly title: string;
  readonly definition: string;
  readonly unit: DeliveryUnit;
  readonly good: 'low' | 'high' | 'none';
  readonly defaultMeasure: Measure;
  /** The measures that it has. */
  readonly measures: readonly Measure[];
  /** `sum` is these added up, over `scale`. */
  readonly top: readonly DeliverySum[];
  /** What `ratio` and `avg` divide `top` by. */
  readonly bottom: DeliverySum;
  /** What `ratio` and `avg` are multiplied by. */
  readonly factor: number;
  readonly scale: number;
  /** `count`: the requests that take part. */
  readonly count: DeliverySum;
  /** Percentiles: from this sketch of windows, or exactly from its column of requests. */
  readonly sketch?: DeliverySketch;
  /** True: only edge logs can tell. */
  readonly edgeOnly: boolean;
}

type Entry = Pick<DeliveryMetric, 'id' | 'title' | 'definition' | 'top'> & Partial<DeliveryMetric>;

function metric(entry: Entry, defaults: Partial<DeliveryMetric>): DeliveryMetric {
  return {
    unit: 'count',
    good: 'low',
    defaultMeasure: 'sum',
    measures: ['sum'],
    bottom: 'requests',
    factor: 1,
    scale: 1,
    count: 'requests',
    edgeOnly: false,
    ...defaults,
    ...entry,
  };
}

/** A share, of the requests that take part or of their bytes. */
const share = (entry: Entry): DeliveryMetric =>
  metric(entry, {
    unit: 'fraction',
    defaultMeasure: 'ratio',
    measures: ['avg', 'count', 'ratio'],
  });

/** Requests of a kind: their number, and the mean over all requests. */
const tally = (entry: Entry): DeliveryMetric =>
  metric(entry, { measures: ['avg', 'count', 'sum'] });

const duration = (entry: Entry & { readonly sketch: DeliverySketch }): DeliveryMetric =>
  metric(entry, {
    unit: 'ms',
    defaultMeasure: 'median',
    measures: ['5th', '25th', 'median', '75th', '90th', '95th', '99th', 'avg', 'count'],
  });

/** A rate: a sum over another, which is not a number of requests. */
const rate = (entry: Entry): DeliveryMetric =>
  metric(entry, {
    unit: 'bit/s',
    good: 'high',
    defaultMeasure: 'ratio',
    measures: ['avg', 'ratio'],
  });

export const deliveryMetrics: readonly DeliveryMetric[] = [
  metric(
    {
      id: 'requests',
      title: 'Requests',
      definition: 'Requests that the source tells of.',
      top: ['requests'],
    },
    { good: 'none', defaultMeasure: 'count', measures: ['count'] },
  ),
  metric(
    {
      id: 'bytes',
      title: 'Bytes',
      definition: 'Bytes sent, as edges count them; received, as players do.',
      top: ['bytes'],
      bottom: 'sized_requests',
      count: 'sized_requests',
    },
    { unit: 'bytes', good: 'none', measures: ['avg', 'count', 'sum'] },
  ),
  share({
    id: 'hit_ratio',
    title: 'Hit ratio, by bytes',
    definition:
      'Bytes that the cache had (hit, stale, revalidated) over bytes of known cache status.',
    good: 'high',
    top: ['hit_bytes'],
    bottom: 'cache_bytes',
    count: 'cache_requests',
    edgeOnly: true,
  }),
  share({
    id: 'request_hit_ratio',
    title: 'Hit ratio, by requests',
    definition: 'Requests that the cache answered over requests of known cache status.',
    good: 'high',
    top: ['hit_requests'],
    bottom: 'cache_requests',
    count: 'cache_requests',
    edgeOnly: true,
  }),
  duration({
    id: 'ttfb',
    title: 'Time to first byte',
    definition: 'From the request to the first byte, of requests that succeeded.',
    top: ['ttfb_sum_ms'],
    bottom: 'ttfb_count',
    count: 'ttfb_count',
    sketch: 'ttfb_sketch',
  }),
  duration({
    id: 'total_time',
    title: 'Total time',
    definition: 'From the request to the last byte, of requests that succeeded.',
    top: ['total_sum_ms'],
    bottom: 'total_count',
    count: 'total_count',
    sketch: 'total_sketch',
  }),
  rate({
    id: 'throughput',
    title: 'Throughput',
    definition: 'Bits of requests that succeeded over their time to last byte.',
    top: ['transfer_bytes'],
    bottom: 'transfer_ms',
    factor: 8_000,
  }),
  share({
    id: 'error_percentage',
    title: 'Errors',
    definition: 'Share of requests with a status of 400 and above.',
    top: ['client_errors', 'server_errors'],
  }),
  share({
    id: 'client_error_percentage',
    title: 'Client errors',
    definition: 'Share of requests with a status from 400 to 499.',
    top: ['client_errors'],
  }),
  share({
    id: 'server_error_percentage',
    title: 'Server errors',
    definition: 'Share of requests with a status of 500 and above.',
    top: ['server_errors'],
  }),
  tally({
    id: 'unanswered',
    title: 'Unanswered requests',
    definition: 'Requests without an answer.',
    top: ['unanswered'],
  }),
  tally({
    id: 'aborted',
    title: 'Aborted requests',
    definition: 'Requests that the client broke off, as the edge saw it.',
    top: ['aborted'],
    edgeOnly: true,
  }),
  duration({
    id: 'origin_latency',
    title: 'Origin latency',
    definition: 'Time that the edge waited for the origin, of requests that succeeded.',
    top: ['origin_sum_ms'],
    bottom: 'origin_count',
    count: 'origin_count',
    sketch: 'origin_sketch',
    edgeOnly: true,
  }),
  metric(
    {
      id: 'origin_bytes',
      title: 'Origin bytes',
      definition: 'Bytes that the cache did not have (miss, bypass).',
      top: ['origin_bytes'],
    },
    { unit: 'bytes', edgeOnly: true },
  ),
  metric(
    {
      id: 'media_seconds',
      title: 'Media delivered',
      definition: 'Media time of the pictures requested: CMCD `d`.',
      top: ['media_ms'],
      scale: 1_000,
    },
    { unit: 's', good: 'none', edgeOnly: true },
  ),
  rate({
    id: 'edge_bitrate',
    title: 'Bitrate at the edge',
    definition: 'CMCD `br` weighed by `d`: bits of the pictures requested over their media time.',
    top: ['bitrate_bit_ms'],
    bottom: 'bitrate_known_ms',
    edgeOnly: true,
  }),
  tally({
    id: 'starvation_count',
    title: 'Starved requests',
    definition: 'Requests by a player whose buffer had run dry: CMCD `bs`.',
    top: ['starvation_count'],
    edgeOnly: true,
  }),
  tally({
    id: 'startup_requests',
    title: 'Startup requests',
    definition: 'Requests to start, to seek or to recover: CMCD `su`.',
    good: 'none',
    top: ['startup_request_count'],
    edgeOnly: true,
  }),
];
