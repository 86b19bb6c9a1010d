/**
 * The metrics of both sides: where the time of a request went that its player and its edge both tell of, and which hop is
 * to blame where it was slow or failed. docs/delivery.md has the rules.
 */
import type { DeliveryUnit } from './delivery-metrics.ts';
import type { Measure } from './metric.ts';

/** The hops that a request's time is divided into. */
export const HOPS = ['network', 'edge', 'origin'] as const;
export type Hop = (typeof HOPS)[number];

/** Columns of a request as both sides tell of it: 1 or 0, and times. */
export type SideColumn =
  | 'judged'
  | 'paired'
  | 'affected'
  | `blamed_${Hop}`
  | `${Hop}_ms`
  | `has_${Hop}`;

export interface SideMetric {
  readonly id: string;
  readonly title: string;
  readonly definition: string;
  readonly unit: DeliveryUnit;
  readonly good: 'low' | 'high' | 'none';
  readonly defaultMeasure: Measure;
  readonly measures: readonly Measure[];
  /** `sum`, and what `ratio` and `avg` divide. */
  readonly top: SideColumn;
  readonly bottom: SideColumn;
  /** `count`. */
  readonly count: SideColumn;
  /** Column of percentiles, over requests that have it. */
  readonly value?: `${Hop}_ms`;
}

const hopTitles: Readonly<Record<Hop, string>> = {
  network: 'Network',
  edge: 'Edge',
  origin: 'Origin',
};
const hopTimes: Readonly<Record<Hop, string>> = {
  network: 'Total time of the player without what edge and origin took.',
  edge: 'Time to first byte at the edge without the wait for the origin.',
  origin: 'Wait for the origin; 0 where the cache had the object.',
};

const times = HOPS.map(
  (hop): SideMetric => ({
    id: `${hop}_time`,
    title: `${hopTitles[hop]} time`,
    definition: hopTimes[hop],
    unit: 'ms',
    good: 'low',
    defaultMeasure: 'avg',
    measures: ['5th', '25th', 'median', '75th', '90th', '95th', '99th', 'avg', 'count'],
    top: `${hop}_ms`,
    bottom: `has_${hop}`,
    count: `has_${hop}`,
    value: `${hop}_ms`,
  }),
);

const blames = HOPS.map(
  (hop): SideMetric => ({
    id: `blame_${hop}_percentage`,
    title: `${hopTitles[hop]} to blame`,
    definition: `Share of the affected requests of which the ${hop} is to blame.`,
    unit: 'fraction',
    good: 'none',
    defaultMeasure: 'ratio',
    measures: ['avg', 'count', 'sum', 'ratio'],
    top: `blamed_${hop}`,
    bottom: 'affected',
    count: 'affected',
  }),
);

export const sideMetrics: readonly SideMetric[] = [
  {
    id: 'paired_requests',
    title: 'Paired requests',
    definition: 'Requests that the player and the edge both tell of.',
    unit: 'count',
    good: 'none',
    defaultMeasure: 'count',
    measures: ['count'],
    top: 'paired',
    bottom: 'judged',
    count: 'paired',
  },
  {
    id: 'affected_requests',
    title: 'Affected requests',
    definition: 'Requests that failed, or were slow beyond what is normal.',
    unit: 'count',
    good: 'low',
    defaultMeasure: 'count',
    measures: ['count'],
    top: 'affected',
    bottom: 'judged',
    count: 'affected',
  },
  {
    id: 'affected_percentage',
    title: 'Affected share',
    definition: 'Affected requests over requests that could be judged.',
    unit: 'fraction',
    good: 'low',
    defaultMeasure: 'ratio',
    measures: ['avg', 'count', 'sum', 'ratio'],
    top: 'affected',
    bottom: 'judged',
    count: 'judged',
  },
  ...times,
  ...blames,
];
