/**
 * What is said of a view: its dimensions. Of a value said more than once the last by sequence wins, whatever order
 * the reports came in; what another source says only fills in what is missing.
 */
import { dimensionAliases, dimensions } from '../schemas/catalogue/dimensions.ts';
import type { BeatCursor } from './cursor.ts';

/** Position of each dimension among `dimensions`, by name and alias. */
const dimensionIndex = new Map<string, number>(
  dimensions.flatMap(({ name, fromClient, fromIngest }, index) =>
    fromClient || fromIngest ? [[name, index]] : [],
  ),
);
for (const [alias, name] of Object.entries(dimensionAliases)) {
  dimensionIndex.set(alias, dimensionIndex.get(name) ?? -1);
}

const RANK_FACTOR = 2 ** 48;
const RUN_FACTOR = 2 ** 32;
/** Larger runs and numbers are as the largest: nobody outranks another by counting far. */
const RUN_MAX = 2 ** 15 - 1;
const SEQ_MAX = RUN_FACTOR - 2;

/** Ranks of who says something: the larger wins. */
export const RANK = { request: 0, response: 1, epas: 2, cmcd: 3, native: 4 } as const;

/** Orders statements: by rank, then by run and sequence number. */
export function contextStamp(rank: number, run: number, seq: number): number {
  const number = Math.min(SEQ_MAX, Math.max(-1, seq));
  return rank * RANK_FACTOR + Math.min(RUN_MAX, run) * RUN_FACTOR + number + 1;
}

/** A value that was said, with the place of its dimension among `dimensions`. */
export interface SavedValue {
  readonly dimension: number;
  readonly value: string;
  readonly stamp: number;
}

/** Stamp of what was never said. */
const NEVER = -1;

export class ViewContext {
  readonly values: string[] = new Array(dimensions.length).fill('');
  #chars = 0;
  readonly #stamps = new Float64Array(dimensions.length).fill(NEVER);
  /**
   * Bytes taken last, the dimensions in them, and the stamp with which they were said. They only save work: a view
   * without them does the same.
   */
  #last: Buffer | undefined;
  #lastIndexes: number[] = [];
  #lastStamp = NEVER;

  /** Characters of all values. */
  get chars(): number {
    return this.#chars;
  }

  /** What was said, dimension by dimension. */
  save(): SavedValue[] {
    const said: SavedValue[] = [];
    for (let dimension = 0; dimension < this.values.length; dimension++) {
      const value = this.values[dimension] ?? '';
      const stamp = this.#stamps[dimension] ?? NEVER;
      if (stamp !== NEVER || value !== '') said.push({ dimension, value, stamp });
    }
    return said;
  }

  restore({ dimension, value, stamp }: SavedValue): void {
    this.#chars += value.length;
    this.values[dimension] = value;
    this.#stamps[dimension] = stamp;
  }

  /** Takes the entries that lie at `start` to `end` of the cursor's bytes. Returns true when a value changed. */
  take(cursor: BeatCursor, start: number, end: number, stamp: number): boolean {
    if (end - start <= 1) return false;
    const same =
      this.#last?.length === end - start &&
      cursor.bytes.compare(this.#last, 0, end - start, start, end) === 0;
    if (same && this.#standsAsSaid()) return this.#repeat(stamp);
    let changed = false;
    const entries = readEntries(cursor, start);
    for (const [index, value] of entries) if (this.#say(index, value, stamp)) changed = true;
    this.#last = Buffer.from(cursor.bytes.subarray(start, end));
    this.#lastIndexes = [...entries.keys()];
    this.#lastStamp = stamp;
    return changed;
  }

  /** Says one value. Returns true when it changed. */
  set(index: number, value: string, stamp: number): boolean {
    const changed = this.#say(index, value, stamp);
    // Of an equal stamp `#standsAsSaid` could not see it.
    if (changed) this.#last = undefined;
    return changed;
  }

  #say(index: number, value: string, stamp: number): boolean {
    if (stamp < (this.#stamps[index] ?? 0)) return false;
    this.#stamps[index] = stamp;
    const before = this.values[index] ?? '';
    if (before === value) return false;
    this.#chars += value.length - before.length;
    this.values[index] = value;
    return true;
  }

  /** True when nobody has said a dimension of the last bytes since, so that its value is the one in them. */
  #standsAsSaid(): boolean {
    for (const index of this.#lastIndexes) {
      if (this.#stamps[index] !== this.#lastStamp) return false;
    }
    return true;
  }

  /** The same bytes again: values stand, but are now said later. */
  #repeat(stamp: number): boolean {
    if (stamp < this.#lastStamp) return false;
    for (const index of this.#lastIndexes) this.#stamps[index] = stamp;
    this.#lastStamp = stamp;
    return false;
  }
}

/** The entries at a place, by dimension. Of one said twice, by name and alias, the last counts. */
function readEntries(cursor: BeatCursor, start: number): Map<number, string> {
  const entries = new Map<number, string>();
  cursor.seekTo(start);
  for (let left = cursor.readCount(); left > 0; left = cursor.readCount()) {
    for (; left > 0; left--) {
      const index = dimensionIndex.get(cursor.readText()) ?? -1;
      const value = cursor.readText();
      if (index >= 0) entries.set(index, value);
    }
  }
  return entries;
}

/** Position of a dimension among `dimensions`. */
export function indexOfDimension(name: string): number {
  return dimensions.findIndex((entry) => entry.name === name);
}
