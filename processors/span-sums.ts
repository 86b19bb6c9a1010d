/**
 * How a view's playing and rebuffering divide among the values that held meanwhile: renditions, or modes.
 *
 * Guarantee: what is known of all values together is never more than the view's own sums; the rest was played while
 * nothing was known. A value that comes back goes on where it was, so there is one sum for each value.
 */

/** Place of what is not known. */
export const NO_SPAN = -1;

export interface SpanSum {
  playingMs: number;
  rebufferMs: number;
  rebufferCount: number;
}

export interface Span<Value> extends SpanSum {
  readonly value: Value;
}

export interface SavedSpanSums<Value> {
  readonly spans: readonly Span<Value>[];
  readonly held: number;
  readonly rebuffering: number;
  readonly played: number;
}

export class SpanSums<Value> {
  readonly spans: Span<Value>[] = [];
  /** Place of the value that holds, of the one that held when the last rebuffering began, and of the one played last. */
  held = NO_SPAN;
  rebuffering = NO_SPAN;
  played = NO_SPAN;

  static load<Value>({ spans, ...places }: SavedSpanSums<Value>): SpanSums<Value> {
    const sums = new SpanSums<Value>();
    sums.spans.push(...spans);
    return Object.assign(sums, places);
  }

  save(): SavedSpanSums<Value> {
    const { spans, held, rebuffering, played } = this;
    return { spans, held, rebuffering, played };
  }

  /** The value that holds from now on, as `spans` has it or with sums of its own. */
  hold(place: number, value: Value): void {
    this.held = place >= 0 ? place : this.spans.length;
    if (place < 0) this.spans.push({ value, playingMs: 0, rebufferMs: 0, rebufferCount: 0 });
  }

  /** Nothing is known from now on. */
  release(): void {
    this.held = NO_SPAN;
  }

  addPlaying(playingMs: number): void {
    this.played = this.held;
    const span = this.spans[this.held];
    if (span !== undefined) span.playingMs += playingMs;
  }

  /** Adds time to the rebuffering that is open; without one, to the value that holds. */
  addRebuffering(rebufferMs: number, isOpen: boolean): void {
    const span = this.spans[isOpen ? this.rebuffering : this.held];
    if (span !== undefined) span.rebufferMs += rebufferMs;
  }

  beginRebuffering(): void {
    this.rebuffering = this.held;
    const span = this.spans[this.held];
    if (span !== undefined) span.rebufferCount++;
  }
}
