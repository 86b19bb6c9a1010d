/**
 * The cells of `playback_5s` that an epoch touches: one for each window and tuple, columns of numbers addressed by a
 * slot, sketches as chained buckets. A cell is a partial sum; what an earlier epoch wrote of it stays.
 *
 * Guarantee: sums are exact. A sum that would pass what a number holds exactly goes on in another row of the same cell.
 */
import type { RowWriter } from '../platform/store/row-binary.ts';
import { playbackSketches, playbackSums } from '../schemas/tables/tables.ts';
import type { Tuples } from './tuples.ts';

const SUMS = playbackSums.length;
const SKETCHES = playbackSketches.length;
/** Room for tuples in a cell's key: windows × 2^21 stays below 2^53 until the year 2600. */
const TUPLE_ROOM = 2 ** 21;
const SLOTS_INITIAL = 1_024;

/** Position of each sum and each sketch, by column. */
export const SUM = positions(playbackSums.map(({ name }) => name));
export const SKETCH = positions(playbackSketches.map(({ name }) => name));

function positions<Name extends string>(list: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(list.map((name, index) => [name, index])) as Record<Name, number>;
}

/** What ends a row of a table, and what is done about one that cannot be written. */
export interface RowEnds {
  end(out: RowWriter): void;
  failed(error: unknown): void;
}

export class IntervalCells {
  readonly #slots = new Map<number, number>();
  #keys: number[] = [];
  #sums = new Float64Array(SLOTS_INITIAL * SUMS);
  #heads = new Int32Array(SLOTS_INITIAL * SKETCHES).fill(-1);
  #buckets: number[] = [];
  #weights: number[] = [];
  #nexts: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  /** The slot of a window (its number) and a tuple. */
  slot(window: number, tuple: number): number {
    const key = window * TUPLE_ROOM + tuple;
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    return this.#open(key);
  }

  #open(key: number): number {
    const slot = this.#keys.length;
    this.#slots.set(key, slot);
    this.#keys.push(key);
    if ((slot + 1) * SUMS > this.#sums.length) this.#grow();
    return slot;
  }

  add(slot: number, sum: number, value: number): void {
    const index = slot * SUMS + sum;
    const before = this.#sums[index] ?? 0;
    const total = before + value;
    const full = total > Number.MAX_SAFE_INTEGER && before > 0;
    if (full) this.add(this.#open(this.#keys[slot] ?? 0), sum, value);
    else this.#sums[index] = total;
  }

  addToSketch(slot: number, sketch: number, bucket: number, weight: number): void {
    const head = slot * SKETCHES + sketch;
    for (let index = this.#heads[head] ?? -1; index >= 0; index = this.#nexts[index] ?? -1) {
      if (this.#buckets[index] === bucket) {
        this.#weights[index] = (this.#weights[index] ?? 0) + weight;
        return;
      }
    }
    this.#nexts.push(this.#heads[head] ?? -1);
    this.#buckets.push(bucket);
    this.#weights.push(weight);
    this.#heads[head] = this.#buckets.length - 1;
  }

  /** Writes a row for each cell that is not all zero, then forgets the cells. */
  write(out: RowWriter, tuples: Tuples, windowSeconds: number, rows: RowEnds): void {
    for (let slot = 0; slot < this.#keys.length; slot++) {
      if (this.#isZero(slot)) continue;
      try {
        this.#writeRow(out, tuples, windowSeconds, slot);
        rows.end(out);
      } catch (error) {
        rows.failed(error);
      }
    }
    this.#reset();
  }

  #writeRow(out: RowWriter, tuples: Tuples, windowSeconds: number, slot: number): void {
    const key = this.#keys[slot] ?? 0;
    const { projectBytes, valueBytes } = tuples.get(key % TUPLE_ROOM);
    out.raw(projectBytes);
    out.uint32(Math.floor(key / TUPLE_ROOM) * windowSeconds);
    out.raw(valueBytes);
    for (let sum = 0; sum < SUMS; sum++) out.int64(this.#sums[slot * SUMS + sum] ?? 0);
    for (let sketch = 0; sketch < SKETCHES; sketch++) this.#writeSketch(out, slot, sketch);
  }

  #writeSketch(out: RowWriter, slot: number, sketch: number): void {
    const head = this.#heads[slot * SKETCHES + sketch] ?? -1;
    let size = 0;
    for (let index = head; index >= 0; index = this.#nexts[index] ?? -1) size++;
    out.varuint(size);
    for (let index = head; index >= 0; index = this.#nexts[index] ?? -1) {
      out.uint16(this.#buckets[index] ?? 0);
      out.int64(this.#weights[index] ?? 0);
    }
  }

  #isZero(slot: number): boolean {
    for (let sum = 0; sum < SUMS; sum++) if (this.#sums[slot * SUMS + sum] !== 0) return false;
    for (let sketch = 0; sketch < SKETCHES; sketch++) {
      let index = this.#heads[slot * SKETCHES + sketch] ?? -1;
      for (; index >= 0; index = this.#nexts[index] ?? -1)
        if (this.#weights[index] !== 0) return false;
    }
    return true;
  }

  #reset(): void {
    this.#sums.fill(0, 0, this.#keys.length * SUMS);
    this.#heads.fill(-1, 0, this.#keys.length * SKETCHES);
    this.#slots.clear();
    this.#keys = [];
    this.#buckets = [];
    this.#weights = [];
    this.#nexts = [];
  }

  #grow(): void {
    const sums = new Float64Array(this.#sums.length * 2);
    sums.set(this.#sums);
    this.#sums = sums;
    const heads = new Int32Array(this.#heads.length * 2).fill(-1);
    heads.set(this.#heads);
    this.#heads = heads;
  }
}
