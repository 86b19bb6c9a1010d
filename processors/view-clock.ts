/**
 * The time of one view (METRICS "A view", rules 7 and 8).
 *
 * Durations are differences of the client's own timestamps. The *line* is the client's time with its steps taken out:
 * it never goes back. A place in time is the line plus a shift, measured on the first beats and then fixed.
 *
 * Guarantee: what was taken keeps a place that is not before what may be said of the past, whatever is measured later.
 */
export class ViewClock {
  trusted = false;
  /** Log's clock minus client's, ms: the smallest seen while it is measured. */
  shiftMs = Number.POSITIVE_INFINITY;
  fixed = false;
  /** Below this the shift would put something that was taken too far into the past: a step of the clock, no measure. */
  floorMs = Number.NEGATIVE_INFINITY;
  /** The smallest seen ever; moves nothing. */
  skewMs = Number.POSITIVE_INFINITY;
  /** What steps of the client's clock add to its timestamps to give the line. */
  adjustMs = 0;
  /** Client's timestamp of the latest event in order; NaN before the first. */
  lastAt = Number.NaN;
  /** The line at that event. */
  lineMs = 0;
  /** Reports whose timestamp preceded their predecessor's. */
  disordered = 0;

  /** True once a beat was measured. */
  get measured(): boolean {
    return Number.isFinite(this.skewMs);
  }

  /** Measures on a beat that came at `nowMs` and whose latest timestamp is `latestAt`. */
  measure(latestAt: number, nowMs: number): void {
    const offset = nowMs - latestAt;
    if (this.trusted) this.shiftMs = 0;
    if (offset < this.skewMs) this.skewMs = offset;
    if (this.fixed || this.trusted || offset < this.floorMs) return;
    if (offset < this.shiftMs) this.shiftMs = offset;
  }

  /** Something at this place on the line was taken: it may not come to lie before `earliestMs`. */
  keep(lineMs: number, earliestMs: number): void {
    if (!this.fixed) this.floorMs = Math.max(this.floorMs, earliestMs - lineMs);
  }

  /** Where a client's timestamp lies on the log's clock, ms. */
  placeAt(at: number): number {
    return this.placeLine(at + this.adjustMs);
  }

  placeLine(lineMs: number): number {
    return lineMs + this.shiftMs;
  }

  /** The line at a timestamp, without moving. */
  lineAt(at: number): number {
    return at + this.adjustMs;
  }

  /**
   * Moves to the next event in order and returns the time since the one before, ms. A step of the clock, backward or
   * to more than `futureMs` after the append time, is one step of zero; later differences count.
   */
  advance(at: number, nowMs: number, futureMs: number): number {
    const first = Number.isNaN(this.lastAt);
    let elapsedMs = first ? 0 : at - this.lastAt;
    if (elapsedMs < 0) this.disordered++;
    const tooFar = this.placeAt(at) > nowMs + futureMs;
    if (elapsedMs < 0 || tooFar) {
      elapsedMs = 0;
      this.adjustMs = first ? nowMs - this.shiftMs - at : this.lineMs - at;
    }
    this.lastAt = at;
    this.lineMs = at + this.adjustMs;
    return elapsedMs;
  }
}
