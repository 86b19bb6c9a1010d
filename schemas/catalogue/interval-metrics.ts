/**
 * The interval metrics: what happened in each 5 s of event time, whatever becomes of the view. Read from `playback_5s`
 * and, for windows not yet complete, from `viewers_now`.
 */
import type { Unit } from './metric.ts';

/** A distribution: where its sketch is, and how it is shown as a histogram. */
export interface IntervalSketch {
  /** Column of `playback_5s`. */
  readonly column: string;
  /** What the sketch's values are multiplied by for the answer. */
  readonly factor: number;
  /** What the sketch counts. */
  readonly counts: 'views' | 'requests' | 'ms of playing time';
  /** Begin of each bar of the histogram, in answer units; the last bar has no end. */
  readonly bars: readonly number[];
}

export interface IntervalMetric {
  readonly id: string;
  readonly title: string;
  readonly definition: string;
  readonly unit: Unit;
  readonly good: 'low' | 'high' | 'none';
  /** Answer over summed columns of `playback_5s`, as SQL; null when nothing is known. Empty: the sketch's median. */
  readonly value: string;
  /** Where windows are joined: sums are divided anew, the largest window stands for all, or the mean of all windows. */
  readonly joined: 'sums' | 'peak' | 'mean';
  /**
   * True where `viewers_now` can tell the value of a window that is still filling: its counts stand for the window's
   * viewers, and for their time in each state.
   */
  readonly now: boolean;
  /** Views (or viewers) behind the value, as SQL over sums. */
  readonly weight: string;
  /** What percentiles and histograms come from. */
  readonly sketch?: IntervalSketch;
}

function ratio(numerator: string, denominator: string): string {
  return `if(sum(${denominator}) > 0, sum(${numerator}) / sum(${denominator}), NULL)`;
}

export const intervalMetrics: readonly IntervalMetric[] = [
  {
    id: 'current-concurrent-viewers',
    title: 'Concurrent viewers',
    definition:
      'Views starting, playing, rebuffering or seeking at any time in the window; the peak over joined windows.',
    unit: 'count',
    good: 'high',
    value: 'sum(viewers)',
    joined: 'peak',
    now: true,
    weight: 'sum(viewers)',
  },
  {
    id: 'current-average-concurrent-viewers',
    title: 'Average concurrency',
    definition: 'Viewing time over the length of the window; the mean over joined windows.',
    unit: 'count',
    good: 'high',
    value: 'sum(viewing_ms) / 5000',
    joined: 'mean',
    now: true,
    weight: 'sum(viewers)',
  },
  {
    id: 'current-starting-viewers',
    title: 'Viewers starting up',
    definition: 'Views starting at any time in the window; the peak over joined windows.',
    unit: 'count',
    good: 'none',
    value: 'sum(starting_viewers)',
    joined: 'peak',
    now: true,
    weight: 'sum(viewers)',
  },
  {
    id: 'current-rebuffering-percentage',
    title: 'Rebuffering percentage',
    definition: 'Rebuffering time over playing and rebuffering time.',
    unit: 'fraction',
    good: 'low',
    value:
      'if(sum(playing_ms) + sum(rebuffer_ms) > 0, sum(rebuffer_ms) / (sum(playing_ms) + sum(rebuffer_ms)), NULL)',
    joined: 'sums',
    now: true,
    weight: 'sum(viewers)',
  },
  {
    id: 'current-rebuffer-starts',
    title: 'Rebuffer events',
    definition: 'Rebuffer events that began in the window.',
    unit: 'count',
    good: 'low',
    value: 'sum(rebuffer_starts)',
    joined: 'sums',
    now: false,
    weight: 'sum(viewers)',
  },
  {
    id: 'current-average-bitrate',
    title: 'Average bitrate',
    definition: 'Bits shown over playing time with known bitrate.',
    unit: 'bit/s',
    good: 'high',
    value: ratio('bitrate_bit_ms', 'bitrate_known_ms'),
    joined: 'sums',
    now: false,
    weight: 'sum(viewers)',
    sketch: {
      column: 'bitrate_sketch',
      factor: 1_000,
      counts: 'ms of playing time',
      bars: [0, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000, 8_000_000, 12_000_000],
    },
  },
  {
    id: 'exits-before-video-start',
    title: 'Exits before video start',
    definition:
      'Views that ended without playing and without a failure, over views that began to play or ended in the window.',
    unit: 'fraction',
    good: 'low',
    value: ratio('exits_before_start', 'views_decided'),
    joined: 'sums',
    now: false,
    weight: 'sum(views_decided)',
  },
  {
    id: 'video-startup-failure-percentage',
    title: 'Video startup failures',
    definition:
      'Views that failed before playing, over views that began to play or ended in the window.',
    unit: 'fraction',
    good: 'low',
    value: ratio('startup_failures', 'views_decided'),
    joined: 'sums',
    now: false,
    weight: 'sum(views_decided)',
  },
  {
    id: 'playback-failure-percentage',
    title: 'Playback failures',
    definition: 'Views that failed, over views that began to play or ended in the window.',
    unit: 'fraction',
    good: 'low',
    value: ratio('failures', 'views_decided'),
    joined: 'sums',
    now: false,
    weight: 'sum(views_decided)',
  },
  {
    id: 'video-startup-time',
    title: 'Video startup time',
    definition: 'Median startup time of the views that began to play in the window.',
    unit: 'ms',
    good: 'low',
    value: '',
    joined: 'sums',
    now: false,
    weight: 'sum(views_started)',
    sketch: {
      column: 'startup_sketch',
      factor: 1,
      counts: 'views',
      bars: [0, 100, 500, 1_000, 2_000, 5_000, 10_000, 15_000],
    },
  },
  {
    id: 'live-stream-latency',
    title: 'Live stream latency',
    definition: 'Distance to the live edge, weighed by playing time.',
    unit: 'ms',
    good: 'low',
    value: ratio('latency_ms_ms', 'latency_known_ms'),
    joined: 'sums',
    now: false,
    weight: 'sum(viewers)',
    sketch: {
      column: 'latency_sketch',
      factor: 1,
      counts: 'ms of playing time',
      bars: [0, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000],
    },
  },
  {
    id: 'request-latency',
    title: 'Request latency',
    definition: 'Median time to first byte of media requests that succeeded.',
    unit: 'ms',
    good: 'low',
    value: '',
    joined: 'sums',
    now: false,
    weight: 'sum(viewers)',
    sketch: {
      column: 'ttfb_sketch',
      factor: 1,
      counts: 'requests',
      bars: [0, 25, 50, 100, 200, 400, 800, 1_600],
    },
  },
];

const byId = new Map(intervalMetrics.map((metric) => [metric.id, metric]));

/** The metric of an id; undefined when there is none. */
export function findIntervalMetric(id: string): IntervalMetric | undefined {
  return byId.get(id);
}
