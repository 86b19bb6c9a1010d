/** The figures that the page leads with. Titles, units and definitions are the catalogue's; the short names are ours. */
import { dimensions } from '../../../schemas/catalogue/dimensions.ts';
import {
  findIntervalMetric,
  type IntervalMetric,
  intervalMetrics,
} from '../../../schemas/catalogue/interval-metrics.ts';

/** Length of the windows that a point joins. */
export type Step = 'five_seconds' | 'minute';
export const stepMs: Readonly<Record<Step, number>> = { five_seconds: 5_000, minute: 60_000 };

export interface Tile {
  readonly metric: IntervalMetric;
  readonly short: string;
}

const SHORT: Readonly<Record<string, string>> = {
  'current-concurrent-viewers': 'Viewers',
  'current-rebuffering-percentage': 'Rebuffering',
  'video-startup-time': 'Startup time',
  'current-average-bitrate': 'Bitrate',
  'playback-failure-percentage': 'Failures',
  'live-stream-latency': 'Live latency',
};

export const tiles: readonly Tile[] = Object.entries(SHORT).flatMap(([id, short]) => {
  const metric = findIntervalMetric(id);
  return metric === undefined ? [] : [{ metric, short }];
});

/** The metric of an id; the first of the catalogue when there is none. */
export function metricOf(id: string): IntervalMetric {
  const metric = findIntervalMetric(id) ?? intervalMetrics[0];
  if (metric === undefined) throw new Error('the catalogue has no interval metric');
  return metric;
}

/** True: the scale of a chart begins at 0, because the size itself speaks. */
export const fromZero = ({ unit }: IntervalMetric): boolean => unit !== 'bit/s';

const interval: ReadonlySet<string> = new Set(
  dimensions.filter((dimension) => dimension.interval).map(({ name }) => name),
);

/** True where interval figures carry the dimension; views carry all. */
export const isInterval = (dimension: string): boolean => interval.has(dimension);

const titles = new Map(dimensions.map(({ name, title }) => [name, title]));
export const dimensionTitle = (name: string): string => titles.get(name) ?? name;

const countries = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' });

/** A dimension's value to read: the unknown one has a word, and countries have names. */
export function valueTitle(dimension: string, value: string): string {
  if (value === '') return 'unknown';
  return dimension === 'country' && /^[A-Z]{2}$/.test(value)
    ? (countries.of(value) ?? value)
    : value;
}

/**
 * How long the windows of a metric's points are. Startups and ends are few: five seconds of them say little, a minute
 * of them something.
 */
export const stepOf = ({ weight }: IntervalMetric): Step =>
  /viewers|bytes/.test(weight) ? 'five_seconds' : 'minute';
