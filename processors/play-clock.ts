/**
 * How much of a view was playing up to a moment: a sum that grows only while it plays. Reports that come later than
 * the states (a response says what was on screen when it ended) are weighed by it, wherever they fall.
 *
 * Moments are the client's own timestamps. Where its clock stepped back and a timestamp came twice, the later is meant.
 * The last `SPANS_MAX` spans are kept; a moment before them counts as the start of the oldest.
 */
import { FoldCounters } from './fold-counters.ts';

export const SPANS_MAX = 64;

export interface Span {
  /** Start and end, client's timestamps, ms. */
  readonly fromAt: number;
  toAt: number;
  /** Playing time before it, ms. */
  readonly beforeMs: number;
}

export interface SavedPlayClock {
  readonly spans: readonly Span[];
  readonly totalMs: number;
}

export class PlayClock {
  #spans: Span[] = [];
  totalMs = 0;
  readonly #counters: FoldCounters;

  constructor(counters = new FoldCounters()) {
    this.#counters = counters;
  }

  static load({ spans, totalMs }: SavedPlayClock, counters: FoldCounters): PlayClock {
    const clock = new PlayClock(counters);
    clock.#spans = [...spans];
    clock.totalMs = totalMs;
    return clock;
  }

  save(): SavedPlayClock {
    return { spans: this.#spans, totalMs: this.totalMs };
  }

  /** Adds a stretch of playing that begins at the client's timestamp `fromAt`. */
  add(fromAt: number, durationMs: number): void {
    if (durationMs <= 0) return;
    const last = this.#spans.at(-1);
    if (last !== undefined && last.toAt === fromAt) last.toAt += durationMs;
    else this.#spans.push({ fromAt, toAt: fromAt + durationMs, beforeMs: this.totalMs });
    this.totalMs += durationMs;
    if (this.#spans.length <= SPANS_MAX) return;
    this.#spans.shift();
    this.#counters.spansForgotten++;
  }

  /** Playing time before a client's timestamp, ms. */
  playedBefore(at: number): number {
    for (let index = this.#spans.length - 1; index >= 0; index--) {
      const span = this.#spans[index];
      if (span !== undefined && at >= span.fromAt) {
        return span.beforeMs + Math.min(at, span.toAt) - span.fromAt;
      }
    }
    return this.#spans[0]?.beforeMs ?? 0;
  }
}
