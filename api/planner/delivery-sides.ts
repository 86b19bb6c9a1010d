/**
 * Requests as both sides tell of them: where their time went, whether they were slow or failed, and which hop is to
 * blame. docs/delivery.md says the same in words.
 *
 * Guarantee: what is normal is taken over all requests of the project in the timeframe, whatever the filters, so that a
 * filter never changes what a request is blamed for. One statement; requests are paired twice in it.
 */
import {
  HOPS,
  type Hop,
  type SideColumn,
  type SideMetric,
} from '../../schemas/catalogue/delivery-side-metrics.ts';
import type { Measure } from '../../schemas/catalogue/metrics.ts';
import type { Filter } from '../parameters/filters.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import { type FigureRows, figureValue } from './delivery-figures.ts';
import { PLACE_COLUMNS, type PlaceColumn, selectPairs } from './delivery-pairs.ts';
import { dimensionConditions, IS_HIT, viewColumnsOf, viewsOfRequests } from './delivery-rows.ts';
import { allOf, projectCondition, withinFrame } from './scope.ts';
import { type Binder, VIEWS_SETTINGS } from './statement.ts';

/** The share of requests that are surely normal, even when a fault affects all others. */
export const NORMAL_QUANTILE = 0.25;
/** The same of waits for the origin: a CDN whose cache fails with its origin makes most of them. */
export const NORMAL_ORIGIN_QUANTILE = 0.1;
/** Of more requests than that, both sides counted, those of some views say what is normal: quantiles need no more. */
export const NORMAL_REQUESTS_MAX = 200_000;
/** A request is slow when it took more than this many times what is expected, */
export const SLOW_FACTOR = 2;
/** and this much more, ms. */
export const SLOW_MS_MIN = 200;
/** A hop's excess counts when it is this part of all excess, */
export const CONSIDERABLE = 0.25;
/** and against at least so much, ms: below, twice as much is nothing. */
export const NORMAL_MS_MIN = 10;
/** Of two that strayed as far, the first. */
const WORST_FIRST = ['origin', 'edge', 'network'] as const;
/** Smaller objects say nothing of how long a byte takes. */
export const TRANSFER_BYTES_MIN = 16_384;

export interface SideScope {
  readonly project: string;
  readonly timeframe: Timeframe;
  readonly filters: readonly Filter[];
}

/** Rows of requests that can be judged. `SELECT … ${from}`, after `with`. */
export interface SideRows {
  readonly with: string;
  readonly from: string;
  readonly settings: string;
  dimension(name: string): string;
}

/** 1 or 0 of a row, or its time; null unknown. */
export function sideValue(column: SideColumn): string {
  if (column === 'judged') return '1';
  const hop = HOPS.find((name) => column.endsWith(name) || column.startsWith(name));
  if (column.startsWith('blamed_')) return `s.blamed = '${hop}'`;
  if (column.startsWith('has_')) return `s.${hop}_ms >= 0`;
  return `s.${column}`;
}

export const hopTime = (hop: Hop): string => `if(s.${hop}_ms >= 0, s.${hop}_ms, NULL)`;

/** A metric of both sides under a measure. */
export interface SideFigure {
  readonly metric: SideMetric;
  readonly measure: Measure;
}

export function sideFigureRows(
  { metric, measure }: SideFigure,
  scope: SideScope,
  names: readonly string[],
  binder: Binder,
): FigureRows {
  const rows = sideRows(scope, names, binder);
  const value = figureValue({ measure, factor: 1, scale: 1 }, 'times');
  const whole = (column: SideColumn): string => `toInt64(greatest(${sideValue(column)}, 0))`;
  const columns = [
    `${whole(metric.top)} AS q_top`,
    `${whole(metric.bottom)} AS q_bottom`,
    `${whole(metric.count)} AS q_count`,
    '1 AS q_requests',
    's.size AS q_bytes',
  ];
  if (value.kind === 'percentile' && metric.value !== undefined) {
    columns.push(`if(s.${metric.value} >= 0, s.${metric.value}, NULL) AS q_times`);
  }
  const { with: normals, from, settings, dimension } = rows;
  const { good } = metric;
  return { with: normals, from, settings, value, good, atMs: 's.at_ms', dimension, columns };
}

/** `names`: dimensions that are asked of the rows beside those of the filters. */
export function sideRows(scope: SideScope, names: readonly string[], binder: Binder): SideRows {
  const asked = [...names, ...scope.filters.map(({ dimension }) => dimension)];
  const own = PLACE_COLUMNS.filter((column) => asked.includes(column));
  const split = selectSplit(scope, own, binder);
  const looked = selectSplit(scope, [], binder, NORMAL_REQUESTS_MAX);
  const joined = viewColumnsOf(asked);
  const placed = [
    projectCondition(scope, binder),
    "source = 'player'",
    ...withinFrame(scope.timeframe, 'at', binder),
  ];
  const views =
    joined.length === 0
      ? ''
      : ` GLOBAL LEFT JOIN (${viewsOfRequests(scope, joined, placed, binder)}) AS v ON s.view_id = v.view_id`;
  const conditions = dimensionConditions(scope.filters, sideDimension, binder);
  return {
    with: `WITH (${selectNormals(looked)}) AS q_normals`,
    from: `FROM (${selectJudged(split)}) AS s${views} WHERE ${allOf(conditions)}`,
    settings: joined.length === 0 ? '' : VIEWS_SETTINGS,
    dimension: sideDimension,
  };
}

const bothSay = (column: string): string =>
  `if(s.paired = 1 AND s.e_${column} != '', toString(s.e_${column}), toString(s.p_${column}))`;

/** What the edge's line says counts before the player's report, and both as in `delivery-rows.ts` against the view. */
function sideDimension(name: string): string {
  const view = `toString(v.${name})`;
  switch (name) {
    case 'view_id':
      return 's.view_id';
    case 'object_type':
      return 'toString(s.p_object_type)';
    case 'status_class':
      return "multiIf(s.p_status = 0, 'none', s.p_status >= 100 AND s.p_status < 600, concat(toString(intDiv(s.p_status, 100)), 'xx'), '')";
    case 'view_cdn_edge_pop':
    case 'protocol':
    case 'cache':
      return bothSay(name);
    case 'cdn':
    case 'country':
    case 'asn':
      return `if(${bothSay(name)} != '', ${bothSay(name)}, ${view})`;
    case 'video_id':
      return `if(${view} != '', ${view}, ${bothSay(name)})`;
    default:
      return view;
  }
}

/** Until when the edge had sent its first byte: of a line broken off before that, all its time. */
const SERVED = `multiIf(paired = 1 AND e_ttfb_ms >= 0, e_ttfb_ms,
  paired = 1 AND e_aborted = 1 AND e_total_ms >= 0, e_total_ms, p_hop_ms >= 0, p_hop_ms, -1)`;
/** On a hit nobody waited for the origin, whatever a stored answer's headers say of the day that it was fetched. */
const ORIGIN = `multiIf(paired = 1 AND e_origin_ms >= 0, e_origin_ms,
  paired = 1 AND e_cache IN ('hit', 'stale'), 0, p_hop_origin_ms >= 0, p_hop_origin_ms, -1)`;
const FAILED =
  'p_status = 0 OR p_status >= 400 OR (paired = 1 AND e_aborted = 0 AND e_status >= 400)';

/**
 * Each request with its hops' times, ms, -1 unknown. `by_cmsd`: no line tells of it, but the delays that servers wrote
 * into the answer (CMSD rd).
 */
function selectSplit(
  scope: SideScope,
  own: readonly PlaceColumn[],
  binder: Binder,
  requestsMax?: number,
): string {
  const told = `SELECT *, toUInt8(${FAILED}) AS failed, ${SERVED} AS served, ${ORIGIN} AS origin_ms,
  toUInt8(paired = 0 AND p_hop_ms >= 0) AS by_cmsd,
  if(p_bytes >= 0, p_bytes, if(paired = 1, greatest(e_bytes, 0), 0)) AS size
FROM (${selectPairs(scope, own, binder, requestsMax)})`;
  return `SELECT *, if(served >= 0, greatest(0, served - greatest(origin_ms, 0)), -1) AS edge_ms,
  if(p_total_ms >= 0 AND greatest(served, origin_ms) >= 0, greatest(0, p_total_ms - greatest(served, origin_ms)), -1) AS network_ms
FROM (${told})`;
}

const normal = (value: string, condition: string, quantile = NORMAL_QUANTILE): string =>
  `ifNotFinite(quantileExactInclusiveIf(${quantile})(${value}, failed = 0 AND ${condition}), 0)`;

/**
 * What is normal, as an array of tuples: for each object type (its name after `=`), and for all of them (empty): edge,
 * origin where it was asked, round trip, ms for a byte, and the number of pairs.
 */
function selectNormals(split: string): string {
  const transfer = 'if(p_ttfb_ms >= 0, p_total_ms - p_ttfb_ms, network_ms) / size';
  return `SELECT groupArray((kind, edge, origin, trip, byte, pairs)) FROM (
SELECT concat('=', p_object_type) AS kind,
  ${normal('edge_ms', 'edge_ms >= 0')} AS edge,
  ${normal('origin_ms', 'origin_ms > 0', NORMAL_ORIGIN_QUANTILE)} AS origin,
  ${normal('greatest(0, p_ttfb_ms - served)', 'p_ttfb_ms >= 0 AND served >= 0')} AS trip,
  ${normal(transfer, `network_ms >= 0 AND size >= ${TRANSFER_BYTES_MIN}`)} AS byte,
  countIf(paired = 1) AS pairs
FROM (${split}) GROUP BY kind WITH ROLLUP)`;
}

/** A failed request's hop; of one that was slow the hop that strayed furthest from what is normal. */
const BLAMED = `multiIf(affected = 0, '',
  failed = 0, worst,
  paired = 1 AND e_aborted = 0 AND e_status >= 500 AND NOT (e_cache ${IS_HIT}) AND (e_status IN (502, 504) OR e_origin_ms >= 0), 'origin',
  paired = 1 AND e_aborted = 0 AND e_status >= 400, 'edge',
  paired = 1 AND e_aborted = 1 AND worst != '' AND worst_ms >= ${SLOW_MS_MIN}, worst,
  'network')`;

/** How many times what is normal a hop took, where its excess is a considerable part of all; else -1. */
const timesNormal = (hop: Hop): string =>
  `if(${hop}_excess > 0 AND ${hop}_excess >= ${CONSIDERABLE} * excess_ms, ${hop}_ms / greatest(${hop}_normal, ${NORMAL_MS_MIN}), -1) AS ${hop}_times`;

/** Requests that can be judged: both sides tell of them, or CMSD does, or they failed where edges send lines at all. */
function selectJudged(split: string): string {
  // A step for each thing that others follow from: an engine works out an alias anew wherever it is used.
  const looked = `SELECT *,
  arrayFirst(entry -> entry.1 = concat('=', p_object_type), q_normals) AS kind_normal,
  arrayFirst(entry -> entry.1 = '', q_normals) AS all_normal
FROM (${split}) WHERE paired = 1 OR by_cmsd = 1 OR failed = 1`;
  const usual = `SELECT *, kind_normal.2 AS edge_normal, if(origin_ms > 0, kind_normal.3, 0) AS origin_normal,
  all_normal.4 + size * all_normal.5 AS network_normal
FROM (${looked}) WHERE paired = 1 OR by_cmsd = 1 OR all_normal.6 > 0`;
  const excess = `SELECT *, edge_normal + origin_normal + network_normal AS expected_ms,
  if(origin_ms >= 0, origin_ms - origin_normal, -inf) AS origin_excess,
  if(edge_ms >= 0, edge_ms - edge_normal, -inf) AS edge_excess,
  if(network_ms >= 0, network_ms - network_normal, -inf) AS network_excess
FROM (${usual})`;
  const excesses = HOPS.map((hop) => `greatest(0, ${hop}_excess)`).join(' + ');
  const large = `SELECT *, ${excesses} AS excess_ms, ${HOPS.map(timesNormal).join(', ')},
  toUInt8(failed = 1 OR (p_total_ms > ${SLOW_FACTOR} * expected_ms AND p_total_ms - expected_ms >= ${SLOW_MS_MIN})) AS affected
FROM (${excess})`;
  const best = `SELECT *, greatest(${HOPS.map((hop) => `${hop}_times`).join(', ')}) AS most FROM (${large})`;
  const named = `SELECT *, multiIf(most < 0, '', ${WORST_FIRST.map((hop) => `${hop}_times = most, '${hop}'`).join(', ')}, '') AS worst,
  multiIf(${HOPS.map((hop) => `worst = '${hop}', ${hop}_excess`).join(', ')}, 0) AS worst_ms
FROM (${best})`;
  return `SELECT *, ${BLAMED} AS blamed FROM (${named})`;
}
