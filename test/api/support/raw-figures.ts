/** Figures of metrics over views, in plain code: each measure taken over the list of the views' values. */
import type { RawValue, RawView } from './raw-recomputed.ts';

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** A view's value of a metric; null when it takes no part. */
export const valueIn = (view: RawView, metric: string): RawValue => view.values[metric] ?? null;

/** The views that take part in a metric. */
export const taking = (metric: string, views: readonly RawView[]): RawView[] =>
  views.filter((view) => valueIn(view, metric) !== null);

/** Between neighbours, in a straight line. */
function percentile(values: readonly number[], level: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = level * (sorted.length - 1);
  const [low = 0, high = low] = sorted.slice(Math.floor(at), Math.floor(at) + 2);
  return low + (high - low) * (at - Math.floor(at));
}

const levels: Readonly<Record<string, number>> = {
  '5th': 0.05,
  '25th': 0.25,
  median: 0.5,
  '75th': 0.75,
  '90th': 0.9,
  '95th': 0.95,
  '99th': 0.99,
};

/** The figure of a metric over views. */
export function figureOf(
  metric: string,
  measure: string,
  views: readonly RawView[],
): number | null {
  const part = taking(metric, views);
  const values = part.map((view) => valueIn(view, metric));
  if (measure === 'count') return metric === 'unique_viewers' ? new Set(values).size : part.length;
  const numbers = values.map(Number);
  if (measure === 'sum') return total(numbers);
  if (part.length === 0) return null;
  const level = levels[measure];
  if (level !== undefined) return percentile(numbers, level);
  const sides = part.map((view) => view.sides[metric] ?? [Number(valueIn(view, metric)), 1]);
  const bottom = total(sides.map(([, below]) => below));
  return bottom > 0 ? total(sides.map(([above]) => above)) / bottom : null;
}

/** What is taken from the catalogue: which way is good. */
export interface Judged {
  readonly id: string;
  readonly good: 'low' | 'high' | 'none';
}

/** How much worse a group makes the whole than the others would: its figure less theirs, by its share of the views. */
export function impactOf(
  metric: Judged,
  measure: string,
  group: readonly RawView[],
  rest: readonly RawView[],
): number {
  const [size, others] = [taking(metric.id, group).length, taking(metric.id, rest).length];
  if (metric.good === 'none' || measure === 'count' || others === 0) return 0;
  const sign = metric.good === 'low' ? 1 : -1;
  const own = figureOf(metric.id, measure, group);
  const theirs = figureOf(metric.id, measure, rest);
  if (own === null || theirs === null) return 0;
  if (measure === 'sum') return sign * (own - (theirs / others) * size);
  return (sign * (own - theirs) * size) / (size + others);
}
