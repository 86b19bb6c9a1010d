/**
 * What is said of a view: its dimensions. Of a value said more than once the last by sequence wins, whatever order
 * the reports came in; what another source says only fills in what is missing, what ingest found out (entries whose
 * names begin with `FOUND_OUT`) only what nobody says at all, and what edges say what is missing even then.
 */
import { FOUND_OUT } from '../schemas/beat.ts';
import { dimensionAliases, dimensions } from '../schemas/catalogue/dimensions.ts';
import type { BeatCursor } from './cursor.ts';
import { keptCopy } from './kept-bytes.ts';

/** Where the places of what was found out begin: that of a dimension, and so many more. */
const FOUND_OUT_FROM = dimensions.length;

/** Position of each dimension among `dimensions`, by name and alias; that of what was found out of it, by its name there. */
const dimensionIndex = new Map<string, number>(
  dimensions.flatMap(({ name, fromClient, fromIngest }, index) =>
    fromClient || fromIngest ? [[name, index]] : [],
  ),
);
for (const [alias, name] of Object.entries(dimensionAliases)) {
  dimensionIndex.set(alias, dimensionIndex.get(name) ?? -1);
}
for (const [index, { name, fromClient }] of dimensions.entries()) {
  if (fromClient) dimensionIndex.set(FOUND_OUT + name, FOUND_OUT_FROM + index);
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

/** Ranks of what was found out lie below those of what is said, in the same order: their stamps are below zero. */
const FOUND_OUT_STAMP = -RANK_FACTOR * (RANK.native + 1);

/** A value that was said, with the place of its dimension among `dimensions`. */
export interface SavedValue {
  readonly dimension: number;
  readonly value: string;
  readonly stamp: number;
}

/** Those of what edges say lie below these, by the time of the request. */
const EDGE_STAMP = FOUND_OUT_STAMP - RANK_FACTOR;

/** Orders what edges say; `atMs` in ms since 1970. */
export function edgeStamp(atMs: number): number {
  return EDGE_STAMP + Math.min(RANK_FACTOR - 1, Math.max(0, atMs));
}

/** Stamp of what was never said: below every other. */
const NEVER = EDGE_STAMP - 1;

export class ViewContext {
  readonly values: string[] = new Array(dimensions.length).fill('');
  #chars = 0;
  readonly #stamps: number[] = new Array(dimensions.length).fill(NEVER);
  /**
   * Bytes taken last, the dimensions in them (what was found out has places of its own), and the stamp with which they
   * were said. They only save work: a view without them does the same.
   */
  #last: Buffer | undefined;
  #lastPlaces: number[] = [];
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
    let stands = true;
    for (const [place, value] of entries) {
      const index = indexAt(place);
      if (this.#say(index, value, stampAt(place, stamp))) changed = true;
      else if (this.#stamps[index] === stampAt(place, stamp))
        stands &&= this.values[index] === value;
    }
    this.#last = stands ? keptCopy(cursor.bytes, start, end) : undefined;
    this.#lastPlaces = [...entries.keys()];
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
    const stampBefore = this.#stamps[index] ?? NEVER;
    const before = this.values[index] ?? '';
    if (stamp < stampBefore) return false;
    // A beat sent again over another network: which of the two came first must not matter.
    if (stamp === stampBefore && stamp < 0 && value < before) return false;
    this.#stamps[index] = stamp;
    if (before === value) return false;
    this.#chars += value.length - before.length;
    this.values[index] = value;
    return true;
  }

  /** True when nobody has said a dimension of the last bytes since, so that its value is the one in them. */
  #standsAsSaid(): boolean {
    for (const place of this.#lastPlaces) {
      const stamp = this.#stamps[indexAt(place)] ?? NEVER;
      // What was found out of something that is said can never be in force.
      if (place >= FOUND_OUT_FROM && stamp >= 0) continue;
      if (stamp !== stampAt(place, this.#lastStamp)) return false;
    }
    return true;
  }

  /** The same bytes again: values stand, but are now said later. */
  #repeat(stamp: number): boolean {
    if (stamp < this.#lastStamp) return false;
    for (const place of this.#lastPlaces) {
      const index = indexAt(place);
      if (place >= FOUND_OUT_FROM && (this.#stamps[index] ?? NEVER) >= 0) continue;
      this.#stamps[index] = stampAt(place, stamp);
    }
    this.#lastStamp = stamp;
    return false;
  }
}

/** The dimension of a place. */
function indexAt(place: number): number {
  return place < FOUND_OUT_FROM ? place : place - FOUND_OUT_FROM;
}

/** The stamp of what stands at a place, in bytes that were said with a stamp. */
function stampAt(place: number, stamp: number): number {
  return place < FOUND_OUT_FROM ? stamp : stamp + FOUND_OUT_STAMP;
}

/** The entries in the bytes, by their place. Of one said twice, by name and alias, the last counts. */
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
