/**
 * The columns of the scoreboard, its rows, their order, and the best and worst of each column.
 *
 * Guarantee: amounts of money are compared as whole millionths. A value that hardly anybody saw is neither best nor
 * worst: it would nearly always be one of both.
 */
import type { Unit } from '../../../schemas/catalogue/metric.ts';
import type { CostRow } from '../api/cost.ts';
import { microsOf } from '../figures/money.ts';
import type { CostColumn, CostPage } from '../state/cost-route.ts';

export interface ScoreColumn {
  readonly id: CostColumn;
  readonly title: string;
  readonly hint: string;
  /** Money has no unit of the catalogue. */
  readonly unit: Unit | 'money';
  /** What is best; undefined where neither is: more traffic costs more. */
  readonly good?: 'low' | 'high';
}

export const scoreColumns: readonly ScoreColumn[] = [
  { id: 'cost', title: 'Cost', hint: 'Share of the bills', unit: 'money' },
  {
    id: 'hourly',
    title: 'Per watched hour',
    hint: 'Cost of an hour of playing time',
    unit: 'money',
    good: 'low',
  },
  { id: 'share', title: 'Bytes', hint: 'Share of the delivered bytes', unit: 'fraction' },
  {
    id: 'rebuffering',
    title: 'Rebuffering',
    hint: 'Of views that ended',
    unit: 'fraction',
    good: 'low',
  },
  {
    id: 'startup',
    title: 'Startup',
    hint: 'Median of views that ended',
    unit: 'ms',
    good: 'low',
  },
  {
    id: 'ttfb',
    title: 'TTFB',
    hint: 'Median time to first byte, as the edge measured it',
    unit: 'ms',
    good: 'low',
  },
  {
    id: 'hits',
    title: 'Hit ratio',
    hint: 'Bytes that the cache had over bytes of known cache status',
    unit: 'fraction',
    good: 'high',
  },
  {
    id: 'errors',
    title: 'Errors',
    hint: 'Requests with a status of 400 and above',
    unit: 'fraction',
    good: 'low',
  },
];

/** Without a price book there is no money. */
export const columnsFor = (priced: boolean): readonly ScoreColumn[] =>
  scoreColumns.filter(({ unit }) => priced || unit !== 'money');

export interface ScoreRow {
  /** Value of the dimension; empty when unknown. */
  readonly name: string;
  /** Decimals in text; null where there are none. */
  readonly money: Readonly<Record<'cost' | 'hourly', string | null>>;
  /** To compare by: millionths of money. */
  readonly values: Readonly<Record<CostColumn, number | bigint | null>>;
}

export const NO_QUALITY = {
  rebuffer_percentage: null,
  video_startup_time: null,
  ttfb: null,
  hit_ratio: null,
  error_percentage: null,
} as const;
export type ScoreQuality = { readonly [Name in keyof typeof NO_QUALITY]: number | null };

/** `bytesAll`: those of all rows. */
export function scoreRow(row: CostRow, bytesAll: number): ScoreRow {
  const { field, cost, cost_per_watched_hour: hourly, bytes, quality } = row;
  return rowOf(
    { name: field, share: bytesAll > 0 ? bytes / bytesAll : null, cost, hourly },
    quality ?? NO_QUALITY,
  );
}

interface Named {
  readonly name: string;
  readonly share: number | null;
  readonly cost: string | null;
  readonly hourly: string | null;
}

export const rowOf = ({ name, share, cost, hourly }: Named, quality: ScoreQuality): ScoreRow => ({
  name,
  money: { cost, hourly },
  values: {
    cost: microsOf(cost ?? '') ?? null,
    hourly: microsOf(hourly ?? '') ?? null,
    share,
    rebuffering: quality.rebuffer_percentage,
    startup: quality.video_startup_time,
    ttfb: quality.ttfb,
    hits: quality.hit_ratio,
    errors: quality.error_percentage,
  },
});

/** Sorted; what is unknown comes last either way, and ties are in the order of the names. */
export function sortedRows(
  rows: readonly ScoreRow[],
  { sort, order }: Pick<CostPage, 'sort' | 'order'>,
): readonly ScoreRow[] {
  const sign = order === 'desc' ? -1 : 1;
  return rows.toSorted((one, other) => {
    const byName = one.name.localeCompare(other.name);
    if (sort === 'name') return sign * byName;
    const [left, right] = [one.values[sort], other.values[sort]];
    if (left === null || right === null) return left === right ? byName : left === null ? 1 : -1;
    return left === right ? byName : sign * (left < right ? -1 : 1);
  });
}

/** Share of the bytes that a value needs to be called best or worst. */
export const JUDGED_SHARE_MIN = 0.01;

export interface Extremes {
  readonly best: number | bigint;
  readonly worst: number | bigint;
}

/** Undefined where there is nothing to choose: one value, or all the same. */
export function extremesOf(rows: readonly ScoreRow[], column: ScoreColumn): Extremes | undefined {
  if (column.good === undefined) return undefined;
  const known = rows
    .filter(({ values }) => (values.share ?? 0) >= JUDGED_SHARE_MIN)
    .flatMap(({ values }) => values[column.id] ?? [])
    .toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  const [low, high] = [known[0], known.at(-1)];
  if (low === undefined || high === undefined || low === high) return undefined;
  return column.good === 'low' ? { best: low, worst: high } : { best: high, worst: low };
}

export function verdictOf(
  { values }: ScoreRow,
  id: CostColumn,
  extremes: Extremes | undefined,
): 'best' | 'worst' | undefined {
  if (extremes === undefined || (values.share ?? 0) < JUDGED_SHARE_MIN) return undefined;
  if (values[id] === extremes.best) return 'best';
  return values[id] === extremes.worst ? 'worst' : undefined;
}
