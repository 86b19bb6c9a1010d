/**
 * How many views are in each state now, for each tuple. Kept up by increments: a view that changes nothing costs
 * nothing. Written at the end of each epoch as `viewers_now`.
 */
import type { RowWriter } from '../platform/store/row-binary.ts';
import { STATE } from './states.ts';
import type { Tuples } from './tuples.ts';
import type { RowEnds } from './window-cells.ts';

/** States that are counted, in the order of the columns. */
const COUNTED: readonly number[] = [
  STATE.starting,
  STATE.playing,
  STATE.rebuffering,
  STATE.seeking,
  STATE.paused,
];

/** Where a view is counted: its tuple without what the gauge leaves out, and its state; -1 nowhere. */
export interface GaugePlace {
  tuple: number;
  state: number;
}

/** Views of one tuple: starting, playing, rebuffering, seeking, paused. */
export interface SavedGauge {
  readonly tuple: number;
  readonly counts: readonly number[];
}

export class ViewersGauge {
  #counts = new Map<number, Int32Array>();

  get size(): number {
    return this.#counts.size;
  }

  has(tuple: number): boolean {
    return this.#counts.has(tuple);
  }

  /** Tuples that have counts, in the order of their rows. */
  tuples(): Iterable<number> {
    return this.#counts.keys();
  }

  *saved(): Generator<SavedGauge> {
    for (const [tuple, counts] of this.#counts) yield { tuple, counts: [...counts] };
  }

  /** Puts back the next that `saved` gave. */
  restore({ tuple, counts }: SavedGauge): void {
    this.#counts.set(tuple, Int32Array.from(counts));
  }

  /** Tuples have new numbers. */
  renumber(numbers: Int32Array): void {
    this.#counts = new Map(
      Array.from(this.#counts, ([tuple, counts]) => [numbers[tuple] ?? -1, counts]),
    );
  }

  /** Moves a view to where it belongs now; `state` -1 takes it out. */
  move(place: GaugePlace, tuple: number, state: number): void {
    const counted = COUNTED.includes(state) ? state : -1;
    if (place.state === counted && (counted < 0 || place.tuple === tuple)) return;
    this.#add(place.tuple, place.state, -1);
    this.#add(tuple, counted, 1);
    place.tuple = tuple;
    place.state = counted;
  }

  /** Writes a row for each tuple that has views. */
  write(out: RowWriter, tuples: Tuples, atMs: number, rows: RowEnds): void {
    for (const [id, counts] of this.#counts) {
      if (counts.every((count) => count === 0)) {
        this.#counts.delete(id);
        continue;
      }
      const { projectBytes, nowBytes } = tuples.get(id);
      out.raw(projectBytes);
      out.dateTime64Ms(atMs);
      out.raw(nowBytes);
      for (const count of counts) out.int64(count);
      rows.end(out);
    }
  }

  #add(tuple: number, state: number, by: number): void {
    if (state < 0) return;
    let counts = this.#counts.get(tuple);
    if (counts === undefined) {
      counts = new Int32Array(COUNTED.length);
      this.#counts.set(tuple, counts);
    }
    const index = COUNTED.indexOf(state);
    counts[index] = (counts[index] ?? 0) + by;
  }
}
