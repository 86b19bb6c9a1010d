/**
 * Single requests under every dimension of their views, as SQL, and what of them was of no use to anybody.
 *
 * What a request says of CDN, country and network counts before what its view says, as in `delivery_5s`. A request
 * whose view is not known has unknown values.
 */
import { DAY_MS, type Period } from '../../platform/prices/months.ts';
import type { DeliveredRow } from './cost.ts';
import {
  between,
  type CostKey,
  type CostScope,
  countrySql,
  FILLED,
  filterSql,
  keySql,
  type Pricing,
  periodSql,
  REQUEST_ONLY,
  splitFilters,
  WINDOW_MS,
  windowsOf,
} from './cost-scope.ts';
import { allOf, filterConditions, projectCondition, startDayCondition } from './scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export interface RequestedRow extends DeliveredRow {
  /** 1 where the filters of views are met. */
  readonly q_matched: number;
  /** Bytes of which it is known how much was played, and those that were not played. */
  readonly q_known: string;
  readonly q_unplayed: string;
  /** Played bytes of which it is known how large the player was, and those beyond what it showed. */
  readonly q_sized: string;
  readonly q_oversized: string;
}

export interface RequestsQuestion {
  readonly key: CostKey;
  /** Whether it is told what was of no use; without, those sums are 0. */
  readonly waste: boolean;
}

/** Requests of the timeframe, in the pieces in which `planDelivered` has them. */
export function planRequested(
  scope: CostScope,
  question: RequestsQuestion,
  pricing: Pricing,
): Statement {
  const binder = createBinder();
  const joined = selectJoined(scope, question, binder);
  const columns = [
    `${periodSql(pricing.periods, 'r_time')} AS q_period`,
    `toString(${columnOf('cdn')}) AS q_cdn`,
    `${countrySql(pricing.countries, columnOf('country'), binder)} AS q_country`,
    `${keySql(question.key, 'r_time', columnOf)} AS q_field`,
    `toUInt8(${matchedSql(scope, binder)}) AS q_matched`,
    'toString(sum(r_bytes)) AS q_bytes',
    'toString(count()) AS q_requests',
    'toString(sum(r_origin)) AS q_origin',
    'toString(sumIf(r_bytes, r_known)) AS q_known',
    'toString(sum(r_unplayed)) AS q_unplayed',
    'toString(sumIf(r_bytes - r_unplayed, r_known AND v_downscale IS NOT NULL)) AS q_sized',
    `toString(sum(${OVERSIZED})) AS q_oversized`,
  ];
  const sql = `SELECT ${columns.join(',\n  ')}
FROM (SELECT *, ${KNOWN} AS r_known, ${UNPLAYED} AS r_unplayed FROM (${joined}))
WHERE ${deliveredFilters(scope, binder)}
GROUP BY q_period, q_cdn, q_country, q_field, q_matched ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

/** Media time is known of the request, and of its view how long it played. */
const KNOWN = '(r_media_ms > 0 AND v_told = 1)';

/** Whole bytes, rounded down request by request, so that they are the same however they are summed. */
const UNPLAYED = `if(r_known, toInt64(intDiv(toInt256(r_bytes) * greatest(v_media_ms - v_playing_ms, 0),
  greatest(v_media_ms, 1))), 0)`;

/** 1 − (1 − f)² of what was played, f the mean downscaling in 10⁻⁶. */
const OVERSIZED = `if(r_known AND v_downscale IS NOT NULL, toInt64(intDiv(toInt256(r_bytes - r_unplayed) *
  (1000000000000 - (1000000 - v_small) * (1000000 - v_small)), 1000000000000)), 0)`;

/** What a request says of where it was served counts before what is known of its view. */
const SAID_FIRST: ReadonlySet<string> = new Set(['cdn', 'country', 'asn']);
/** Columns that requests alone have, or have for themselves. */
const OF_REQUEST: ReadonlySet<string> = new Set(['view_id', 'view_cdn_edge_pop', ...REQUEST_ONLY]);

/** The column of a dimension over rows of `selectJoined`. */
export function columnOf(name: string): string {
  if (OF_REQUEST.has(name)) return `r_${name}`;
  if (SAID_FIRST.has(name)) return `if(r_${name} != '', r_${name}, v_${name})`;
  if (name === 'video_id') return "if(v_video_id != '', v_video_id, r_video_id)";
  return `v_${name}`;
}

/** Whether the filters are met that only a view can meet. */
export function matchedSql(scope: CostScope, binder: Binder): string {
  const measured = scope.metricFilters.length > 0 ? ['v_measured = 1'] : [];
  return allOf([...filterSql(splitFilters(scope).ofViews, binder, columnOf), ...measured]);
}

/** The filters that both tables can meet. */
export function deliveredFilters(scope: CostScope, binder: Binder): string {
  return allOf(filterSql(splitFilters(scope).delivered, binder, columnOf));
}

/** Each request of the timeframe (`r_…`) with what is known of its view (`v_…`). */
export function selectJoined(scope: CostScope, question: RequestsQuestion, binder: Binder): string {
  const time = windowsOf(scope.timeframe);
  const requests = `SELECT ${REQUEST_COLUMNS.join(', ')} FROM requests WHERE ${requestsWhere(scope, time, binder)}`;
  return `SELECT * FROM (${requests}) AS r
LEFT ANY JOIN (${selectViews(scope, question, binder)}) AS v ON r.r_view_id = v.v_view_id`;
}

const STATUS_CLASS =
  "multiIf(status = 0, 'none', status >= 100 AND status < 600, concat(toString(intDiv(status, 100)), 'xx'), '')";

const REQUEST_COLUMNS: readonly string[] = [
  ...['view_id', 'cdn', 'country', 'asn', 'video_id', 'view_cdn_edge_pop'],
  ...['object_type', 'protocol', 'status', 'cache', 'ttfb_ms', 'media_ms'],
]
  .map((name) => `${name} AS r_${name}`)
  .concat([
    `intDiv(toUnixTimestamp64Milli(at), ${WINDOW_MS}) * ${WINDOW_MS} AS r_time`,
    `${STATUS_CLASS} AS r_status_class`,
    'greatest(bytes, 0) AS r_bytes',
    `if(cache IN (${FILLED}), greatest(bytes, 0), 0) AS r_origin`,
  ]);

function requestsWhere(scope: CostScope, time: Period, binder: Binder): string {
  return allOf([
    projectCondition(scope, binder),
    `source = ${binder.bind('String', scope.source)}`,
    ...between('at', time, binder),
  ]);
}

/** Dimensions of views that a question looks at. */
function lookedAt({ filters }: CostScope, key: CostKey): string[] {
  const asked = [
    ...filters.map(({ dimension }) => dimension),
    ...(key.by === 'dimension' ? [key.name] : []),
  ];
  const needed = new Set([...SAID_FIRST, 'video_id', ...asked]);
  return [...needed].filter((name) => !OF_REQUEST.has(name));
}

/** The newest row of each view that requests of the timeframe name. */
function selectViews(scope: CostScope, question: RequestsQuestion, binder: Binder): string {
  const measured = allOf(filterConditions({ ...scope, filters: [] }, binder));
  const columns = [
    'view_id AS v_view_id',
    ...lookedAt(scope, question.key).map((name) => `${name} AS v_${name}`),
    `${measured} AS v_measured`,
    'playing_ms AS v_playing_ms',
    'downscale_ppm AS v_downscale',
    'least(greatest(ifNull(downscale_ppm, 0), 0), 1000000) AS v_small',
    `${question.waste ? told(scope, binder) : '0'} AS v_told`,
  ];
  const named = `view_id IN (SELECT view_id FROM requests WHERE ${requestsWhere(scope, windowsOf(scope.timeframe), binder)})`;
  const conditions = [
    projectCondition(scope, binder),
    startDayCondition(scope.timeframe, binder),
    "view_id != ''",
    named,
  ];
  const views = `SELECT ${columns.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}
ORDER BY _epoch DESC LIMIT 1 BY view_id`;
  if (!question.waste) return `SELECT *, 0 AS v_media_ms FROM (${views})`;
  const media = `SELECT view_id AS m_view_id, sum(media_ms) AS v_media_ms FROM requests
WHERE ${requestsWhere(scope, aroundOf(scope), binder)} AND media_ms > 0 AND ${named} GROUP BY view_id`;
  return `SELECT * FROM (${views}) AS w LEFT ANY JOIN (${media}) AS m ON w.v_view_id = m.m_view_id`;
}

/** A view may begin before the timeframe and end after it: a day on both sides. */
function aroundOf({ timeframe }: CostScope): Period {
  const { fromMs, toMs } = windowsOf(timeframe);
  return { fromMs: Math.max(0, fromMs - DAY_MS), toMs: toMs + DAY_MS };
}

/**
 * Whether it is known how long a view played: it has ended, its player told of its states without a gap, and all of its
 * requests lie where media time is summed.
 */
function told(scope: CostScope, binder: Binder): string {
  const { fromMs, toMs } = aroundOf(scope);
  const [begun] = between('view_start', { fromMs, toMs }, binder);
  const [, ended] = between('view_end', { fromMs, toMs }, binder);
  return `(closed = 1 AND unknown_ms = 0 AND source NOT IN ('', 'cmcd1') AND ${begun} AND ${ended})`;
}
