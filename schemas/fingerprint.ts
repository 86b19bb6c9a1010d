/** CRC-64-AVRO of a schema's canonical form, as the Avro specification defines it ("Schema Fingerprints"). */
import type { Type } from 'avsc';

const EMPTY = 0xc15d213aa4d7a795n;

const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let crc = BigInt(index);
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (EMPTY & -(crc & 1n));
  return BigInt.asUintN(64, crc);
});

/** CRC-64-AVRO of bytes. */
export function crc64Avro(bytes: Uint8Array): bigint {
  let crc = EMPTY;
  for (const byte of bytes) {
    crc = (crc >> 8n) ^ (TABLE[Number((crc ^ BigInt(byte)) & 0xffn)] ?? 0n);
  }
  return BigInt.asUintN(64, crc);
}

/** The eight bytes, little-endian, that name a schema in single-object encoding. */
export function fingerprintOf(type: Type): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(crc64Avro(Buffer.from(JSON.stringify(type.schema()))));
  return out;
}
