/** Interval figures of windows of 5 s, in plain code, from the spans of views. */
import type { RawView } from './raw-recomputed.ts';
import { type Kind, lengthMs, type RawSpan } from './raw-timeline.ts';

export const WINDOW_MS = 5_000;

/** What a window of 5 s holds. */
export interface Window {
  /** The spans of each view that is there, cut by the window. */
  readonly views: readonly (readonly RawSpan[])[];
  /** Rebuffer events that began in it. */
  readonly rebufferStarts: number;
}

export function windowAt(atMs: number, all: readonly RawView[]): Window {
  const toMs = atMs + WINDOW_MS;
  const within = (ms: number): boolean => ms >= atMs && ms < toMs;
  const cut = (span: RawSpan): RawSpan => ({
    ...span,
    fromMs: Math.max(span.fromMs, atMs),
    toMs: Math.min(span.toMs, toMs),
  });
  // A report is a moment in which its view is there, though no time may come after it.
  const touches = (span: RawSpan): boolean => within(span.fromMs) || lengthMs(cut(span)) > 0;
  const views = all
    .filter(({ startMs, endMs }) => startMs < toMs && endMs >= atMs)
    .map(({ spans }) => spans.filter(touches).map(cut));
  const begins = all.flatMap(({ rebufferStartsMs }) => rebufferStartsMs).filter(within);
  return { views, rebufferStarts: begins.length };
}

const timeIn = ({ views }: Window, weight: (span: RawSpan) => number): number =>
  views.flat().reduce((total, span) => total + lengthMs(span) * weight(span), 0);
const is = (kind: Kind) => (span: RawSpan) => (span.kind === kind ? 1 : 0);
const over = (top: number, bottom: number): number | null => (bottom > 0 ? top / bottom : null);

/** The mean over playing time of what was known then. */
function meanIn(window: Window, value: (span: RawSpan) => number | undefined): number | null {
  const known = (span: RawSpan) => (value(span) === undefined ? 0 : is('playing')(span));
  return over(
    timeIn(window, (span) => known(span) * (value(span) ?? 0)),
    timeIn(window, known),
  );
}

/** What the definitions say of one window. */
export const windowFigures: Readonly<Record<string, (window: Window) => number | null>> = {
  'current-concurrent-viewers': ({ views }) =>
    views.filter((spans) => spans.some(({ viewing }) => viewing)).length,
  'current-average-concurrent-viewers': (window) =>
    timeIn(window, ({ viewing }) => (viewing ? 1 : 0)) / WINDOW_MS,
  'current-rebuffering-percentage': (window) => {
    const rebufferingMs = timeIn(window, is('rebuffering'));
    return over(rebufferingMs, rebufferingMs + timeIn(window, is('playing')));
  },
  'current-average-bitrate': (window) => meanIn(window, ({ bitrate }) => bitrate),
  'live-stream-latency': (window) => meanIn(window, ({ latencyMs }) => latencyMs),
  'current-rebuffer-starts': ({ rebufferStarts }) => rebufferStarts,
};
