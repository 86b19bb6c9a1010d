/**
 * One figure for each value of a dimension, with what each value costs the whole.
 *
 * `negative_impact` of a value: (its figure − the figure of all other views) × its share of the views that take part;
 * the sign is turned where high is good, so that more is always worse. For means this is exactly how much the overall
 * would improve if its views had the figure of the rest. For a sum it is how much the sum would change if they had the
 * rest's mean. It is 0 for counts, for metrics without a good direction, and for a value that has no rest.
 */
import { aggregate, type Figure, type FigureRow, kindOf, selectViews } from './figure.ts';
import { percentileGroups } from './percentile-groups.ts';
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
  const kind = kindOf(figure);
  const grouped =
    kind.kind === 'percentile'
      ? percentileGroups(figure, scope, binder, {
          dimension: question.dimension,
          level: kind.level,
        })
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
