/**
 * A look at LMDB's file before LMDB maps it: what is no database, or was cut, would not give an error but end the
 * process, because pages are read where they should lie.
 *
 * The file begins with two meta pages, each with a magic number, the page size, the last page in use and the number of
 * the transaction that wrote it; the newer one counts. Layout: struct MDB_meta of lmdb-js 3 (format 2, headers of 24 bytes).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

const MAGIC = 0xbeefc0de;
const HEADER_BYTES = 24;
const META_BYTES = 160;
const PAGE_SIZE_AT = HEADER_BYTES + 24;
const LAST_PAGE_AT = HEADER_BYTES + 120;
const TRANSACTION_AT = HEADER_BYTES + 128;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;

interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: bigint;
}

/** Why the file cannot be a database; undefined when it looks like one, is empty, or is not there. */
export function damageOf(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(descriptor);
    // Numbers lie as the machine has them; nothing is said of a machine of the other kind.
    if (size === 0 || endianness() !== 'LE') return undefined;
    return damageOfPages(descriptor, size);
  } finally {
    closeSync(descriptor);
  }
}

function damageOfPages(descriptor: number, size: number): string | undefined {
  const first = metaAt(descriptor, 0);
  if (first === undefined) return 'it is no database of this program';
  const second = metaAt(descriptor, first.pageBytes);
  if (second === undefined) return 'its second page is damaged or missing';
  const { lastPage, pageBytes } = second.transaction > first.transaction ? second : first;
  const bytes = (lastPage + 1) * pageBytes;
  return size < bytes ? `it has ${size} bytes, and ${bytes} are in use` : undefined;
}

function metaAt(descriptor: number, position: number): Meta | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(descriptor, bytes, 0, META_BYTES, position) < META_BYTES) return undefined;
  if (bytes.readUInt32LE(HEADER_BYTES) !== MAGIC) return undefined;
  const pageBytes = bytes.readUInt32LE(PAGE_SIZE_AT);
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) return undefined;
  return {
    pageBytes,
    lastPage: Number(bytes.readBigUInt64LE(LAST_PAGE_AT)),
    transaction: bytes.readBigUInt64LE(TRANSACTION_AT),
  };
}
