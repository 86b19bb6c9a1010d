/**
 * One figure for each value of a dimension, with what each value costs the whole.
 *
 * `negative_impact` of a value: (its figure − the figure of all other views) × its share of the views that take part;
 * the sign is turned where high is good, so that more is always worse. For means this is exactly how much the overall
 * would improve if its views had the figure of the rest. For a sum it is how much the sum would change if they had the
 * rest's mean. It is 0 for counts, for metrics without a good direction, and for a value that has no rest.
 */
import { aggregate, type Figure, type FigureRow, kindOf, selectViews } from './figure.ts';
import type { Scope } from './scope.ts';
import { type Binder, createBinder, type Statement, VIEWS_SETTINGS } from './statement.ts';

export const BREAKDOWN_ORDERS = ['value', 'views', 'field', 'negative_impact'] as const;
export type BreakdownOrder = (typeof BREAKDOWN_ORDERS)[number];

export interface Page {
  /** Counts from 1. */
  readonly page: number;
  readonly limit: number;
}

export interface BreakdownQuestion extends Page {
  /** Column name of a dimension of the catalogue. */
  readonly dimension: string;
  readonly orderBy: BreakdownOrder;
  readonly descending: boolean;
}

export interface BreakdownRow extends FigureRow {
  readonly field: string;
  readonly negative_impact: number;
  /** Values of the dimension, over all pages. */
  readonly total_rows: number;
}

export function planBreakdown(
  figure: Figure,
  scope: Scope,
  question: BreakdownQuestion,
): Statement {
  const binder = createBinder();
  const grouped =
    kindOf(figure).kind === 'percentile'
      ? percentileGroups(figure, scope, binder, question.dimension)
      : sumGroups(figure, scope, binder, question.dimension);
  const impact = impactOf(figure);
  const sql = `SELECT field, value, views, playing, watch,
  if(isFinite(ifNull(${impact}, 0)), ifNull(${impact}, 0), 0) AS negative_impact,
  sum(received) OVER () AS received, sum(expected) OVER () AS expected, count() OVER () AS total_rows
FROM (SELECT *, sum(views) OVER () AS all_views FROM (${grouped}))
${orderAndPage(question, binder)} ${VIEWS_SETTINGS}`;
  return { sql, params: binder.params };
}

function orderAndPage(question: BreakdownQuestion, binder: Binder): string {
  const direction = question.descending ? 'DESC' : 'ASC';
  const limit = binder.bind('Int64', question.limit);
  const offset = binder.bind('Int64', (question.page - 1) * question.limit);
  const last = question.orderBy === 'field' ? '' : ', field ASC';
  return `ORDER BY ${question.orderBy} ${direction} NULLS LAST${last} LIMIT ${limit} OFFSET ${offset}`;
}

function impactOf(figure: Figure): string {
  const { good } = figure.metric;
  const { kind } = kindOf(figure);
  if (good === 'none' || kind === 'count') return '0';
  const sign = good === 'low' ? 1 : -1;
  return kind === 'sum'
    ? `${sign} * (value - rest * views)`
    : `${sign} * (value - rest) * views / all_views`;
}

const COMMON = [
  'count() AS views',
  'ifNull(sum(q_playing), 0) AS playing',
  'ifNull(sum(q_watch), 0) AS watch',
  'ifNull(sum(q_received), 0) AS received',
  'ifNull(sum(q_expected), 0) AS expected',
];

const byField = (dimension: string): readonly string[] => [`${dimension} AS q_field`];

/** Groups whose rest is the difference of sums. For a sum, `rest` is the rest's mean for one view. */
function sumGroups(figure: Figure, scope: Scope, binder: Binder, dimension: string): string {
  const kind = kindOf(figure);
  const { scale } = figure.metric;
  const views = selectViews(figure, scope, binder, {
    columns: byField(dimension),
    filtered: true,
  });
  const [top, bottom, factor] =
    kind.kind === 'ratio'
      ? ['sum(q_top)', 'sum(q_bottom)', String(kind.factor)]
      : kind.kind === 'count'
        ? ['0', 'count()', '1']
        : ['sum(q_value)', 'count()', `1 / ${scale}`];
  const columns = [
    'q_field AS field',
    ...COMMON,
    `${aggregate(figure)} AS found`,
    `ifNull(${top}, 0) AS top`,
    `ifNull(${bottom}, 0) AS bottom`,
  ];
  const groups = `SELECT ${columns.join(', ')} FROM (${views}) GROUP BY q_field`;
  return `SELECT field, views, playing, watch, received, expected,
  if(isFinite(found), found, NULL) AS value,
  if(others = 0, NULL, ((sum(top) OVER ()) - top) / others * ${factor}) AS rest,
  (sum(bottom) OVER ()) - bottom AS others
FROM (${groups})`;
}

/**
 * Groups with the percentile of all views outside of them, exactly.
 *
 * Views are counted by value first, once, so that what follows looks at values and not at views. `q_before` of a value in a
 * group is the number of views outside the group with a smaller one. The k-th smallest of the outside stands at
 * k + (views of the group with `q_before` ≤ k) among all.
 */
function percentileGroups(figure: Figure, scope: Scope, binder: Binder, dimension: string): string {
  const kind = kindOf(figure);
  const level = kind.kind === 'percentile' ? kind.level : 0.5;
  const { scale } = figure.metric;
  const select = (columns: readonly string[]): string =>
    selectViews(figure, scope, binder, { columns, filtered: true });
  const groups = `SELECT q_field AS field, ${COMMON.join(', ')}, ${aggregate(figure)} AS value
FROM (${select(byField(dimension))}) GROUP BY q_field`;
  const counted = `SELECT q_field, toFloat64(assumeNotNull(q_value)) AS v, toInt64(count()) AS c
FROM (${select(byField(dimension))}) GROUP BY q_field, v`;
  const pairs = 'SELECT arrayJoin(q_pairs) AS pair, pair.1 AS q_field, pair.2 AS v, pair.3 AS c';
  const ranked = `SELECT q_field, c,
  (sum(c) OVER ()) - (sum(c) OVER (PARTITION BY q_field)) AS q_others,
  (sum(c) OVER (ORDER BY v RANGE UNBOUNDED PRECEDING)) - (sum(c) OVER (PARTITION BY v))
    - (sum(c) OVER (PARTITION BY q_field ORDER BY v ROWS UNBOUNDED PRECEDING)) + c AS q_before,
  toInt64(floor(${level} * (q_others - 1))) AS q_low,
  least(q_low + 1, q_others - 1) AS q_high
FROM (${pairs})`;
  const places = `SELECT 1 AS q_one, q_field, any(q_others) AS others, any(q_low) AS low,
  low + sumIf(c, q_before <= q_low) AS low_at, any(q_high) + sumIf(c, q_before <= q_high) AS high_at
FROM (${ranked}) GROUP BY q_field`;
  const sorted = `SELECT 1 AS q_one, v, sum(c) OVER (ORDER BY v) AS upto
FROM (SELECT v, sum(c) AS c FROM (${pairs}) GROUP BY v)`;
  const ends = `SELECT q_one, q_field, others, low, end.1 AS is_high, end.2 AS place
FROM (SELECT *, arrayJoin([(0, low_at), (1, high_at)]) AS end FROM (${places}))`;
  const found = `SELECT q_field, any(p.others) AS rest_views, any(p.low) AS low_place,
  sumIf(s.v, p.is_high = 0) AS low_value, sumIf(s.v, p.is_high = 1) AS high_value
FROM (${ends}) AS p ASOF LEFT JOIN (${sorted}) AS s ON p.q_one = s.q_one AND p.place < s.upto
GROUP BY q_field`;
  const rest = `SELECT q_field, rest_views AS others,
  (low_value + (high_value - low_value) * (${level} * (rest_views - 1) - low_place)) / ${scale} AS rest
FROM (${found})`;
  return `WITH (SELECT groupArray((q_field, v, c)) FROM (${counted})) AS q_pairs
SELECT g.field AS field, g.views AS views, g.playing AS playing, g.watch AS watch, g.received AS received,
  g.expected AS expected, g.value AS value, if(r.others <= 0, NULL, r.rest) AS rest
FROM (${groups}) AS g LEFT JOIN (${rest}) AS r ON g.field = r.q_field`;
}
