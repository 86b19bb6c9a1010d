/**
 * Pairs the requests that players report with the lines of their edges, one to one.
 *
 * Both tell of one request when project, view and path are the same; a path that is not known never pairs. Within a view
 * and path: where both sides tell of equally many, the first is the first; else nearest first, as long as neighbours in
 * time lie within `PAIR_APART_MS_MAX` of each other. A request pairs if it belongs to the timeframe, its line may lie
 * beyond its bounds.
 */
import type { Timeframe } from '../parameters/timeframe.ts';
import { allOf, projectCondition, withinFrame } from './scope.ts';
import type { Binder } from './statement.ts';

/** Requests further apart are not the same one, unless both sides tell of equally many. */
export const PAIR_APART_MS_MAX = 30_000;
/**
 * Rounds in which neighbours that are nearest to each other pair. Each round leaves those whose neighbour had a nearer
 * one; chains of more are not paired further.
 */
export const PAIR_ROUNDS = 2;

/** Further apart than anything. */
const FAR = 1_000_000_000_000_000;

/** Columns of `requests` that both sides may fill, and every question needs. */
const FIGURE_COLUMNS = [
  'status',
  'bytes',
  'ttfb_ms',
  'total_ms',
  'origin_ms',
  'hop_ms',
  'hop_origin_ms',
  'object_type',
  'cache',
  'aborted',
] as const;

/** Those that only a question about them needs. */
export const PLACE_COLUMNS = [
  'protocol',
  'cdn',
  'view_cdn_edge_pop',
  'country',
  'asn',
  'video_id',
] as const;
export type PlaceColumn = (typeof PLACE_COLUMNS)[number];

/**
 * SELECT of one row for each request that a player reports: view_id, url_key, at_ms, `paired` (1 with a line), and each
 * column as its player (p_…) and its edge (e_…) tell it; of the edge's nothing is meant where `paired` is 0. Of more
 * than `requestsMax` requests those of every nth view are looked at, chosen by a hash of its id.
 */
export function selectPairs(
  scope: { readonly project: string; readonly timeframe: Timeframe },
  places: readonly PlaceColumn[],
  binder: Binder,
  requestsMax = Number.POSITIVE_INFINITY,
): string {
  const columns = [...FIGURE_COLUMNS, ...places];
  const rows = ranked(scope, columns, binder, requestsMax);
  let linked = `SELECT *, if(players = edges, rank, toUInt64(0)) AS link FROM (${rows})`;
  for (let round = 0; round < PAIR_ROUNDS; round++) linked = nearestLinked(linked, columns);
  const sides = columns.flatMap((column) => [
    `anyIf(${column}, side = 0) AS p_${column}`,
    `anyIf(${column}, side = 1) AS e_${column}`,
  ]);
  const { fromMs, toMs } = scope.timeframe;
  return `SELECT view_id, url_key, maxIf(moment, side = 0) AS at_ms, max(side) AS paired, ${sides.join(', ')}
FROM (${linked}) WHERE link > 0 OR side = 0
GROUP BY view_id, url_key, link, if(link > 0, 0, rank)
HAVING at_ms >= ${binder.bind('Int64', fromMs)} AND at_ms < ${binder.bind('Int64', toMs)}`;
}

/** Requests of either side with their place among those of their side, and how many there are. */
function ranked(
  { project, timeframe }: { readonly project: string; readonly timeframe: Timeframe },
  columns: readonly string[],
  binder: Binder,
  requestsMax: number,
): string {
  const wider = {
    fromMs: timeframe.fromMs - PAIR_APART_MS_MAX,
    toMs: timeframe.toMs + PAIR_APART_MS_MAX,
  };
  const conditions = [
    projectCondition({ project }, binder),
    ...withinFrame(wider, 'at', binder),
    "view_id != ''",
    "source = 'player' OR url_key != 0",
  ];
  if (Number.isFinite(requestsMax)) {
    const all = `(SELECT count() FROM requests WHERE ${allOf(conditions)})`;
    const nth = `greatest(1, intDiv(${all} + ${requestsMax - 1}, ${requestsMax}))`;
    conditions.push(`cityHash64(view_id) % ${nth} = 0`);
  }
  return `SELECT *,
  row_number() OVER (PARTITION BY view_id, url_key, side ORDER BY moment, status, total_ms, bytes) AS rank,
  countIf(side = 0) OVER (PARTITION BY view_id, url_key) AS players,
  countIf(side = 1) OVER (PARTITION BY view_id, url_key) AS edges
FROM (SELECT view_id, url_key, toUnixTimestamp64Milli(at) AS moment, toUInt8(source = 'edge') AS side, ${columns.join(', ')}
  FROM requests WHERE ${allOf(conditions)})`;
}

const WINDOW =
  'PARTITION BY view_id, url_key, link > 0 ORDER BY moment, side, rank ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING';

/**
 * One round: of requests without a partner, neighbours of different sides pair when neither has a neighbour of the other
 * side that is nearer; of two that are as near, the earlier. The link is the player's rank.
 */
function nearestLinked(linked: string, columns: readonly string[]): string {
  const own = ['view_id', 'url_key', 'moment', 'side', 'rank', 'link', ...columns].join(', ');
  const neighbours = `SELECT ${own},
  lagInFrame(side, 1, 2) OVER w AS side_before, leadInFrame(side, 1, 2) OVER w AS side_after,
  lagInFrame(rank, 1, 0) OVER w AS rank_before, leadInFrame(rank, 1, 0) OVER w AS rank_after,
  ${gap('side_before', 'moment - lagInFrame(moment, 1, 0) OVER w')} AS gap_before,
  ${gap('side_after', 'leadInFrame(moment, 1, 0) OVER w - moment')} AS gap_after
FROM (${linked}) WINDOW w AS (${WINDOW})`;
  const rivals = `SELECT *, lagInFrame(gap_before, 1, ${FAR}) OVER w AS rival_before,
  leadInFrame(gap_after, 1, ${FAR}) OVER w AS rival_after
FROM (${neighbours}) WINDOW w AS (${WINDOW})`;
  const before = `gap_before < ${FAR} AND gap_before < rival_before AND gap_before <= gap_after`;
  const after = `gap_after < ${FAR} AND gap_after < gap_before AND gap_after <= rival_after`;
  const players = (rank: string): string => `if(side = 0, rank, ${rank})`;
  return `SELECT ${own.replace('link', 'taken AS link')} FROM (SELECT *,
  multiIf(link > 0, link, ${before}, ${players('rank_before')}, ${after}, ${players('rank_after')}, toUInt64(0)) AS taken
FROM (${rivals}))`;
}

/** How far a neighbour is, when it is of the other side and has no partner either. */
const gap = (side: string, apart: string): string =>
  `if(link = 0 AND ${side} + side = 1 AND (${apart}) <= ${PAIR_APART_MS_MAX}, toInt64(${apart}), toInt64(${FAR}))`;
