/**
 * Addresses of clients: read, and made coarse.
 *
 * Guarantee: an address is used to look up where it is and then forgotten. Whatever stores one stores what
 * `truncatedAddress` gives, which names a network of 256 addresses (IPv4, /24) or a site (IPv6, /48).
 */
import { isIPv4, isIPv6 } from 'node:net';

/** An IPv6 address with zone and port has fewer characters. */
const ADDRESS_LENGTH_MAX = 100;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const WITH_PORT = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/;

/**
 * The address in a text, without port, brackets and zone; an IPv4 address mapped into IPv6 as IPv4. Empty when there is
 * none: proxies write `unknown` and worse.
 */
export function usableAddress(text: string): string {
  if (text.length > ADDRESS_LENGTH_MAX) return '';
  const trimmed = text.trim();
  const [, inBrackets, v4] = WITH_PORT.exec(trimmed) ?? [];
  const [bare = ''] = (inBrackets ?? v4 ?? trimmed).split('%', 1);
  const address = MAPPED.exec(bare)?.[1] ?? bare;
  return isIPv4(address) || isIPv6(address) ? address : '';
}

/** A full stop beside an address belongs to the sentence, beside a number to a longer one. */
const V4_IN_TEXT = /(?<!\d|\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/g;
/** With more on either side, as in `from:2001:db8::1: bad`. */
const V6_IN_TEXT = /(?<![0-9a-f:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,9}(?![\w:]|\.\d)/gi;

/**
 * Bytes of an edge log's line with every address made coarse: what is kept of a line that was refused must not say more
 * than what is kept of one that was taken.
 */
export function withCoarseAddresses(bytes: Buffer): Buffer {
  const coarse = (text: string) => truncatedAddress(text) || text;
  const text = bytes.toString('latin1').replace(V4_IN_TEXT, coarse).replace(V6_IN_TEXT, coarseRun);
  return Buffer.from(text, 'latin1');
}

const FIRST_GROUP = /^[^:]*:/;
const LAST_GROUP = /:[^:]*$/;

/** A run of groups and colons. Where a word or a port runs into an address, nobody knows its network: it goes whole. */
function coarseRun(run: string): string {
  const coarse = truncatedAddress(run);
  if (coarse !== '') return coarse;
  const inside = run.replace(FIRST_GROUP, '');
  const candidates = [inside, run.replace(LAST_GROUP, ''), inside.replace(LAST_GROUP, '')];
  return candidates.some((text) => usableAddress(text) !== '') ? '-' : run;
}

/** The network of an address: its first 24 or 48 bits. Empty when the text is no address. */
export function truncatedAddress(text: string): string {
  const address = usableAddress(text);
  if (address === '') return '';
  if (isIPv4(address)) return `${address.slice(0, address.lastIndexOf('.'))}.0`;
  const groups = groupsOf(address).slice(0, 3);
  while (groups.at(-1) === '0') groups.pop();
  return `${groups.join(':')}::`;
}

const GROUPS = 8;

/** The groups of an IPv6 address, in lower case without leading zeros; a last one that is written as IPv4 stays so. */
export function groupsOf(address: string): string[] {
  const [left = [], right] = address.split('::', 2).map(writtenGroups);
  const after = right ?? [];
  // An IPv4 address at the end stands for two groups.
  const written = left.length + after.length + (address.includes('.') ? 1 : 0);
  const zeros = right === undefined ? 0 : GROUPS - written;
  return [...left, ...new Array<string>(zeros).fill('0'), ...after];
}

function writtenGroups(half: string): string[] {
  if (half === '') return [];
  return half.split(':').map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
