/**
 * Questions over a month of views: as the API asks them, and as somebody would write them by hand who knows the tables
 * and wants what the answer says: the value, views, playing and watch time, reports.
 */
import { planBreakdown } from '../../api/planner/breakdown.ts';
import type { Figure } from '../../api/planner/figure.ts';
import { planOverall } from '../../api/planner/overall.ts';
import type { Scope } from '../../api/planner/scope.ts';
import type { Statement } from '../../api/planner/statement.ts';
import { planTimeseries } from '../../api/planner/timeseries.ts';
import { migrate } from '../../platform/store/migrate.ts';
import { openStore } from '../../platform/store/open.ts';
import { findViewMetric, type Measure } from '../../schemas/catalogue/metrics.ts';
import { migrations } from '../../schemas/migrations/index.ts';
import { DAYS, FIRST_DAY_MS, fillViews } from '../load/views-table.ts';
import type { SubjectMethods } from '../subject-main.ts';

export interface QueriesInput {
  readonly directory: string;
  readonly views: number;
}

export const QUESTIONS = [
  'overallMedian',
  'overallRatio',
  'countryMedian',
  'countryRatio',
  'hourlyMedian',
  'hourlyRatio',
] as const;
export type Question = (typeof QUESTIONS)[number];

const DAY_MS = 86_400_000;
const scope: Scope = {
  project: 'default',
  timeframe: { fromMs: FIRST_DAY_MS, toMs: FIRST_DAY_MS + DAYS * DAY_MS },
  filters: [],
  metricFilters: [],
};

const MEDIAN = 'quantileExactInclusive(0.5)(startup_ms)';
const RATIO = 'sum(rebuffer_ms) / sum(playing_ms + rebuffer_ms)';
const BESIDE =
  'count(), sum(playing_ms), sum(startup_ms + playing_ms + rebuffer_ms + seek_ms), sum(reports_received), sum(reports_received + reports_lost)';

const [FROM, TO] = [FIRST_DAY_MS, FIRST_DAY_MS + DAYS * DAY_MS].map(
  (ms) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`,
);
const STARTED = `FROM views FINAL
WHERE project = 'default' AND closed AND started AND view_end >= ${FROM} AND view_end < ${TO}`;
const SETTINGS = 'SETTINGS do_not_merge_across_partitions_select_final = 1';

function byHand(value: string, group = ''): string {
  return `SELECT ${group === '' ? '' : `${group} AS g, `}${value}, ${BESIDE} ${STARTED}
${group === '' ? '' : 'GROUP BY g ORDER BY g '}${SETTINGS}`;
}

/**
 * What a breakdown of a percentile says beside the value, too: the percentile of each country's rest, in the plainest
 * way that does not look at the views for each country. Each country's values are one array, and its rest is the arrays of all others.
 */
const COUNTRY_MEDIAN_AND_REST = `SELECT own.*, rest.median FROM (
  SELECT country AS g, ${MEDIAN}, ${BESIDE} ${STARTED} GROUP BY g) AS own
LEFT JOIN (
  SELECT one.g AS g, quantileExactInclusiveArray(0.5)(other.startups) AS median
  FROM (SELECT DISTINCT country AS g ${STARTED}) AS one
  CROSS JOIN (SELECT country AS g, groupArray(startup_ms) AS startups ${STARTED} GROUP BY g) AS other
  WHERE one.g != other.g GROUP BY one.g) AS rest ON own.g = rest.g
ORDER BY own.g ${SETTINGS}`;

const direct: Readonly<Record<Question, string>> = {
  overallMedian: byHand(MEDIAN),
  overallRatio: byHand(RATIO),
  countryMedian: byHand(MEDIAN, 'country'),
  countryRatio: byHand(RATIO, 'country'),
  hourlyMedian: byHand(MEDIAN, 'toStartOfHour(view_end)'),
  hourlyRatio: byHand(RATIO, 'toStartOfHour(view_end)'),
};

function figureOf(id: string, measure: Measure): Figure {
  const metric = findViewMetric(id);
  if (metric === undefined) throw new Error(`the catalogue has no ${id}`);
  return { metric, measure };
}

function planned(): Readonly<Record<Question, Statement>> {
  const median = figureOf('video_startup_time', 'median');
  const ratio = figureOf('rebuffer_percentage', 'ratio');
  const page = { page: 1, limit: 25, orderBy: 'views', descending: true } as const;
  const byCountry = { ...page, dimension: 'country' };
  return {
    overallMedian: planOverall(median, scope),
    overallRatio: planOverall(ratio, scope),
    countryMedian: planBreakdown(median, scope, byCountry),
    countryRatio: planBreakdown(ratio, scope, byCountry),
    hourlyMedian: planTimeseries(median, scope, 'hour'),
    hourlyRatio: planTimeseries(ratio, scope, 'hour'),
  };
}

export async function queries({ directory, views }: QueriesInput): Promise<SubjectMethods> {
  const store = await openStore({ directory, database: 'bench' });
  await migrate(store, migrations);
  await fillViews(store, views);
  const plans = planned();
  const timed = async (ask: () => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await ask();
    return performance.now() - startMs;
  };
  return {
    planned: (question: Question) =>
      timed(() => store.query(plans[question].sql, { params: plans[question].params })),
    direct: (question: Question) => timed(() => store.query(direct[question])),
    /** The whole answer of `countryMedian`. */
    directWithRest: () => timed(() => store.query(COUNTRY_MEDIAN_AND_REST)),
    close: () => store.close(),
  };
}
