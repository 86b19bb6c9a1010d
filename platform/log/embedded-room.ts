/**
 * Room on the disk for what LMDB is about to write: its file is made longer with zeros before it writes.
 *
 * Guarantee: once `ensure` has resolved, so many bytes behind the last page in use are the file's own. A disk that has
 * no room refuses the zeros, which is an error like any other, and nothing has been changed.
 *
 * LMDB must not be the one to find the disk full. What it (lmdb-js 3.5.6, `mdb_page_flush`) says of a failed write is
 * longer than the 100 bytes it takes for the text, so that the heap is damaged and the process dies, or hangs, when it
 * next takes memory. A file system that copies what is overwritten (btrfs, ZFS) can still have no room when LMDB writes.
 */
import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

const KIB = 1_024;
const ZEROS = Buffer.alloc(1_024 * KIB);
const PAGE_BYTES = 4 * KIB;
/** Pages of a partition that change beside those of its records: where they begin or end, and those above, bytes. */
const PARTITION_BYTES = 4 * PAGE_BYTES;
/** Key and headers of a record, in a page that may be half empty, bytes. */
const ENTRY_BYTES = 128;

// What is needed to open is left by removals, and what is needed to remove is left by appends: a full log can be
// opened, and what is too old can go.
const SPARE_BYTES_TO_OPEN = 128 * KIB;
const SPARE_BYTES_TO_REMOVE = 512 * KIB;
const SPARE_BYTES_TO_APPEND = 2_048 * KIB;

export const ROOM_BYTES_TO_OPEN = SPARE_BYTES_TO_OPEN;

/** What the records can take at most, when no page that was used before is free: bytes. */
export function roomToAppend(records: readonly { readonly stored: Buffer }[], partitions: number) {
  let bytes = SPARE_BYTES_TO_APPEND + partitions * PARTITION_BYTES;
  // A small record shares a page that may be half empty; a large one has pages of its own, the last of them not full.
  for (const { stored } of records)
    bytes += stored.byteLength + Math.min(stored.byteLength, PAGE_BYTES) + ENTRY_BYTES;
  return bytes;
}

/** What the pages can take at most from which the records go: at least two share a page. Bytes. */
export function roomToRemove(records: number, partitions: number): number {
  return SPARE_BYTES_TO_REMOVE + partitions * PARTITION_BYTES + (records * PAGE_BYTES) / 2;
}

const writeAsync = promisify(write);

export class FileRoom {
  readonly #descriptor: number;
  readonly #usedBytes: () => number;

  constructor(file: string, usedBytes: () => number) {
    // At the end of the file, wherever that is by then: zeros never replace what somebody wrote.
    this.#descriptor = openSync(file, constants.O_WRONLY | constants.O_APPEND);
    this.#usedBytes = usedBytes;
  }

  /** @throws the system's error, ENOSPC for one, when the file cannot be made long enough. */
  async ensure(bytes: number): Promise<void> {
    for (let missing = this.#missing(bytes); missing > 0; ) {
      const zeros = Math.min(missing, ZEROS.byteLength);
      missing -= (await writeAsync(this.#descriptor, ZEROS, 0, zeros)).bytesWritten;
    }
  }

  /** The same, for where nothing can be waited for. */
  ensureSync(bytes: number): void {
    for (let missing = this.#missing(bytes); missing > 0; ) {
      missing -= writeSync(this.#descriptor, ZEROS, 0, Math.min(missing, ZEROS.byteLength));
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #missing(bytes: number): number {
    return this.#usedBytes() + bytes - fstatSync(this.#descriptor).size;
  }
}
