/**
 * Sums of a slice's views for a what-if question: by cell of matched dimensions, by CDN, by block of viewers.
 *
 * Guarantee: one statement, so that cells, blocks and totals are of the same views; sums of whole numbers, so that the
 * same views give the same rows. Only views whose player tells of its states take part: an edge log alone knows no
 * quality, and CDNs differ in whether they send one.
 */
import { findViewMetric, type ViewMetric } from '../../schemas/catalogue/metrics.ts';
import { valueColumns } from './figure.ts';
import { allOf, filterConditions, placeConditions, type Scope } from './scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

/** Figures of an answer. Each is a sum over a sum: of the ratio, or of values over views that have one. */
export const WHAT_IF_FIGURES = [
  'rebuffer_percentage',
  'video_startup_time',
  'viewer_experience_score',
  'video_startup_failure_percentage',
  'playback_failure_percentage',
  'exits_before_video_start',
] as const;

export const whatIfMetrics: readonly ViewMetric[] = [...WHAT_IF_FIGURES, 'report_completeness'].map(
  (id) => {
    const metric = findViewMetric(id);
    if (metric === undefined) throw new Error(`the catalogue has no ${id}`);
    return metric;
  },
);
/** Where the completeness of reports stands among the sums, after the figures. */
export const COMPLETENESS = WHAT_IF_FIGURES.length;

/** What a sum over a sum is multiplied by for the answer. */
export const factorOf = ({ ratio, scale }: ViewMetric): number => ratio?.factor ?? 1 / scale;

export interface WhatIfCells {
  readonly from: string;
  readonly to: string;
  /** Column names of dimensions of the catalogue. */
  readonly match: readonly string[];
  readonly blocks: number;
  readonly cellsMax: number;
  /** Cells with fewer views on either CDN come without blocks. */
  readonly viewsMin: number;
}

export const CELL_KINDS = { other: 0, cell: 1, beyond: 2 } as const;
export const SIDES = { other: 0, from: 1, to: 2 } as const;

export interface WhatIfRow {
  /** One of CELL_KINDS: views that no cell to move from holds, a cell, or all cells beyond cellsMax. */
  readonly kind: number;
  /** One of SIDES. */
  readonly side: number;
  readonly cell: readonly string[];
  readonly block: number;
  readonly views: number;
  readonly tops: readonly number[];
  readonly bottoms: readonly number[];
  readonly events: readonly number[];
}

const PLACEMENT = { bucketedBy: 'end', countsOpenViews: false } as const;
const TELLS_STATES = "source NOT IN ('', 'cmcd1')";

export function planWhatIf(question: WhatIfCells, scope: Scope): Statement {
  const binder = createBinder();
  const grouped = groupedViews(question, scope, binder);
  const placed = `SELECT *, dense_rank() OVER (ORDER BY q_from DESC, q_cell ASC) AS q_place FROM (
  SELECT *, sumIf(q_views, q_side = 1) OVER (PARTITION BY q_cell) AS q_from,
    sumIf(q_views, q_side = 2) OVER (PARTITION BY q_cell) AS q_to FROM (${grouped}))`;
  const cellsMax = binder.bind('Int64', question.cellsMax);
  const viewsMin = binder.bind('Int64', question.viewsMin);
  const kind = `multiIf(q_side = 0 OR q_from = 0, 0, q_place <= ${cellsMax}, 1, 2)`;
  const block = `if(kind = 1 AND least(q_from, q_to) >= ${viewsMin}, q_block, 0)`;
  const list = (part: string): string =>
    `[${whatIfMetrics.map((_, place) => `sum(q_${part}${place})`).join(', ')}]`;
  const sql = `SELECT ${kind} AS kind, q_side AS side, if(kind = 1, q_cell, []) AS cell, ${block} AS block,
  sum(q_views) AS views, ${list('top')} AS tops, ${list('bottom')} AS bottoms, ${list('event')} AS events
FROM (${placed}) GROUP BY kind, side, cell, block ORDER BY kind, side, cell, block ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

/** Sums by cell, side and block. Columns are named `q_…` so that none hides one of `views`. */
function groupedViews(question: WhatIfCells, scope: Scope, binder: Binder): string {
  const { from, to, match, blocks } = question;
  const side = `multiIf(cdn = ${binder.bind('String', from)}, 1, cdn = ${binder.bind('String', to)}, 2, 0)`;
  const hashed = `cityHash64(if(viewer_user_id = '', view_id, viewer_user_id))`;
  const columns = [
    `[${match.map((dimension) => `toString(${dimension})`).join(', ')}] AS q_cell`,
    `${side} AS q_side`,
    `${hashed} % ${binder.bind('Int64', blocks)} AS q_block`,
    ...whatIfMetrics.flatMap((metric, place) => valueColumns(metric, `m${place}`)),
  ];
  const conditions = [
    ...placeConditions(scope, PLACEMENT, binder),
    TELLS_STATES,
    ...filterConditions(scope, binder),
  ];
  const sums = whatIfMetrics.flatMap(({ ratio }, place) => {
    const known = `m${place}_value IS NOT NULL`;
    const top = ratio === undefined ? `m${place}_value` : `m${place}_top`;
    const bottom = ratio === undefined ? '1' : `m${place}_bottom`;
    return [
      `toInt64(ifNull(sumIf(${top}, ${known}), 0)) AS q_top${place}`,
      `toInt64(ifNull(sumIf(${bottom}, ${known}), 0)) AS q_bottom${place}`,
      `toInt64(countIf(${known} AND ${top} > 0)) AS q_event${place}`,
    ];
  });
  const views = `SELECT ${columns.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}`;
  return `SELECT q_cell, q_side, q_block, toInt64(count()) AS q_views, ${sums.join(', ')}
FROM (${views}) GROUP BY q_cell, q_side, q_block`;
}

export interface CdnRow {
  readonly cdn: string;
}

/** The CDNs that served views of the project, whatever else is filtered by. */
export function planCdns(scope: Scope, limit: number): Statement {
  const binder = createBinder();
  const conditions = placeConditions(scope, PLACEMENT, binder);
  const sql = `SELECT cdn FROM views FINAL WHERE ${allOf(conditions)} GROUP BY cdn
ORDER BY count() DESC, cdn ASC LIMIT ${binder.bind('Int64', limit)} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}
