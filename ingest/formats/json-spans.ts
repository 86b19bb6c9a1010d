/**
 * Where the pieces of a JSON text lie, so that a reject keeps the bytes as they came: duplicate keys, numbers that no
 * double holds and deep nesting would not survive a parse and a print.
 *
 * Guarantee: linear time, no recursion. The bytes must be valid JSON in UTF-8; on others a span is wrong, never a
 * throw or an endless loop. Read only when there is something to reject.
 */

/** Half-open range of bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Bodies that are smaller may nest as they like: reading them takes a tenth of a second at most. */
const DEEP_BYTES_LEAST = 1_048_576;
const DEPTH_MAX = 1_000;

/** Whether a large text nests so deep that a parser would spend a second on nothing but brackets. */
export function nestsTooDeep(bytes: Buffer): boolean {
  if (bytes.length < DEEP_BYTES_LEAST) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = skipString(bytes, at) - 1;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > DEPTH_MAX) return true;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
  }
  return false;
}

/** The top-level value, without the space around it. */
export function rootSpan(bytes: Buffer): Span {
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const start = skipSpace(bytes, bom);
  return { start, end: skipValue(bytes, start) };
}

/** Spans of an array's first elements; none when the span is no array. */
export function elementSpans(bytes: Buffer, array: Span, most = Number.POSITIVE_INFINITY): Span[] {
  const spans: Span[] = [];
  if (bytes[array.start] !== OPEN_ARRAY) return spans;
  let at = skipSpace(bytes, array.start + 1);
  while (at < array.end && bytes[at] !== CLOSE_ARRAY && spans.length < most) {
    const end = skipValue(bytes, at);
    spans.push({ start: at, end });
    at = skipComma(bytes, end);
  }
  return spans;
}

/** Where the last element of an array ends. */
export function lastElementEnd(bytes: Buffer, array: Span): number {
  let end = bytes[array.end - 1] === CLOSE_ARRAY ? array.end - 1 : array.end;
  while (end > array.start && (bytes[end - 1] ?? 0) <= 0x20) end--;
  return end;
}

/** Span of an object's member, the last one of that name as in JSON.parse; undefined when there is none. */
export function memberSpan(bytes: Buffer, object: Span, name: string): Span | undefined {
  let found: Span | undefined;
  if (bytes[object.start] !== OPEN_OBJECT) return found;
  let at = skipSpace(bytes, object.start + 1);
  while (at < object.end && bytes[at] === QUOTE) {
    const nameEnd = skipString(bytes, at);
    const colon = skipSpace(bytes, nameEnd);
    const start = skipSpace(bytes, bytes[colon] === COLON ? colon + 1 : colon);
    const end = skipValue(bytes, start);
    if (isName(bytes, { start: at, end: nameEnd }, name)) found = { start, end };
    at = skipComma(bytes, end);
  }
  return found;
}

function isName(bytes: Buffer, quoted: Span, name: string): boolean {
  const text = bytes.toString('utf8', quoted.start, quoted.end);
  if (!text.includes('\\')) return text === `"${name}"`;
  try {
    return JSON.parse(text) === name;
  } catch {
    return false;
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at++;
  return at;
}

/** After a value: past the space and one comma. Always moves on, so that loops end. */
function skipComma(bytes: Buffer, from: number): number {
  const at = skipSpace(bytes, from);
  return bytes[at] === COMMA ? skipSpace(bytes, at + 1) : at;
}

function skipString(bytes: Buffer, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, bytes.length);
}

/** End of the value that begins at `from`; at least one byte further. */
function skipValue(bytes: Buffer, from: number): number {
  let at = from;
  let depth = 0;
  do {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      continue;
    }
    if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
    else if (depth === 0) return skipScalar(bytes, at);
    at++;
  } while (depth > 0 && at < bytes.length);
  return Math.min(at, bytes.length);
}

function skipScalar(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && !endsScalar(bytes[at] ?? 0)) at++;
  return Math.max(at, from + 1);
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;
}
