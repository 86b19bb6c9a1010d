/**
 * Along the content of one video: which seconds its views played, and where they met trouble.
 *
 * Guarantee: each view counts once for a second, however often it played it. Views of live streams are left out, because
 * a position in them means another moment each time, and so are views that never said where they were.
 */
import { allOf, filterConditions, placeConditions, type Scope } from './scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

/** Views count where they end, and when they have. */
const PLACEMENT = { bucketedBy: 'end', countsOpenViews: false } as const;

/** What of all views is known at all, so that what has no place can be told. */
export interface ContentRow {
  readonly views: number;
  /** The largest position of any, ms. */
  readonly content_ms: number;
  readonly rebuffer_ms: number;
  readonly rebuffer_count: number;
  readonly error_count: number;
  readonly exit_count: number;
}

/** A view that reached the end of its content has not left it. */
const EXITED = `started = 1 AND outcome != 'ended'`;

function fromViews(video: string, scope: Scope, binder: Binder): string {
  const conditions = [
    ...placeConditions(scope, PLACEMENT, binder),
    ...filterConditions(scope, binder),
    `video_id = ${binder.bind('String', video)}`,
    `stream_type != 'live'`,
    'content_end_ms > 0',
  ];
  return `FROM views FINAL WHERE ${allOf(conditions)}`;
}

export function planContent(video: string, scope: Scope): Statement {
  const binder = createBinder();
  const columns = [
    'count() AS views',
    'max(v.content_end_ms) AS content_ms',
    'sum(v.rebuffer_ms) AS rebuffer_ms',
    'sum(v.rebuffer_count) AS rebuffer_count',
    'sum(v.error_count) AS error_count',
    `countIf(${EXITED}) AS exit_count`,
  ];
  // An alias would hide the column of its name, so that the columns are those of a query that has a name.
  const names = 'content_end_ms, rebuffer_ms, rebuffer_count, error_count, started, outcome';
  const inner = `SELECT ${names} ${fromViews(video, scope, binder)}`;
  const sql = `SELECT ${columns.join(', ')} FROM (${inner}) AS v ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

/** How many views more play from a second on than before it. */
export interface PlayedRow {
  readonly second: number;
  readonly change: number;
}

export function planPlayed(video: string, scope: Scope): Statement {
  const binder = createBinder();
  const edges = `arrayConcat(arrayMap(second -> (second, toInt64(1)), content_from_s),
  arrayMap(second -> (second, toInt64(-1)), content_to_s))`;
  const sql = `SELECT edge.1 AS second, sum(edge.2) AS change FROM (
SELECT arrayJoin(${edges}) AS edge ${fromViews(video, scope, binder)})
GROUP BY second HAVING change != 0 ORDER BY second ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

/** Troubles of one kind that began in one second. */
export interface TroubleRow {
  readonly kind: string;
  readonly second: number;
  readonly count: number;
  readonly duration: number;
}

/** Rebuffering, changes to a lower bitrate, errors, and as `exit` the places where views ended before the end. */
export function planTroubles(video: string, scope: Scope): Statement {
  const binder = createBinder();
  const troubles = `arrayMap((kind, second, times, took) -> (toString(kind), second, times, took),
  trouble_kinds, trouble_seconds, trouble_counts, trouble_ms)`;
  const exits = `if(${EXITED} AND content_exit_ms IS NOT NULL,
  [('exit', intDiv(assumeNotNull(content_exit_ms), 1000), toInt64(1), toInt64(0))], [])`;
  const sql = `SELECT trouble.1 AS kind, trouble.2 AS second, sum(trouble.3) AS count, sum(trouble.4) AS duration FROM (
SELECT arrayJoin(arrayConcat(${troubles}, ${exits})) AS trouble ${fromViews(video, scope, binder)})
GROUP BY kind, second ORDER BY kind, second ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
