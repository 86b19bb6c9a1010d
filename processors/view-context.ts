/**
 * What is said of a view: its dimensions. Of a value said more than once the last by sequence wins, whatever order
 * the reports came in; what another source says only fills in what is missing.
 */
import { dimensionAliases, dimensions } from '../schemas/catalogue/dimensions.ts';
import type { BeatCursor } from './cursor.ts';

/** Position of each dimension among `dimensions`, by name and alias. */
const dimensionIndex = new Map<string, number>(
  dimensions.flatMap(({ name, fromClient }, index) => (fromClient ? [[name, index]] : [])),
);
for (const [alias, name] of Object.entries(dimensionAliases)) {
  dimensionIndex.set(alias, dimensionIndex.get(name) ?? -1);
}

const RANK_FACTOR = 2 ** 48;
const RUN_FACTOR = 2 ** 32;

/** Ranks of who says something: the larger wins. */
export const RANK = { request: 0, response: 1, epas: 2, cmcd: 3, native: 4 } as const;

/** Orders statements: by rank, then by run and sequence number. */
export function contextStamp(rank: number, run: number, seq: number): number {
  return rank * RANK_FACTOR + run * RUN_FACTOR + seq + 1;
}

export class ViewContext {
  readonly values: string[] = new Array(dimensions.length).fill('');
  readonly #stamps = new Float64Array(dimensions.length).fill(-1);
  #last: Buffer | undefined;
  #lastIndexes: number[] = [];

  /** Takes the entries that lie at `start` to `end` of the cursor's bytes. Returns true when a value changed. */
  take(cursor: BeatCursor, start: number, end: number, stamp: number): boolean {
    if (end - start <= 1) return false;
    const same =
      this.#last?.length === end - start &&
      cursor.bytes.compare(this.#last, 0, end - start, start, end) === 0;
    if (same) return this.#repeat(stamp);
    this.#lastIndexes = [];
    let changed = false;
    cursor.seekTo(start);
    for (let left = cursor.readCount(); left > 0; left = cursor.readCount()) {
      for (; left > 0; left--) {
        const index = dimensionIndex.get(cursor.readText()) ?? -1;
        const value = cursor.readText();
        if (index < 0) continue;
        this.#lastIndexes.push(index);
        if (this.set(index, value, stamp)) changed = true;
      }
    }
    this.#last = Buffer.from(cursor.bytes.subarray(start, end));
    return changed;
  }

  /** Says one value. Returns true when it changed. */
  set(index: number, value: string, stamp: number): boolean {
    if (stamp < (this.#stamps[index] ?? 0)) return false;
    this.#stamps[index] = stamp;
    if (this.values[index] === value) return false;
    this.values[index] = value;
    return true;
  }

  /** The same bytes again: values stand, but are now said later. */
  #repeat(stamp: number): boolean {
    for (const index of this.#lastIndexes) {
      if (stamp < (this.#stamps[index] ?? 0)) {
        this.#last = undefined;
        return false;
      }
    }
    for (const index of this.#lastIndexes) this.#stamps[index] = stamp;
    return false;
  }
}

/** Position of a dimension among `dimensions`. */
export function indexOfDimension(name: string): number {
  return dimensions.findIndex((entry) => entry.name === name);
}
