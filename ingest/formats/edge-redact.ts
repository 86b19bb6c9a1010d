/**
 * Lines of edge logs that are kept although they could not be read: without what must not be stored.
 *
 * Guarantees: pure; time is linear in the line; bytes that are none of these stay as they came. Addresses of clients are
 * truncated (/24, /48), values of parameters that are signed tokens, and JWTs, become `-`. What a line is wrong with can
 * still be seen, and its CMCD stays, so that it can be sent again.
 */
import { withCoarseAddresses } from '../enrichment/addresses.ts';
import { isTokenName } from './edge.ts';

const ASSIGNMENT = /([\w.%-]{1,64}?)(=|%3d|%253d)([^\s"'&,;~|]+)/gi;
const JWT = /eyJ[\w-]{1,2048}\.[\w-]{1,2048}\.[\w-]{0,2048}/g;

/** The line as it may be stored. */
export function redactedLine(line: Buffer): Buffer {
  const text = withCoarseAddresses(line)
    // Each byte is a character, whatever its encoding.
    .toString('latin1')
    .replace(ASSIGNMENT, (all, name: string, sign: string) =>
      isTokenName(name) ? `${name}${sign}-` : all,
    )
    .replace(JWT, '-');
  return Buffer.from(text, 'latin1');
}
