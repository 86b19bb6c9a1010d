/**
 * The key of a URL: a hash of its path, the same whatever host, query or escaping it came with, so that the two sides of a
 * request find each other. 53 bits: of a million paths of one view, two are alike once in some 18,000 such views.
 */
import { Buffer } from 'node:buffer';

const SLASH = 0x2f;
const COLON = 0x3a;
const PERCENT = 0x25;
const QUERY = 0x3f;
const FRAGMENT = 0x23;
const NOT_ASCII = 0x80;

/** 0 of a URL without a path. */
export function urlKeyOf(url: string): number {
  return urlKeyAt(Buffer.from(url), 0, Buffer.byteLength(url));
}

/** The key of a URL that lies in bytes as UTF-8. */
export function urlKeyAt(bytes: Buffer, start: number, end: number): number {
  const from = pathStart(bytes, start, end);
  let to = from;
  let escaped = false;
  for (; to < end; to++) {
    const byte = bytes[to] as number;
    if (byte === QUERY || byte === FRAGMENT) break;
    if (byte === PERCENT || byte >= NOT_ASCII) escaped = true;
  }
  if (to - from < 2) return 0;
  return escaped ? hashOfText(bytes.toString('utf8', from, to)) : hash53(bytes, from, to);
}

/** Where the path begins: after the authority, which follows two slashes. */
function pathStart(bytes: Buffer, start: number, end: number): number {
  let authority = bytes[start] === SLASH && bytes[start + 1] === SLASH ? start + 2 : -1;
  for (let at = start; authority < 0 && at + 2 < end; at++) {
    if (bytes[at] === SLASH) break;
    if (bytes[at] === COLON && bytes[at + 1] === SLASH && bytes[at + 2] === SLASH)
      authority = at + 3;
  }
  if (authority < 0) return start;
  for (let at = authority; at < end; at++) if (bytes[at] === SLASH) return at;
  return end;
}

function hashOfText(path: string): number {
  const bytes = Buffer.from(decoded(path));
  return hash53(bytes, 0, bytes.length);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Two FNV-1a hashes joined into 53 bits. */
function hash53(bytes: Buffer, start: number, end: number): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
}
