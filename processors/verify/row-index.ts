/**
 * Rows as a multiset: how often each row is there, byte for byte.
 *
 * Guarantee: a hash only finds a row, its bytes decide. Rows that are alike are one entry with a count, so that a table
 * full of the same row costs no more than one of different rows.
 */
import createXxhash from 'xxhash-wasm';
import type { RowRef } from './table-shape.ts';

const { h32Raw } = await createXxhash();

const SLOTS_INITIAL = 1_024;
/** A slot holds the number of an entry plus one. */
const FREE = 0;

export class RowIndex {
  /** Columns of the entries. */
  readonly #bytes: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #hashes: number[] = [];
  readonly #counts: number[] = [];
  #slots = new Int32Array(SLOTS_INITIAL);
  #size = 0;

  /** Rows in it. */
  get size(): number {
    return this.#size;
  }

  /** Adds a row; its bytes must not change. */
  add(bytes: Buffer, start: number, end: number): void {
    const hash = hashOf(bytes, start, end);
    const slot = this.#find(hash, bytes, start, end);
    const entry = (this.#slots[slot] ?? FREE) - 1;
    this.#size++;
    if (entry >= 0) {
      this.#counts[entry] = (this.#counts[entry] ?? 0) + 1;
      return;
    }
    this.#bytes.push(bytes);
    this.#starts.push(start);
    this.#ends.push(end);
    this.#hashes.push(hash);
    this.#slots[slot] = this.#counts.push(1);
    if (this.#counts.length * 2 > this.#slots.length) this.#grow();
  }

  /** Takes one such row out; false when there is none (left). */
  take(bytes: Buffer, start: number, end: number): boolean {
    const slot = this.#find(hashOf(bytes, start, end), bytes, start, end);
    const entry = (this.#slots[slot] ?? FREE) - 1;
    const count = this.#counts[entry] ?? 0;
    if (count === 0) return false;
    this.#counts[entry] = count - 1;
    this.#size--;
    return true;
  }

  /** Rows that were not taken out, in the order in which they were added. */
  *left(): Generator<RowRef> {
    for (const [entry, count] of this.#counts.entries()) {
      if (count === 0) continue;
      const row = {
        bytes: this.#bytes[entry] as Buffer,
        start: this.#starts[entry] as number,
        end: this.#ends[entry] as number,
      };
      for (let copy = 0; copy < count; copy++) yield row;
    }
  }

  /** The slot of the row, or the free one where it belongs. */
  #find(hash: number, bytes: Buffer, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] ?? FREE) - 1;
      if (entry < 0) return slot;
      if (this.#hashes[entry] === hash && this.#isRow(entry, bytes, start, end)) return slot;
    }
  }

  #isRow(entry: number, bytes: Buffer, start: number, end: number): boolean {
    const entryStart = this.#starts[entry] as number;
    const entryEnd = this.#ends[entry] as number;
    if (entryEnd - entryStart !== end - start) return false;
    return bytes.compare(this.#bytes[entry] as Buffer, entryStart, entryEnd, start, end) === 0;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (const [entry, hash] of this.#hashes.entries()) {
      let slot = hash & mask;
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

/** Signed, so that it stays a small integer. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  return h32Raw(bytes.subarray(start, end)) | 0;
}
