/**
 * The time of one view (METRICS "A view", rules 7 and 8).
 *
 * Durations are differences of the client's own timestamps. The *line* is the client's time with its steps taken out:
 * it never goes back. A place in time is the line plus a shift, measured on the first beats and then fixed.
 */
export class ViewClock {
  trusted = false;
  /** Log's clock minus client's, ms: the smallest seen while it is measured. */
  shiftMs = Number.POSITIVE_INFINITY;
  fixed = false;
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
    if (!this.fixed && !this.trusted && offset < this.shiftMs) this.shiftMs = offset;
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
