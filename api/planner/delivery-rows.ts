/**
 * Which table answers a question about delivery, and how its rows are read: what they add to each sum, and their
 * dimensions. Everything over single requests builds on this.
 *
 * Guarantee: a request has the same figures in both tables. `delivery_5s` answers where it carries every dimension and
 * the bounds are those of windows; else `requests` does, joined with the views that its requests name. The rule of a
 * dimension that both a request and its view may say is the fold's.
 */
import { findDeliveryDimension } from '../../schemas/catalogue/delivery-dimensions.ts';
import type { DeliverySketch, DeliverySum } from '../../schemas/catalogue/delivery-metrics.ts';
import { CACHE_FILLS, CACHE_HITS, type RequestSource } from '../../schemas/tables/delivery.ts';
import { WINDOW_MS } from '../monitoring/windows.ts';
import type { Filter } from '../parameters/filters.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import { allOf, projectCondition, startDayCondition, withinFrame } from './scope.ts';
import { type Binder, bindTime, VIEWS_SETTINGS } from './statement.ts';

export interface DeliveryScope {
  readonly project: string;
  readonly timeframe: Timeframe;
  /** Over dimensions of delivery. */
  readonly filters: readonly Filter[];
  readonly source: RequestSource;
}

export const DELIVERY_TABLES = ['delivery_5s', 'requests'] as const;
export type DeliveryTable = (typeof DELIVERY_TABLES)[number];

/** Tables that any question about delivery may read. */
export const DELIVERY_READS: readonly string[] = [...DELIVERY_TABLES, 'views'];

/** Rows of a table, as parts of a statement. `SELECT … FROM ${from} WHERE ${where} … ${settings}`. */
export interface DeliveryRows {
  readonly table: DeliveryTable;
  readonly from: string;
  readonly where: string;
  /** Ends the statement. */
  readonly settings: string;
  /** When a row is, ms since 1970: a request's begin, or that of its window. */
  readonly atMs: string;
  /** What a row adds to a sum: an Int64. */
  sum(name: DeliverySum): string;
  /** A dimension that was named, as a String. */
  dimension(name: string): string;
  /** A row's sketch of `delivery_5s`; of `requests` the time itself, null where the request takes no part. */
  times(sketch: DeliverySketch): string;
}

/** The table that answers: `names` are the dimensions that the question is grouped by. */
export function deliveryTable(
  { timeframe, filters }: Pick<DeliveryScope, 'timeframe' | 'filters'>,
  names: readonly string[],
): DeliveryTable {
  const { fromMs, toMs } = timeframe;
  const whole = fromMs % WINDOW_MS === 0 && toMs % WINDOW_MS === 0;
  const asked = [...names, ...filters.map(({ dimension }) => dimension)];
  const carried = asked.every((name) => findDeliveryDimension(name)?.windowed === true);
  return whole && carried ? 'delivery_5s' : 'requests';
}

/**
 * The rows of a scope. `names`: every dimension that is asked of them beside those of the filters. A question that is
 * asked several ways may name the table.
 */
export function deliveryRows(
  scope: DeliveryScope,
  names: readonly string[],
  binder: Binder,
  table: DeliveryTable = deliveryTable(scope, names),
): DeliveryRows {
  return table === 'delivery_5s' ? windowRows(scope, binder) : requestRows(scope, names, binder);
}

function windowRows(scope: DeliveryScope, binder: Binder): DeliveryRows {
  const { fromMs, toMs } = scope.timeframe;
  const dimension = (name: string): string => `toString(d.${name})`;
  return {
    table: 'delivery_5s',
    from: 'delivery_5s AS d',
    where: allOf([
      projectCondition(scope, binder),
      `d.source = ${binder.bind('String', scope.source)}`,
      `d.window >= ${bindTime(binder, fromMs)}`,
      `d.window < ${bindTime(binder, toMs)}`,
      ...dimensionConditions(scope.filters, dimension, binder),
    ]),
    settings: '',
    atMs: 'toInt64(toUnixTimestamp(d.window)) * 1000',
    sum: (name) => `d.${name}`,
    dimension,
    times: (sketch) => `d.${sketch}`,
  };
}

function requestRows(scope: DeliveryScope, names: readonly string[], binder: Binder): DeliveryRows {
  const asked = [...names, ...scope.filters.map(({ dimension }) => dimension)];
  const joined = viewColumnsOf(asked);
  const dimension = requestDimension;
  const placed = [
    projectCondition(scope, binder),
    `source = ${binder.bind('String', scope.source)}`,
    ...withinFrame(scope.timeframe, 'at', binder),
  ];
  const views =
    joined.length === 0
      ? ''
      : ` GLOBAL LEFT JOIN (${viewsOfRequests(scope, joined, placed, binder)}) AS v ON r.view_id = v.view_id`;
  return {
    table: 'requests',
    from: `(SELECT * FROM requests WHERE ${allOf(placed)}) AS r${views}`,
    where: allOf(dimensionConditions(scope.filters, dimension, binder)),
    settings: joined.length === 0 ? '' : VIEWS_SETTINGS,
    atMs: 'toUnixTimestamp64Milli(r.at)',
    sum: (name) => `toInt64(${requestSums[name]})`,
    dimension,
    times: (sketch) => requestTimes[sketch],
  };
}

/** Conditions of filters over dimensions that are expressions. */
export function dimensionConditions(
  filters: readonly Filter[],
  dimension: (name: string) => string,
  binder: Binder,
): string[] {
  return filters.map(({ dimension: name, exclude, values }) => {
    const listed = `has(${binder.bind('Array(String)', values)}, ${dimension(name)})`;
    return exclude ? `NOT ${listed}` : listed;
  });
}

/**
 * The views that requests name, one row each, whatever days their rows lie in. `placed`: conditions of those requests.
 */
export function viewsOfRequests(
  scope: Pick<DeliveryScope, 'project' | 'timeframe'>,
  columns: readonly string[],
  placed: readonly string[],
  binder: Binder,
): string {
  const conditions = [
    projectCondition(scope, binder),
    startDayCondition(scope.timeframe, binder),
    `view_id GLOBAL IN (SELECT view_id FROM requests WHERE ${allOf(placed)})`,
  ];
  return `SELECT view_id, ${columns.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}
ORDER BY _epoch DESC LIMIT 1 BY view_id`;
}

const STATUS_CLASS =
  "multiIf(r.status = 0, 'none', r.status >= 100 AND r.status < 600, concat(toString(intDiv(r.status, 100)), 'xx'), '')";

/** What a request says alone. */
const ownDimensions: Readonly<Record<string, string>> = {
  view_id: 'r.view_id',
  view_cdn_edge_pop: 'toString(r.view_cdn_edge_pop)',
  object_type: 'toString(r.object_type)',
  protocol: 'toString(r.protocol)',
  cache: 'toString(r.cache)',
  status_class: STATUS_CLASS,
};

/** What the request says counts before its view. */
const REQUEST_FIRST: ReadonlySet<string> = new Set(['cdn', 'country', 'asn']);
/** What the view says counts before the request. */
const VIEW_FIRST: ReadonlySet<string> = new Set(['video_id']);

function requestDimension(name: string): string {
  const own = ownDimensions[name];
  if (own !== undefined) return own;
  const [request, view] = [`toString(r.${name})`, `toString(v.${name})`];
  if (REQUEST_FIRST.has(name)) return `if(${request} != '', ${request}, ${view})`;
  if (VIEW_FIRST.has(name)) return `if(${view} != '', ${view}, ${request})`;
  return view;
}

/** The columns of views that dimensions need. */
export function viewColumnsOf(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => ownDimensions[name] === undefined))];
}

const listOf = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');
export const IS_HIT = `IN (${listOf(CACHE_HITS)})`;
const HIT = `r.cache ${IS_HIT}`;
const FILL = `r.cache IN (${listOf(CACHE_FILLS)})`;
const BYTES = 'greatest(r.bytes, 0)';
const OK = '(r.status >= 200 AND r.status < 400)';

/** What a request adds to each sum, as the fold adds it. */
const requestSums: Readonly<Record<DeliverySum, string>> = {
  requests: '1',
  bytes: BYTES,
  sized_requests: 'r.bytes >= 0',
  hit_requests: HIT,
  hit_bytes: `if(${HIT}, ${BYTES}, 0)`,
  cache_requests: `${HIT} OR ${FILL}`,
  cache_bytes: `if(${HIT} OR ${FILL}, ${BYTES}, 0)`,
  origin_bytes: `if(${FILL}, ${BYTES}, 0)`,
  client_errors: 'r.status >= 400 AND r.status < 500',
  server_errors: 'r.status >= 500',
  unanswered: 'r.status = 0',
  aborted: 'r.aborted',
  ttfb_sum_ms: `if(${OK}, greatest(r.ttfb_ms, 0), 0)`,
  ttfb_count: `${OK} AND r.ttfb_ms >= 0`,
  total_sum_ms: `if(${OK}, greatest(r.total_ms, 0), 0)`,
  total_count: `${OK} AND r.total_ms >= 0`,
  transfer_bytes: `if(${OK} AND r.total_ms > 0 AND r.bytes >= 0, r.bytes, 0)`,
  transfer_ms: `if(${OK} AND r.total_ms > 0 AND r.bytes >= 0, r.total_ms, 0)`,
  origin_sum_ms: `if(${OK}, greatest(r.origin_ms, 0), 0)`,
  origin_count: `${OK} AND r.origin_ms >= 0`,
  media_ms: 'r.media_ms',
  media_bytes: `if(r.media_ms > 0, ${BYTES}, 0)`,
  bitrate_bit_ms: 'if(r.media_ms > 0, r.bitrate * r.media_ms, 0)',
  bitrate_known_ms: 'if(r.media_ms > 0 AND r.bitrate > 0, r.media_ms, 0)',
  starvation_count: 'r.starved',
  startup_request_count: 'r.startup',
};

const timeOf = (column: string): string => `if(${OK} AND r.${column} >= 0, r.${column}, NULL)`;
const requestTimes: Readonly<Record<DeliverySketch, string>> = {
  ttfb_sketch: timeOf('ttfb_ms'),
  total_sketch: timeOf('total_ms'),
  origin_sketch: timeOf('origin_ms'),
};
