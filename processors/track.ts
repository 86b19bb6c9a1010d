/**
 * A value over a view's time, held until the next report that has one, and weighed by playing time.
 *
 * Reports may fall before others already taken, as long as they fall within `horizonMs` of what is known: until then the
 * points are kept, after that they are summed. So the sums are a function of the set of reports, not of their order.
 */
import type { PlayClock } from './play-clock.ts';

const POINTS_MAX = 128;

interface Point {
  /** Moment on the view's line, ms. */
  readonly lineMs: number;
  readonly value: number;
  /** Breaks ties between reports of one moment, independent of arrival. */
  readonly order: number;
}

export interface TrackSums {
  /** Playing time with a value, ms. */
  knownMs: number;
  /** Value × playing time over positive values, and over negative ones. */
  sumPositive: number;
  sumNegative: number;
  /** Extremes among values that were played. */
  max: number;
  min: number;
  /** Value played last; NaN before. */
  last: number;
  changes: number;
  rises: number;
  falls: number;
}

/** Marks a stretch whose value is not known. */
export const UNKNOWN = Number.NaN;

export class Track {
  readonly #horizonMs: number;
  #points: Point[] = [];
  #sums: TrackSums = {
    knownMs: 0,
    sumPositive: 0,
    sumNegative: 0,
    max: Number.NEGATIVE_INFINITY,
    min: Number.POSITIVE_INFINITY,
    last: Number.NaN,
    changes: 0,
    rises: 0,
    falls: 0,
  };

  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs;
  }

  add(lineMs: number, value: number, order: number, clock: PlayClock): void {
    const points = this.#points;
    let index = points.length;
    while (index > 0 && isAfter(points[index - 1], lineMs, order)) index--;
    // Before the first point kept lies what is summed already; a report that old is too late to matter.
    if (index === 0 && points.length > 0 && this.#sums.knownMs > 0) return;
    points.splice(index, 0, { lineMs, value, order });
    this.#settle(clock);
  }

  /** Sums up to the end of playing, the points not yet settled included. */
  sums(clock: PlayClock): TrackSums {
    const sums = { ...this.#sums };
    this.#points.forEach((point, index) => {
      const next = this.#points[index + 1];
      weigh(
        sums,
        point,
        next === undefined ? clock.totalMs : clock.playedBefore(next.lineMs),
        clock,
      );
    });
    return sums;
  }

  #settle(clock: PlayClock): void {
    const points = this.#points;
    const settledMs = clock.knownToMs - this.#horizonMs;
    for (;;) {
      const [first, second] = points;
      if (first === undefined || second === undefined) return;
      if (second.lineMs > settledMs && points.length <= POINTS_MAX) return;
      weigh(this.#sums, first, clock.playedBefore(second.lineMs), clock);
      points.shift();
    }
  }
}

function isAfter(point: Point | undefined, lineMs: number, order: number): boolean {
  if (point === undefined) return false;
  return point.lineMs > lineMs || (point.lineMs === lineMs && point.order > order);
}

function weigh(sums: TrackSums, point: Point, playedToMs: number, clock: PlayClock): void {
  const playedMs = playedToMs - clock.playedBefore(point.lineMs);
  const { value } = point;
  if (playedMs <= 0 || Number.isNaN(value)) return;
  sums.knownMs += playedMs;
  if (value > 0) sums.sumPositive += value * playedMs;
  else sums.sumNegative += value * playedMs;
  sums.max = Math.max(sums.max, value);
  sums.min = Math.min(sums.min, value);
  if (!Number.isNaN(sums.last) && sums.last !== value) {
    sums.changes++;
    if (value > sums.last) sums.rises++;
    else sums.falls++;
  }
  sums.last = value;
}
