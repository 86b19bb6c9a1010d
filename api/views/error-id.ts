/** The number that stands for an error code, for clients that want one: the same in every answer, here and in SQL. */
import { createHash } from 'node:crypto';

/** The first four bytes of the code's SHA-256, big-endian. */
export function errorId(code: string): number {
  return createHash('sha256').update(code).digest().readUInt32BE();
}

/** The same as an expression over a column. */
export const errorIdColumn = (column: string): string =>
  `reinterpretAsUInt32(reverse(substring(SHA256(${column}), 1, 4)))`;
