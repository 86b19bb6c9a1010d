/**
 * A metric under one measure, as SQL.
 *
 * Guarantee: expressions come from the catalogue, and only views that take part (whose value is not null) reach an
 * aggregate. A ratio is sum over sum. Percentiles are exact and interpolate between neighbours (the median of 1 and 2
 * is 1.5), as spreadsheets' PERCENTILE.INC and ClickHouse's quantileExactInclusive do.
 */
import {
  findViewMetric,
  type Measure,
  measureLevels,
  type ViewMetric,
} from '../../schemas/catalogue/metrics.ts';
import { allOf, filterConditions, placeConditions, type Scope } from './scope.ts';
import type { Binder } from './statement.ts';

export interface Figure {
  readonly metric: ViewMetric;
  readonly measure: Measure;
}

/** How a measure is computed, and so what the rest of a breakdown is compared by. */
export type FigureKind =
  | { readonly kind: 'percentile'; readonly level: number }
  | { readonly kind: 'ratio'; readonly factor: number }
  | { readonly kind: 'mean' }
  | { readonly kind: 'sum' }
  | { readonly kind: 'count' };

/** `avg` of a metric that is a ratio is the ratio: a mean of ratios would weigh short views like long ones. */
export function kindOf({ metric, measure }: Figure): FigureKind {
  const level = measureLevels[measure];
  if (level !== undefined) return { kind: 'percentile', level };
  if (measure === 'sum' || measure === 'count') return { kind: measure };
  if (metric.ratio !== undefined) return { kind: 'ratio', factor: metric.ratio.factor };
  return { kind: 'mean' };
}

/** The measures that a metric has. */
export function measuresOf(metric: ViewMetric, all: readonly Measure[]): readonly Measure[] {
  if (metric.distinct === true) return ['count'];
  return all.filter((measure) => measure !== 'ratio' || metric.ratio !== undefined);
}

function catalogued(id: string): ViewMetric {
  const metric = findViewMetric(id);
  if (metric === undefined) throw new Error(`the catalogue has no ${id}`);
  return metric;
}

const playing = catalogued('playing_time').value;
const watch = catalogued('watch_time').value;
const completeness = catalogued('report_completeness').ratio ?? {
  numerator: '0',
  denominator: '0',
};

/** What a metric needs of each view. */
export function valueColumns({ value, ratio }: ViewMetric, prefix = 'q'): string[] {
  if (ratio === undefined) return [`${value} AS ${prefix}_value`];
  return [
    `${value} AS ${prefix}_value`,
    `${ratio.numerator} AS ${prefix}_top`,
    `${ratio.denominator} AS ${prefix}_bottom`,
  ];
}

export interface ViewsSelect {
  /** More columns, each `expression AS name`. */
  readonly columns?: readonly string[];
  /** False leaves out the filters: the caller looks at all views of the project. */
  readonly filtered: boolean;
}

/** One row for each view that takes part. Columns are named `q_…` so that none hides one of `views`. */
export function selectViews(
  { metric }: Figure,
  scope: Scope,
  binder: Binder,
  { columns = [], filtered }: ViewsSelect,
): string {
  const { only } = metric;
  const selected = [
    ...valueColumns(only === undefined ? metric : { ...metric, value: only.value }),
    `${playing} AS q_playing`,
    `${watch} AS q_watch`,
    `${completeness.numerator} AS q_received`,
    `${completeness.denominator} AS q_expected`,
    ...columns,
  ];
  const conditions = [
    ...placeConditions(scope, metric, binder),
    ...(only === undefined ? [] : [only.when]),
    ...(filtered ? filterConditions(scope, binder) : []),
    'q_value IS NOT NULL',
  ];
  return `SELECT ${selected.join(', ')} FROM views FINAL WHERE ${allOf(conditions)}`;
}

/**
 * The aggregate of a figure over rows of `selectViews`; with a condition, over those that meet it. `prefix`: what its
 * columns are named by.
 */
export function aggregate(figure: Figure, condition?: string, prefix = 'q'): string {
  const { metric } = figure;
  const suffix = condition === undefined ? '' : 'If';
  const over = (name: string): string => {
    const column = `${prefix}_${name}`;
    return condition === undefined ? `(${column})` : `(${column}, ${condition})`;
  };
  const kind = kindOf(figure);
  switch (kind.kind) {
    case 'percentile':
      return `quantileExactInclusive${suffix}(${kind.level})${over('value')} / ${metric.scale}`;
    case 'ratio':
      return `sum${suffix}${over('top')} / sum${suffix}${over('bottom')} * ${kind.factor}`;
    case 'mean':
      return `avg${suffix}${over('value')} / ${metric.scale}`;
    case 'sum':
      return `sum${suffix}${over('value')} / ${metric.scale}`;
    case 'count':
      return `${metric.distinct === true ? 'uniqExact' : 'count'}${suffix}${over('value')}`;
  }
}

/** What every answer says beside the value. */
export interface FigureRow {
  readonly views: number;
  readonly value: number | null;
  readonly playing: number;
  readonly watch: number;
  readonly received: number;
  readonly expected: number;
}

/** The columns of `FigureRow`. */
export function figureColumns(figure: Figure, condition?: string): string[] {
  const sum = (column: string): string =>
    condition === undefined
      ? `ifNull(sum(${column}), 0)`
      : `ifNull(sumIf(${column}, ${condition}), 0)`;
  return [
    `${condition === undefined ? 'count()' : `countIf(${condition})`} AS views`,
    `${aggregate(figure, condition)} AS value`,
    `${sum('q_playing')} AS playing`,
    `${sum('q_watch')} AS watch`,
    `${sum('q_received')} AS received`,
    `${sum('q_expected')} AS expected`,
  ];
}

/** A value as it is answered: what is no number is null, and a sum or a count over no views is 0. */
export function answerValue(figure: Figure, value: number | null | undefined): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const { kind } = kindOf(figure);
  return kind === 'sum' || kind === 'count' ? 0 : null;
}
