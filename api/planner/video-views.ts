/** Questions about single views: the list, one view, and the timeline of one view. */
import { dimensions } from '../../schemas/catalogue/dimensions.ts';
import { type ViewMetric, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { viewFigures } from '../../schemas/tables/tables.ts';
import { errorIdColumn } from '../views/error-id.ts';
import type { Page } from './breakdown.ts';
import {
  allOf,
  filterConditions,
  projectCondition,
  type Scope,
  startDayCondition,
  withinFrame,
} from './scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export const VIEW_ORDERS = ['view_end', 'view_start'] as const;
export type ViewOrder = (typeof VIEW_ORDERS)[number];

export interface ViewsQuestion extends Page {
  readonly orderBy: ViewOrder;
  readonly descending: boolean;
  /** Views that are named by it: see `searchCondition`. */
  readonly search?: ViewSearch | undefined;
  /** Views whose last error that counted has this id. */
  readonly errorId?: number | undefined;
}

/** A text, and the ids of viewers that it may stand for. */
export interface ViewSearch {
  readonly text: string;
  readonly viewers: readonly string[];
}

/** The begin of a view's id, a whole id of a video or a viewer, or any part of a title, in either case. */
function searchCondition({ text, viewers }: ViewSearch, binder: Binder): string {
  const said = binder.bind('String', text);
  return [
    `startsWith(view_id, ${said})`,
    `video_id = ${said}`,
    `has(${binder.bind('Array(String)', viewers)}, viewer_user_id)`,
    `positionCaseInsensitiveUTF8(video_title, ${said}) > 0`,
  ].join(' OR ');
}

const ms = (column: string): string => `toUnixTimestamp64Milli(${column})`;

/** The value of a metric for one view, in answer units, under a name that hides no column. */
export const metricColumn = ({ id }: ViewMetric): string => `metric_${id}`;

const metricSelect = (metric: ViewMetric): string =>
  metric.distinct === true
    ? `if((${metric.value}) IS NULL, NULL, 1) AS ${metricColumn(metric)}`
    : `(${metric.value}) / ${metric.scale} AS ${metricColumn(metric)}`;

/** What a view's row says of it. Times are ms since 1970. */
const rowColumns: readonly string[] = [
  ...dimensions.map(({ name }) => name),
  'toString(start_day) AS start_day_text',
  `${ms('view_start')} AS start_ms`,
  `${ms('view_end')} AS end_ms`,
  'closed',
  'started',
  'outcome',
  'failed',
  'failed_business',
  'source',
];

export type ViewRow = Readonly<Record<string, string | number | null>>;

/** What the list tells of a view; the detail has every metric. */
const listMetrics: ReadonlySet<string> = new Set([
  'video_startup_time',
  'rebuffer_percentage',
  'watch_time',
  'viewer_experience_score',
  'playback_failure_percentage',
]);

function errorCondition(id: number, binder: Binder): string {
  return `player_error_code != '' AND ${errorIdColumn('player_error_code')} = ${binder.bind('Int64', id)}`;
}

/** Closed views whose end lies in the timeframe, and open ones whose start does. */
export function planViewList(scope: Scope, question: ViewsQuestion): Statement {
  const binder = createBinder();
  const ended = allOf(['closed = 1', ...withinFrame(scope.timeframe, 'view_end', binder)]);
  const open = allOf(['closed = 0', ...withinFrame(scope.timeframe, 'view_start', binder)]);
  const conditions = [
    projectCondition(scope, binder),
    startDayCondition(scope.timeframe, binder),
    `(${ended}) OR (${open})`,
    ...filterConditions(scope, binder),
    ...(question.search === undefined ? [] : [searchCondition(question.search, binder)]),
    ...(question.errorId === undefined ? [] : [errorCondition(question.errorId, binder)]),
  ];
  const direction = question.descending ? 'DESC' : 'ASC';
  const limit = binder.bind('Int64', question.limit);
  const offset = binder.bind('Int64', (question.page - 1) * question.limit);
  const columns = [
    ...rowColumns,
    ...viewMetrics.filter(({ id }) => listMetrics.has(id)).map(metricSelect),
    'count() OVER () AS total_rows',
  ];
  const sql = `SELECT ${columns.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}
ORDER BY ${question.orderBy} ${direction}, view_id ASC LIMIT ${limit} OFFSET ${offset} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export interface ViewKey {
  readonly project: string;
  readonly viewId: string;
}

function viewConditions({ project, viewId }: ViewKey, binder: Binder): string[] {
  return [projectCondition({ project }, binder), `view_id = ${binder.bind('String', viewId)}`];
}

/** Figures as they are stored, for names of Mux Data that no metric stands for. */
const figureColumns = viewFigures.map(({ name }) => name);

/** The newest row of one view. */
export function planView(key: ViewKey): Statement {
  const binder = createBinder();
  const columns = [...rowColumns, ...figureColumns, ...viewMetrics.map(metricSelect)];
  const sql = `SELECT ${columns.join(', ')} FROM views FINAL WHERE ${allOf(viewConditions(key, binder))}
ORDER BY _epoch DESC LIMIT 1 ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

export interface TimelineRow {
  readonly at_ms: number;
  readonly client_at: number;
  readonly source: string;
  readonly lane: string;
  readonly run: number;
  readonly seq: number;
  readonly name: string;
  readonly state: string;
  readonly taken: string;
  readonly schema_version: number;
  /** Avro bytes in hexadecimal: JSON cannot carry bytes. */
  readonly parts_hex: string;
  readonly total_rows: number;
}

/** A page of a view's events, oldest first. */
export function planTimeline(key: ViewKey, startDay: string, page: Page): Statement {
  const binder = createBinder();
  const conditions = viewConditions(key, binder);
  const day = `start_day = toDate(${binder.bind('String', startDay)})`;
  const limit = binder.bind('Int64', page.limit);
  const offset = binder.bind('Int64', (page.page - 1) * page.limit);
  const sql = `SELECT ${ms('at')} AS at_ms, client_at, source, lane, run, seq, name, state, taken,
  schema_version, hex(parts) AS parts_hex, count() OVER () AS total_rows
FROM view_events WHERE ${allOf([...conditions, day])}
ORDER BY at, lane, run, seq LIMIT ${limit} OFFSET ${offset}`;
  return { sql, params: binder.params };
}

/** Figures of a live view that its newest driving event knows; `started` follows from its states. */
const RUNNING = ['startup_ms', 'playing_ms', 'rebuffer_ms', 'rebuffer_count', 'seek_ms'] as const;

/** Columns of a view that are conclusions, not dimensions. */
const conclusions: ReadonlySet<string> = new Set([
  ...viewFigures.map(({ name }) => name),
  'started',
  'failed',
  'failed_business',
  'outcome',
  'source',
]);
const known: ReadonlySet<string> = new Set([...RUNNING, 'started']);

/** Metrics that the running totals of a live view can tell; nothing is known yet of the others. */
export const liveMetrics: readonly ViewMetric[] = viewMetrics.filter((metric) => {
  const words = metric.value.match(/[a-z_]+/g) ?? [];
  const used = words.filter((word) => conclusions.has(word));
  const told = used.every((word) => known.has(word)) && (used.length > 0 || metric.countsOpenViews);
  return told && metric.distinct !== true;
});

export interface LiveRow extends Readonly<Record<string, string | number | null>> {
  /** Driving events so far. */
  readonly driving: number;
  /** Newest event of any kind, ms since 1970. */
  readonly newest_ms: number;
  readonly state: string;
  readonly started: number;
}

/** A live view as its events tell it. The newest driving event is the one with the largest totals: they only grow. */
export function planLiveView(key: ViewKey, startDay: string): Statement {
  const binder = createBinder();
  const conditions = viewConditions(key, binder);
  const day = `start_day = toDate(${binder.bind('String', startDay)})`;
  const drives = "lane = 'main' AND taken = 'yes'";
  const order = '(_epoch, at, run, seq)';
  const totals = RUNNING.map((name) => `argMaxIf(${name}, ${order}, ${drives}) AS total_${name}`);
  const aggregated = `SELECT countIf(${drives}) AS driving, ${ms('max(at)')} AS newest_ms,
  argMaxIf(state, ${order}, ${drives}) AS newest_state,
  countIf(${drives} AND state = 'playing') > 0 AS has_played,
  ${totals.join(', ')}
FROM view_events WHERE ${allOf([...conditions, day])}`;
  const columns = RUNNING.map((name) => `total_${name} AS ${name}`);
  const view = `SELECT driving, newest_ms, newest_state AS state, has_played OR total_playing_ms > 0 AS started,
  ${columns.join(', ')} FROM (${aggregated})`;
  const metrics = liveMetrics.map(metricSelect).join(', ');
  return { sql: `SELECT *, ${metrics} FROM (${view})`, params: binder.params };
}
