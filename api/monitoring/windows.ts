/**
 * Time of the interval figures: windows of 5 s that begin at multiples of 5 s, and buckets of joined windows.
 *
 * Guarantee: frames and buckets begin and end at window bounds; a window belongs to the bucket it begins in.
 */
import type { Timeframe } from '../parameters/timeframe.ts';

/** Length of a window of `playback_5s`, ms. */
export const WINDOW_MS = 5_000;

/**
 * How long a window keeps filling after log time has passed it, ms. Time is credited when the next report of a view
 * tells what became of it, and players report at least every half minute.
 */
export const SETTLE_MS = 30_000;

/** How long rows of `viewers_now` are kept (the table's TTL), ms. */
export const GAUGE_KEPT_MS = 3_600_000;

/** How far back the gauge answers, ms: less than its rows are kept, so that none is missing. */
export const GAUGE_REACH_MS = 3_000_000;

/** What windows are joined into. */
export const JOINS = ['five_seconds', 'minute', 'ten_minutes', 'hour'] as const;
export type Join = (typeof JOINS)[number];

export const joinMs: Readonly<Record<Join, number>> = {
  five_seconds: WINDOW_MS,
  minute: 60_000,
  ten_minutes: 600_000,
  hour: 3_600_000,
};

/** Begin of the window that a moment lies in, ms since 1970. */
export const windowOf = (timeMs: number): number => Math.floor(timeMs / WINDOW_MS) * WINDOW_MS;

/** The windows that a timeframe touches, whole. */
export function wholeWindows({ fromMs, toMs }: Timeframe): Timeframe {
  return { fromMs: windowOf(fromMs), toMs: windowOf(toMs + WINDOW_MS - 1) };
}

/** A stretch of joined windows, cut by the frame at both ends. */
export interface Bucket {
  /** Begin of the bucket, ms since 1970: a multiple of its length. */
  readonly atMs: number;
  /** Windows of the frame in it. */
  readonly windows: number;
}

/** The buckets of a frame of whole windows, oldest first. */
export function bucketsOf({ fromMs, toMs }: Timeframe, sizeMs: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (let atMs = Math.floor(fromMs / sizeMs) * sizeMs; atMs < toMs; atMs += sizeMs) {
    const lengthMs = Math.min(toMs, atMs + sizeMs) - Math.max(fromMs, atMs);
    buckets.push({ atMs, windows: lengthMs / WINDOW_MS });
  }
  return buckets;
}

/** ISO time in whole seconds. */
export const isoSeconds = (timeMs: number): string =>
  new Date(timeMs).toISOString().replace('.000Z', 'Z');
