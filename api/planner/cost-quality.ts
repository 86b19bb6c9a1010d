/**
 * What viewers and requests of each value of a dimension met with, beside what they cost.
 *
 * Figures of views are those of their metrics, placed by the end of the view; figures of requests are of the same requests
 * as the cost. A median is at most 1 % off over windows, and exact over single requests.
 */
import { findViewMetric, type Measure } from '../../schemas/catalogue/metrics.ts';
import { CACHE_FILLS, CACHE_HITS } from '../../schemas/tables/delivery.ts';
import { deliveredWhere } from './cost.ts';
import { columnOf, deliveredFilters, matchedSql, selectJoined } from './cost-requests.ts';
import { type CostKey, type CostScope, keySql, needsRequests } from './cost-scope.ts';
import { aggregate, type Figure, valueColumns } from './figure.ts';
import { sketchPairs, sketchPercentile } from './monitoring-sketch.ts';
import { allOf, filterConditions, placeConditions } from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export interface ViewQualityRow {
  readonly q_field: string;
  readonly rebuffer_percentage: number | null;
  readonly video_startup_time: number | null;
  readonly viewer_experience_score: number | null;
}

const FIGURES: readonly (readonly [id: string, measure: Measure])[] = [
  ['rebuffer_percentage', 'ratio'],
  ['video_startup_time', 'median'],
  ['viewer_experience_score', 'avg'],
];

const figures: readonly Figure[] = FIGURES.map(([id, measure]) => {
  const metric = findViewMetric(id);
  if (metric === undefined) throw new Error(`the catalogue has no ${id}`);
  return { metric, measure };
});

const prefixOf = ({ metric }: Figure): string => `m_${metric.id}`;

/** Of closed views that ended in the timeframe. */
export function planViewQuality(scope: CostScope, key: CostKey): Statement {
  const binder = createBinder();
  const conditions = [
    ...placeConditions(scope, { bucketedBy: 'end', countsOpenViews: false }, binder),
    ...filterConditions(scope, binder),
  ];
  const columns = figures.flatMap((figure) => valueColumns(figure.metric, prefixOf(figure)));
  const field = keySql(key, 'toUnixTimestamp64Milli(view_end)', (name) => name);
  const views = `SELECT ${field} AS q_field, ${columns.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}`;
  const values = figures.map((figure) => {
    const takesPart = `${prefixOf(figure)}_value IS NOT NULL`;
    return `${aggregate(figure, takesPart, prefixOf(figure))} AS ${figure.metric.id}`;
  });
  const sql = `SELECT q_field, ${values.join(', ')} FROM (${views}) GROUP BY q_field ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export interface DeliveryQualityRow {
  readonly q_field: string;
  readonly ttfb: number | null;
  readonly hit_ratio: number | null;
  readonly error_percentage: number | null;
}

export function planDeliveryQuality(scope: CostScope, key: CostKey): Statement {
  return needsRequests(scope, key) ? ofRequests(scope, key) : ofWindows(scope, key);
}

/** `sketchPercentile` needs what its sketch is; of it only the factor matters here. */
const TTFB = { column: 'ttfb_sketch', factor: 1, counts: 'requests', bars: [] } as const;

function ofWindows(scope: CostScope, key: CostKey): Statement {
  const binder = createBinder();
  const field = keySql(key, 'toInt64(toUnixTimestamp(window)) * 1000', (name) => name);
  const summed = `SELECT ${field} AS q_field, ${sketchPairs('sumMap(ttfb_sketch)')} AS q_pairs,
  sum(hit_bytes) AS q_hit, sum(cache_bytes) AS q_cache, sum(client_errors + server_errors) AS q_errors,
  sum(requests) AS q_requests
FROM delivery_5s WHERE ${deliveredWhere(scope, binder)} GROUP BY q_field HAVING q_requests > 0`;
  const sql = `SELECT q_field, ${sketchPercentile('q_pairs', 0.5, TTFB)} AS ttfb, ${RATIOS} FROM (${summed})`;
  return { sql, params: binder.params };
}

const RATIOS = `if(q_cache > 0, q_hit / q_cache, NULL) AS hit_ratio, q_errors / q_requests AS error_percentage`;
const listed = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');

function ofRequests(scope: CostScope, key: CostKey): Statement {
  const binder = createBinder();
  const joined = selectJoined(scope, { key, waste: false }, binder);
  const succeeded = 'r_ttfb_ms >= 0 AND r_status >= 200 AND r_status < 400';
  const hits = listed(CACHE_HITS);
  const known = listed([...CACHE_HITS, ...CACHE_FILLS]);
  const summed = `SELECT ${keySql(key, 'r_time', columnOf)} AS q_field,
  quantileExactInclusiveIf(0.5)(r_ttfb_ms, ${succeeded}) AS q_ttfb,
  sumIf(r_bytes, r_cache IN (${hits})) AS q_hit, sumIf(r_bytes, r_cache IN (${known})) AS q_cache,
  countIf(r_status >= 400) AS q_errors, count() AS q_requests
FROM (${joined})
WHERE (${deliveredFilters(scope, binder)}) AND (${matchedSql(scope, binder)}) GROUP BY q_field`;
  const sql = `SELECT q_field, if(isFinite(q_ttfb), q_ttfb, NULL) AS ttfb, ${RATIOS} FROM (${summed}) ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
