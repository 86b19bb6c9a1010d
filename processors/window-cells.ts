/**
 * The cells of an interval table that an epoch touches: one for each window and combination of dimensions, columns of
 * numbers addressed by a slot, sketches as chained buckets. A cell is a partial sum; what an earlier epoch wrote stays.
 *
 * Guarantee: sums are exact. A sum that would pass what a number holds exactly goes on in another row of the same cell.
 */
import type { RowWriter } from '../platform/store/row-binary.ts';

/** Length of a window, ms; windows begin at multiples of it. */
export const WINDOW_MS = 5_000;
const WINDOW_SECONDS = WINDOW_MS / 1_000;
/** Room for combinations in a cell's key: windows × 2^21 stays below 2^53 until the year 2600. */
const COMBINATION_ROOM = 2 ** 21;
const SLOTS_INITIAL = 1_024;

/** What ends a row of a table, and what is done about one that cannot be written. */
export interface RowEnds {
  end(out: RowWriter): void;
  failed(error: unknown): void;
}

/** Values that a row begins with: those before its window and those after it, as row bytes. */
export interface CellHead {
  readonly projectBytes: Buffer;
  readonly valueBytes: Buffer;
}

/** Position of each column, by name. */
export function positionsOf<Name extends string>(
  columns: readonly { readonly name: Name }[],
): Readonly<Record<Name, number>> {
  const entries = columns.map(({ name }, index) => [name, index]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

export class WindowCells {
  readonly #sumCount: number;
  readonly #sketchCount: number;
  readonly #slots = new Map<number, number>();
  #keys: number[] = [];
  #sums: Float64Array;
  #heads: Int32Array;
  #buckets: number[] = [];
  #weights: number[] = [];
  #nexts: number[] = [];

  constructor(sums: readonly unknown[], sketches: readonly unknown[]) {
    this.#sumCount = sums.length;
    this.#sketchCount = sketches.length;
    this.#sums = new Float64Array(SLOTS_INITIAL * this.#sumCount);
    this.#heads = new Int32Array(SLOTS_INITIAL * this.#sketchCount).fill(-1);
  }

  get size(): number {
    return this.#keys.length;
  }

  /** True when a window (its number) has a cell of a combination. */
  has(window: number, combination: number): boolean {
    return this.#slots.has(window * COMBINATION_ROOM + combination);
  }

  /** The slot of a window and a combination. */
  slot(window: number, combination: number): number {
    const key = window * COMBINATION_ROOM + combination;
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    return this.#open(key);
  }

  #open(key: number): number {
    const slot = this.#keys.length;
    this.#slots.set(key, slot);
    this.#keys.push(key);
    if ((slot + 1) * this.#sumCount > this.#sums.length) this.#grow();
    return slot;
  }

  add(slot: number, sum: number, value: number): void {
    const index = slot * this.#sumCount + sum;
    const before = this.#sums[index] ?? 0;
    const total = before + value;
    const full = Math.abs(total) > Number.MAX_SAFE_INTEGER && before !== 0;
    if (full) this.add(this.#open(this.#keys[slot] ?? 0), sum, value);
    else this.#sums[index] = total;
  }

  addToSketch(slot: number, sketch: number, bucket: number, weight: number): void {
    const head = slot * this.#sketchCount + sketch;
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

  /** Writes a row for each cell that is not all zero, then forgets the cells. `headOf` gives a combination's values. */
  write(out: RowWriter, headOf: (combination: number) => CellHead, rows: RowEnds): void {
    for (let slot = 0; slot < this.#keys.length; slot++) {
      if (this.#isZero(slot)) continue;
      try {
        this.#writeRow(out, headOf, slot);
        rows.end(out);
      } catch (error) {
        rows.failed(error);
      }
    }
    this.#reset();
  }

  #writeRow(out: RowWriter, headOf: (combination: number) => CellHead, slot: number): void {
    const key = this.#keys[slot] ?? 0;
    const { projectBytes, valueBytes } = headOf(key % COMBINATION_ROOM);
    out.raw(projectBytes);
    out.uint32(Math.floor(key / COMBINATION_ROOM) * WINDOW_SECONDS);
    out.raw(valueBytes);
    const sums = this.#sumCount;
    for (let sum = 0; sum < sums; sum++) out.int64(this.#sums[slot * sums + sum] ?? 0);
    for (let sketch = 0; sketch < this.#sketchCount; sketch++) this.#writeSketch(out, slot, sketch);
  }

  #writeSketch(out: RowWriter, slot: number, sketch: number): void {
    const head = this.#heads[slot * this.#sketchCount + sketch] ?? -1;
    let size = 0;
    for (let index = head; index >= 0; index = this.#nexts[index] ?? -1) size++;
    out.varuint(size);
    for (let index = head; index >= 0; index = this.#nexts[index] ?? -1) {
      out.uint16(this.#buckets[index] ?? 0);
      out.int64(this.#weights[index] ?? 0);
    }
  }

  #isZero(slot: number): boolean {
    const sums = this.#sumCount;
    for (let sum = 0; sum < sums; sum++) if (this.#sums[slot * sums + sum] !== 0) return false;
    for (let sketch = 0; sketch < this.#sketchCount; sketch++) {
      let index = this.#heads[slot * this.#sketchCount + sketch] ?? -1;
      for (; index >= 0; index = this.#nexts[index] ?? -1)
        if (this.#weights[index] !== 0) return false;
    }
    return true;
  }

  #reset(): void {
    this.#sums.fill(0, 0, this.#keys.length * this.#sumCount);
    this.#heads.fill(-1, 0, this.#keys.length * this.#sketchCount);
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
