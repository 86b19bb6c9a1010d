/** The stretch of a timeline that is seen, and places in it. All times are ms since 1970. */

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Nothing shorter is shown, ms. */
const SPAN_MIN_MS = 200;

/** Share of the window, 0 at its begin, 1 at its end; beyond both outside. */
export const placeOf = ({ fromMs, toMs }: Window, timeMs: number): number =>
  (timeMs - fromMs) / (toMs - fromMs);

export const timeAt = ({ fromMs, toMs }: Window, place: number): number =>
  fromMs + Math.min(1, Math.max(0, place)) * (toMs - fromMs);

/** A window around a time, `factor` times as long, within the whole. */
export function zoomed(window: Window, whole: Window, aroundMs: number, factor: number): Window {
  const span = (window.toMs - window.fromMs) * factor;
  const place = placeOf(window, aroundMs);
  return within({ fromMs: aroundMs - place * span, toMs: aroundMs + (1 - place) * span }, whole);
}

/** The window moved and shortened into the whole. */
export function within({ fromMs, toMs }: Window, whole: Window): Window {
  const wholeSpan = whole.toMs - whole.fromMs;
  const span = Math.min(Math.max(toMs - fromMs, SPAN_MIN_MS), wholeSpan);
  const from = Math.min(Math.max(fromMs, whole.fromMs), whole.toMs - span);
  return { fromMs: from, toMs: from + span };
}

/** From the first event to the last thing known; never empty. */
export function wholeOf(timesMs: readonly number[]): Window {
  const known = timesMs.filter((timeMs) => Number.isFinite(timeMs));
  const fromMs = known.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const toMs = known.reduce((one, other) => Math.max(one, other), Number.NEGATIVE_INFINITY);
  if (known.length === 0) return { fromMs: 0, toMs: SPAN_MIN_MS };
  return { fromMs, toMs: Math.max(toMs, fromMs + SPAN_MIN_MS) };
}
