/**
 * A value over a view's time, held until the next report that has one, and weighed by playing time.
 *
 * Reports about requests fall anywhere, also before others already taken. So points are kept for a while in log time
 * and summed after that: within it the sums are a function of the set of reports, not of their order. What comes after
 * that for a time already summed holds from there on: no playing time is weighed twice.
 */
import { FoldCounters } from './fold-counters.ts';
import type { PlayClock } from './play-clock.ts';

/** Points kept; beyond, the earliest are summed before their time. */
export const POINTS_MAX = 128;

export interface Point {
  /** Client's timestamp, ms. */
  readonly at: number;
  /** Playing time before it, ms; undefined for a report that is not in the order of states: looked up when weighed. */
  readonly playedMs: number | undefined;
  readonly value: number;
  /** Breaks ties between reports of one moment, independent of arrival. */
  readonly order: number;
  /** Log time at which it came, ms. */
  readonly arrivedMs: number;
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

export interface SavedPoint extends Omit<Point, 'playedMs'> {
  readonly playedMs: number | null;
}

export interface SavedTrack {
  readonly keepMs: number;
  readonly points: readonly SavedPoint[];
  /** Null while nothing was summed. */
  readonly sums: TrackSums | null;
  readonly held: number | null;
  /** Playing time up to which all is summed, ms. */
  readonly heldFromMs: number;
}

/** Marks a stretch whose value is not known. */
export const UNKNOWN = Number.NaN;

interface Placed {
  readonly playedMs: number;
  readonly point: Point;
}

export class Track {
  readonly #keepMs: number;
  readonly #counters: FoldCounters;
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

  /** @param keepMs How long a point is kept, ms of log time; 0 where all reports come in order. */
  constructor(keepMs: number, counters = new FoldCounters()) {
    this.#keepMs = keepMs;
    this.#counters = counters;
  }

  static load(saved: SavedTrack, counters: FoldCounters): Track {
    const { keepMs, points, sums, held, heldFromMs } = saved;
    const track = new Track(keepMs, counters);
    track.#points = points.map((point) => ({ ...point, playedMs: point.playedMs ?? undefined }));
    if (sums !== null) track.#sums = { ...sums };
    track.#held = held ?? undefined;
    track.#heldFromMs = heldFromMs;
    return track;
  }

  save(): SavedTrack {
    return {
      keepMs: this.#keepMs,
      points: this.#points.map((point) => ({ ...point, playedMs: point.playedMs ?? null })),
      sums: this.#sums.knownMs === 0 ? null : this.#sums,
      held: this.#held ?? null,
      heldFromMs: this.#heldFromMs,
    };
  }

  add(point: Point, clock: PlayClock): void {
    if (this.#keepMs === 0 && point.playedMs !== undefined) {
      this.#follow(point.playedMs, point, clock);
      return;
    }
    // Where the reports in order have a value, another source fills nothing in.
    if (this.#keepMs === 0 && !Number.isNaN(this.#held ?? UNKNOWN)) return;
    this.#points.push(point);
    const oldest = this.#points[0];
    if (oldest === undefined || this.#points.length < 2) return;
    const due = oldest.arrivedMs + this.#keepMs <= point.arrivedMs;
    if (due || this.#points.length > POINTS_MAX) this.#settle(point.arrivedMs, clock);
  }

  /** All reports come in order: the value held so far is summed at once. */
  #follow(playedMs: number, point: Point, clock: PlayClock): void {
    if (this.#points.length > 0) {
      // What another source said in between has held since.
      this.#addTo(this.#sums, clock, playedMs);
      this.#points = [];
    } else if (this.#held !== undefined) {
      weigh(this.#sums, this.#heldFromMs, this.#held, playedMs);
    }
    this.#held = point.value;
    this.#heldFromMs = playedMs;
  }

  #held: number | undefined;
  #heldFromMs = 0;

  /** Sums up to the end of playing, the points not yet settled included. */
  sums(clock: PlayClock): TrackSums {
    const sums = { ...this.#sums };
    this.#addTo(sums, clock, clock.totalMs);
    return sums;
  }

  /** Adds what is held and the points, each up to the next and the last up to `toMs` of playing time. */
  #addTo(sums: TrackSums, clock: PlayClock, toMs: number): void {
    const placed = this.#placed(clock);
    const firstMs = placed[0]?.playedMs ?? toMs;
    if (this.#held !== undefined) weigh(sums, this.#heldFromMs, this.#held, firstMs);
    placed.forEach((entry, index) => {
      weigh(sums, entry.playedMs, entry.point.value, placed[index + 1]?.playedMs ?? toMs);
    });
  }

  /** Sums the earliest points while they and their successors have been kept long enough. */
  #settle(nowMs: number, clock: PlayClock): void {
    const placed = this.#placed(clock);
    if (this.#held !== undefined) {
      weigh(this.#sums, this.#heldFromMs, this.#held, placed[0]?.playedMs ?? this.#heldFromMs);
      this.#held = undefined;
    }
    let settled = 0;
    for (; settled + 1 < placed.length; settled++) {
      const entry = placed[settled];
      const next = placed[settled + 1];
      if (entry === undefined || next === undefined) break;
      const kept = Math.max(entry.point.arrivedMs, next.point.arrivedMs) + this.#keepMs <= nowMs;
      if (!kept && placed.length - settled <= POINTS_MAX) break;
      if (!kept) this.#counters.pointsSummedEarly++;
      weigh(this.#sums, entry.playedMs, entry.point.value, next.playedMs);
    }
    this.#points = placed.slice(settled).map(({ point }) => point);
    this.#heldFromMs = placed[settled]?.playedMs ?? this.#heldFromMs;
  }

  #placed(clock: PlayClock): Placed[] {
    const placed = this.#points.map((point) => ({
      point,
      playedMs: Math.max(this.#heldFromMs, point.playedMs ?? clock.playedBefore(point.at)),
    }));
    if (placed.length > 1) placed.sort(byPlace);
    return placed;
  }
}

function byPlace(one: Placed, other: Placed): number {
  return (
    one.playedMs - other.playedMs ||
    one.point.at - other.point.at ||
    one.point.order - other.point.order
  );
}

/** Adds a value that held over playing time from one sum of it to another. */
function weigh(sums: TrackSums, fromMs: number, value: number, toMs: number): void {
  const playedMs = toMs - fromMs;
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
