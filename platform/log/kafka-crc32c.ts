/**
 * CRC-32C (Castagnoli), the checksum of Kafka's record batches.
 *
 * Eight bytes a step, with a table for each (the method known as slicing by eight): three times as fast as a byte a step.
 */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

/** Table n holds the checksum of a byte followed by n zero bytes. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] as number;
    tables[at] = (before >>> 8) ^ (tables[before & 255] as number);
  }
  return tables;
}

/** Checksum of the bytes from `start` to `end`, as an unsigned number. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  const t = TABLES;
  const b = bytes;
  let crc = -1;
  let at = start;
  // Written out: reading through a function, even Buffer's own, halves the speed.
  for (; at + SLICES <= end; at += SLICES) {
    crc ^= b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + b[at + 4]!]! ^
      t[512 + b[at + 5]!]! ^
      t[256 + b[at + 6]!]! ^
      t[b[at + 7]!]!;
  }
  for (; at < end; at += 1) crc = t[(crc ^ b[at]!) & 255]! ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}
