/**
 * Which table answers for which window.
 *
 * Guarantee: a window that is complete is answered from `playback_5s`. One that is still filling is answered from
 * `viewers_now` where the metric, its filters and its dimension allow it, and every answer says from when on.
 */
import type { IntervalMetric } from '../../schemas/catalogue/interval-metrics.ts';
import { NOW_LEAVES_OUT } from '../../schemas/tables/tables.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import type { IntervalWatermark } from '../planner/monitoring-watermark.ts';
import { GAUGE_REACH_MS, isoSeconds, SETTLE_MS, WINDOW_MS, windowOf } from './windows.ts';

/** Windows that the gauge answers for, ms since 1970: from included, to not. */
export type GaugeSpan = Timeframe;

/** Until when windows are complete, ms since 1970; undefined before the first epoch. */
export function completeThroughMs({ newestMs }: IntervalWatermark): number | undefined {
  return newestMs === undefined ? undefined : newestMs - SETTLE_MS;
}

/** Why the gauge cannot answer, though the metric has it; undefined when it can. */
function leftOut(names: readonly string[]): string | undefined {
  const missing = names.filter((name) => NOW_LEAVES_OUT.has(name));
  return missing.length === 0 ? undefined : `viewers_now does not carry ${missing.join(', ')}`;
}

export function gaugeAnswers(metric: IntervalMetric, names: readonly string[]): boolean {
  return metric.now && leftOut(names) === undefined;
}

/**
 * The windows of a frame that the gauge answers for: those still filling, as far back as its rows surely reach, and not
 * before every partition has had an epoch: a view reports what was before, the gauge cannot.
 */
export function gaugeSpan(
  frame: Timeframe,
  watermark: IntervalWatermark,
  nowMs: number,
): GaugeSpan | undefined {
  const completeMs = completeThroughMs(watermark);
  if (completeMs === undefined) return undefined;
  const known = [completeMs, watermark.firstMs, nowMs - GAUGE_REACH_MS].map(windowOf);
  const fromMs = Math.max(frame.fromMs, ...known);
  // What is to come has no state yet.
  const toMs = Math.min(frame.toMs, windowOf(nowMs) + WINDOW_MS);
  return fromMs < toMs ? { fromMs, toMs } : undefined;
}

export interface SourceMeta {
  readonly complete_through: string | null;
  /** `playback_5s`, `viewers_now`, or `both`. */
  readonly source: string;
  /** From this window on points are of the gauge. */
  readonly gauge_from: string | null;
  /** Newest epoch that every partition has; the gauge's later points carry the state of then forward. */
  readonly gauge_through: string | null;
  /** Why windows that are still filling are not answered by the gauge. */
  readonly gauge_left_out?: string;
}

export function sourceMeta(
  metric: IntervalMetric,
  names: readonly string[],
  frame: Timeframe,
  span: GaugeSpan | undefined,
  watermark: IntervalWatermark,
): SourceMeta {
  const completeMs = completeThroughMs(watermark);
  const reason = metric.now ? leftOut(names) : undefined;
  const all = span !== undefined && span.fromMs === frame.fromMs;
  const iso = (timeMs: number | undefined): string | null =>
    timeMs === undefined ? null : new Date(timeMs).toISOString();
  return {
    complete_through: iso(completeMs),
    source: span === undefined ? 'playback_5s' : all ? 'viewers_now' : 'both',
    gauge_from: span === undefined ? null : isoSeconds(span.fromMs),
    gauge_through: span === undefined ? null : iso(watermark.newestMs),
    ...(reason === undefined ? {} : { gauge_left_out: reason }),
  };
}
