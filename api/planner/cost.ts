/**
 * What was delivered, as SQL: sums of `delivery_5s` cut so that they can be priced, and how long viewers watched.
 *
 * Guarantee: amounts come as text, so that none is rounded on its way.
 */
import { findViewMetric } from '../../schemas/catalogue/metrics.ts';
import {
  between,
  type CostKey,
  type CostScope,
  countrySql,
  filterSql,
  keySql,
  type Pricing,
  periodSql,
  splitFilters,
  windowsOf,
} from './cost-scope.ts';
import { allOf, filterConditions, placeConditions, projectCondition } from './scope.ts';
import { createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

/** Sums of one period, CDN, group of countries, and key. Amounts are whole numbers as text. */
export interface DeliveredRow {
  /** Place among the periods of the pricing. */
  readonly q_period: number;
  readonly q_cdn: string;
  readonly q_country: string;
  readonly q_field: string;
  readonly q_bytes: string;
  readonly q_requests: string;
  readonly q_origin: string;
}

/** What `delivery_5s` has of the timeframe. Filters of dimensions that only views have are left out. */
export function planDelivered(scope: CostScope, key: CostKey, pricing: Pricing): Statement {
  const binder = createBinder();
  const time = 'toInt64(toUnixTimestamp(window)) * 1000';
  const columns = [
    `${periodSql(pricing.periods, time)} AS q_period`,
    'toString(cdn) AS q_cdn',
    `${countrySql(pricing.countries, 'country', binder)} AS q_country`,
    `${keySql(key, time, (name) => name)} AS q_field`,
    'toString(sum(bytes)) AS q_bytes',
    'toString(sum(requests)) AS q_requests',
    'toString(sum(origin_bytes)) AS q_origin',
  ];
  const sql = `SELECT ${columns.join(', ')} FROM delivery_5s WHERE ${deliveredWhere(scope, binder)}
GROUP BY q_period, q_cdn, q_country, q_field HAVING sum(requests) > 0`;
  return { sql, params: binder.params };
}

/** Conditions on `delivery_5s` of a scope. */
export function deliveredWhere(scope: CostScope, binder: ReturnType<typeof createBinder>): string {
  return allOf([
    projectCondition(scope, binder),
    `source = ${binder.bind('String', scope.source)}`,
    ...between('window', windowsOf(scope.timeframe), binder),
    ...filterSql(splitFilters(scope).delivered, binder),
  ]);
}

/** Views of a key that began in the timeframe, and what they played. */
export interface WatchedRow {
  readonly q_field: string;
  readonly q_views: string;
  readonly q_playing_ms: string;
}

/** By the rules of the metrics `views` and `playing_time`: placed by their start; those that are open have no time yet. */
export function planWatched(scope: CostScope, key: CostKey): Statement {
  const binder = createBinder();
  const playing = findViewMetric('playing_time')?.value ?? '0';
  const time = 'toUnixTimestamp64Milli(view_start)';
  const conditions = [
    ...placeConditions(scope, { bucketedBy: 'start', countsOpenViews: true }, binder),
    ...filterConditions(scope, binder),
  ];
  const sql = `SELECT ${keySql(key, time, (name) => name)} AS q_field, toString(count()) AS q_views,
  toString(sumIf(ifNull(${playing}, 0), closed = 1)) AS q_playing_ms
FROM views FINAL WHERE ${allOf(conditions)} GROUP BY q_field ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
