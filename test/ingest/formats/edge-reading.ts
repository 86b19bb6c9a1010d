/** Reads single lines of edge logs, for the tests of their formats. */
import type { EdgeLineReader } from '../../../ingest/formats/edge.ts';

export type LineSent = object | string | Buffer;

export function bytesOf(line: LineSent): Buffer {
  if (Buffer.isBuffer(line)) return line;
  return Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
}

/** What a reader makes of a line, and what it noted. */
export function read(reader: EdgeLineReader, line: LineSent) {
  const notes: Record<string, number> = {};
  const result = reader(bytesOf(line), {
    stringLengthMax: 1_024,
    note: (code, times = 1) => {
      notes[code] = (notes[code] ?? 0) + times;
    },
  });
  return { result, notes };
}

/** The request of a line, its CMCD as an object. */
export function requestOf(reader: EdgeLineReader, line: LineSent) {
  const { result, notes } = read(reader, line);
  if (result.kind !== 'request') throw new Error(JSON.stringify(result));
  const { identity, cmcd, ...rest } = result.request;
  const keys = Object.fromEntries(cmcd.map(({ name, value }) => [name, value]));
  return { ...rest, view: result.view, cmcd: keys, notes, identity };
}

/** Lines that no format may fall over. */
export const HOSTILE: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['bytes that are no text', Buffer.from([0xff, 0, 0xfe, 0x9f, 0x22, 0x5c])],
  ['a text without end', Buffer.alloc(60_000, 'a')],
  ['tabs only', Buffer.alloc(60_000, '\t')],
  ['spaces only', Buffer.alloc(60_000, ' x')],
  ['quotes and backslashes', Buffer.from(`- [22/Nov/2026:05:43:04 +0000] "${'\\'.repeat(59_999)}`)],
  ['brackets', Buffer.alloc(60_000, '[')],
  ['percent signs', Buffer.alloc(60_000, '%2')],
  ['deep arrays', Buffer.from(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)],
  ['names of objects', Buffer.from('{"__proto__":{"status":200},"constructor":1,"toString":"x"}')],
  ['an array', Buffer.from('[{"status":200}]')],
  ['null', Buffer.from('null')],
  ['half of JSON', Buffer.from('{"status":200')],
];
