/** Which windows a question is about: `timeframe[]` or `timestamp`, or what Mux Data takes without either. */
import { refuse } from '../errors.ts';
import { parseTimeframe, type Timeframe } from '../parameters/timeframe.ts';
import type { MonitoringLimits } from './limits.ts';
import { SETTLE_MS, WINDOW_MS, wholeWindows, windowOf } from './windows.ts';

const MINUTE_MS = 60_000;
/** What a time series covers unless asked otherwise, ms. */
const SERIES_MS = 30 * MINUTE_MS;
/** What a breakdown over time covers unless asked otherwise, ms. */
const BREAKDOWN_SERIES_MS = MINUTE_MS;
/** Figures that lag by more than this, ms, are not waited for: the question is then about the present all the same. */
const LAG_MS_MAX = 10 * MINUTE_MS;

export interface FrameQuery {
  readonly 'timeframe[]'?: string[];
  /** Seconds since 1970. */
  readonly timestamp?: number;
}

/** What is known of time when a question comes. */
export interface Present {
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
  /** Windows that end by then are complete, ms since 1970; undefined before the first epoch. */
  readonly completeMs: number | undefined;
  /** True when the gauge can answer for windows that are still filling. */
  readonly gauge: boolean;
}

type FrameLimits = Pick<MonitoringLimits, 'frameMsMax'>;

/** One window: the one of `timestamp`, else the newest that can be answered. `timeframe[]` joins several. */
export function breakdownFrame(
  query: FrameQuery,
  present: Present,
  limits: FrameLimits,
): Timeframe {
  const toMs = newestEnd(present);
  const fromMs = query.timestamp === undefined ? toMs - WINDOW_MS : query.timestamp * 1_000;
  return frameOf(query, { fromMs, toMs: fromMs + 1 }, present, limits);
}

/** From `timestamp`, else from half an hour ago, up to now. */
export function seriesFrame(query: FrameQuery, present: Present, limits: FrameLimits): Timeframe {
  const toMs = nowEnd(present);
  const fromMs = query.timestamp === undefined ? toMs - SERIES_MS : query.timestamp * 1_000;
  return frameOf(query, { fromMs, toMs: Math.max(toMs, fromMs + 1) }, present, limits);
}

/** The newest minute that can be answered. */
export function breakdownSeriesFrame(
  query: FrameQuery,
  present: Present,
  limits: FrameLimits,
): Timeframe {
  const toMs = newestEnd(present);
  return frameOf(query, { fromMs: toMs - BREAKDOWN_SERIES_MS, toMs }, present, limits);
}

/** End of the window that now lies in. */
const nowEnd = ({ nowMs }: Present): number => windowOf(nowMs) + WINDOW_MS;

/** End of the newest window that has an answer: the present one by the gauge, the newest complete one without it. */
function newestEnd(present: Present): number {
  if (present.gauge) return nowEnd(present);
  const completeMs = present.completeMs ?? present.nowMs - SETTLE_MS;
  return windowOf(Math.max(present.nowMs - LAG_MS_MAX, Math.min(completeMs, present.nowMs)));
}

function frameOf(
  query: FrameQuery,
  standard: Timeframe,
  present: Present,
  { frameMsMax }: FrameLimits,
): Timeframe {
  const asked = query['timeframe[]'] ?? [];
  if (asked.length > 0 && query.timestamp !== undefined) {
    const detail = 'timestamp and timeframe[] both name a time; send one of them';
    throw refuse('parameter_invalid', { detail });
  }
  // A duration ends with the present window, so that a minute is twelve windows and not thirteen.
  const frame = asked.length > 0 ? parseTimeframe(asked, nowEnd(present)) : standard;
  const whole = wholeWindows(frame);
  if (frame.toMs - frame.fromMs > frameMsMax) {
    const detail = `the timeframe is ${Math.round((frame.toMs - frame.fromMs) / 1_000)} s long; interval figures are answered for ${frameMsMax / 1_000} s at once (frameMsMax). Take a shorter one, or ask /data/v1/metrics`;
    throw refuse('parameter_invalid', { detail });
  }
  return whole;
}
