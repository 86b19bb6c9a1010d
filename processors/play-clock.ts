/**
 * How much of a view was playing up to a moment: a sum that grows only while it plays. Reports that come later than
 * the states (a response says what was on screen when it ended) are weighed by it, wherever they fall.
 *
 * The last `SPANS_MAX` spans are kept; a moment before them counts as the start of the oldest.
 */

const SPANS_MAX = 64;

interface Span {
  /** Start and end on the view's line, ms. */
  readonly fromMs: number;
  toMs: number;
  /** Playing time before it, ms. */
  readonly beforeMs: number;
}

export class PlayClock {
  #spans: Span[] = [];
  totalMs = 0;
  /** The moment on the line up to which the states are known, ms. */
  knownToMs = 0;

  /** Adds a stretch of playing that begins at `fromMs`, not before the end of the one added last. */
  add(fromMs: number, durationMs: number): void {
    if (durationMs <= 0) return;
    const last = this.#spans.at(-1);
    if (last !== undefined && last.toMs === fromMs) last.toMs += durationMs;
    else this.#spans.push({ fromMs, toMs: fromMs + durationMs, beforeMs: this.totalMs });
    this.totalMs += durationMs;
    if (this.#spans.length > SPANS_MAX) this.#spans.shift();
  }

  /** Playing time before a moment on the line, ms. */
  playedBefore(lineMs: number): number {
    for (let index = this.#spans.length - 1; index >= 0; index--) {
      const span = this.#spans[index];
      if (span !== undefined && lineMs >= span.fromMs) {
        return span.beforeMs + Math.min(lineMs, span.toMs) - span.fromMs;
      }
    }
    return this.#spans[0]?.beforeMs ?? 0;
  }
}
