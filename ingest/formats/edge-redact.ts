/**
 * Lines of edge logs that are kept although they could not be read: without what must not be stored.
 *
 * Guarantees: pure; time is linear in the line; bytes that are none of these stay as they came. Addresses of clients are
 * truncated (/24, /48), values of parameters that are signed tokens, and JWTs, become `-`. What a line is wrong with can
 * still be seen, and its CMCD stays, so that it can be sent again.
 */
import { isTokenName } from './edge.ts';

const IPV4 = /(?<![\d.])(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}(?![\d.])/g;
const HEX_GROUPS = /(?<![\w:])[0-9a-f:]{3,39}(?![\w:])/gi;
const ASSIGNMENT = /([\w.%-]{1,64}?)(=|%3d|%253d)([^\s"'&,;~|]+)/gi;
const JWT = /eyJ[\w-]{1,2048}\.[\w-]{1,2048}\.[\w-]{0,2048}/g;
const IPV6_COLONS = 7;
const IPV6_GROUPS_KEPT = 3;

/** The line as it may be stored. */
export function redactedLine(line: Buffer): Buffer {
  const text = line
    // Each byte is a character, whatever its encoding.
    .toString('latin1')
    .replace(IPV4, '$1.0')
    .replace(HEX_GROUPS, truncated)
    .replace(ASSIGNMENT, (all, name: string, sign: string) =>
      isTokenName(name) ? `${name}${sign}-` : all,
    )
    .replace(JWT, '-');
  return Buffer.from(text, 'latin1');
}

/** An IPv6 address, its last 80 bits gone. Times have colons too, but neither seven nor two in a row. */
function truncated(text: string): string {
  if (!text.includes('::') && text.split(':').length <= IPV6_COLONS) return text;
  const [head = ''] = text.split('::', 1);
  return `${head.split(':').slice(0, IPV6_GROUPS_KEPT).join(':')}::`;
}
