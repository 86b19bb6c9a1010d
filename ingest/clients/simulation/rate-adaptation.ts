/**
 * Which rendition a player asks for next: what the measured throughput carries with some safety, and less when the
 * buffer runs low.
 */
import { LADDER } from './assets.ts';

/** Weight of a new measurement; the slower and the faster of two means, the smaller counts. */
const FAST_WEIGHT = 0.5;
const SLOW_WEIGHT = 0.15;
/** Bodies smaller than this say nothing of the rate. */
const MEASURED_BYTES_MIN = 16_000;
/** Below so many segments in the buffer the rendition goes down by one; above, it may go up by one. */
const LOW_SEGMENTS = 0.75;
const RISE_SEGMENTS = 1.5;

export interface AdaptationOptions {
  /** Share of the measured throughput that is used. */
  readonly safety: number;
  readonly heightMax: number;
  /** First guess, kbit/s. */
  readonly guessKilobits: number;
}

export class RateAdaptation {
  readonly #safety: number;
  readonly #top: number;
  #fast: number;
  #slow: number;
  #rung = -1;

  constructor({ safety, heightMax, guessKilobits }: AdaptationOptions) {
    this.#safety = safety;
    this.#top = LADDER.findLastIndex(({ height }) => height <= heightMax);
    this.#fast = guessKilobits;
    this.#slow = guessKilobits;
  }

  get kilobits(): number {
    return Math.min(this.#fast, this.#slow);
  }

  /** Takes note of a body of some bytes that took some ms, from the request on. */
  measure(bytes: number, ms: number): void {
    if (bytes < MEASURED_BYTES_MIN || ms <= 0) return;
    const kilobits = (bytes * 8) / ms;
    this.#fast += FAST_WEIGHT * (kilobits - this.#fast);
    this.#slow += SLOW_WEIGHT * (kilobits - this.#slow);
  }

  /** Place in the ladder of the next segment. */
  choose(bufferMs: number, segmentMs: number): number {
    const carried = this.#carried();
    const before = this.#rung;
    if (before < 0) this.#rung = carried;
    else if (bufferMs < LOW_SEGMENTS * segmentMs) this.#rung = Math.min(carried, before - 1);
    else if (carried > before && bufferMs > RISE_SEGMENTS * segmentMs) this.#rung = before + 1;
    else this.#rung = Math.min(carried, before);
    this.#rung = Math.max(0, this.#rung);
    return this.#rung;
  }

  #carried(): number {
    const bits = this.kilobits * 1_000 * this.#safety;
    const rung = LADDER.findLastIndex(({ bitrate }) => bitrate <= bits);
    return Math.max(0, Math.min(rung, this.#top));
  }
}
