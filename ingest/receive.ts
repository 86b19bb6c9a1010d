/**
 * The body: checked by its headers, read and decompressed, whole or as it comes.
 *
 * Guarantee: never more than `bodyBytesMax` is read, nor more than `decompressedBytesMax` written, whatever the headers
 * claim; a compression bomb stops at the limit. What cannot be right is refused before a byte is read.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import type { ProblemError } from '../platform/http/problem.ts';
import type { Ticket } from './admission.ts';
import { refusal } from './errors.ts';

export interface BodyLimits {
  readonly bodyBytesMax: number;
  readonly decompressedBytesMax: number;
}

/** What the headers say of the body. */
export interface BodyHead {
  /** Media type in lower case without parameters; empty when not said. */
  readonly type: string;
  readonly encoding: Encoding;
}

export type Encoding = 'identity' | 'gzip' | 'deflate' | 'br';

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
]);

/** The rest of a body that is not wanted is not read: the connection ends with the answer. */
export const CLOSE = { connection: 'close' };

/** Refuses by headers alone: length, type, encoding. A body without a type is tried as the route's first. */
export function checkHead(
  headers: IncomingHttpHeaders,
  types: readonly string[],
  limits: BodyLimits,
): BodyHead | ProblemError {
  if (Number(headers['content-length'] ?? 0) > limits.bodyBytesMax) return tooLarge(limits);
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type !== '' && !types.includes(type)) {
    return refusal('type_unknown', { detail: `Send ${types.join(', ')}.`, headers: CLOSE });
  }
  const encoding = ENCODINGS.get((headers['content-encoding'] ?? '').trim().toLowerCase());
  if (encoding === undefined) return refusal('encoding_unknown', { headers: CLOSE });
  return { type: type === '' ? (types[0] ?? '') : type, encoding };
}

/** The refusal of a body that is too large as sent. */
export function tooLarge(limits: BodyLimits): ProblemError {
  const detail = `The body has more than ${limits.bodyBytesMax} bytes. Send smaller bodies, or compress them.`;
  return refusal('body_too_large', { detail, headers: CLOSE });
}

/** Reads the body as sent. */
export async function readBody(
  stream: Readable | undefined,
  limits: BodyLimits,
  ticket: Ticket,
): Promise<Buffer | ProblemError> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream ?? []) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += buffer.length;
    if (bytes > limits.bodyBytesMax) return tooLarge(limits);
    if (!ticket.hold(buffer.length)) return refusal('overloaded', { headers: CLOSE });
    chunks.push(buffer);
  }
  return Buffer.concat(chunks, bytes);
}

const decompressors = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  zlib: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate),
  raw: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw),
  br: promisify<Buffer, { maxOutputLength: number }, Buffer>(brotliDecompress),
};

/** Decompresses a body. */
export async function decompress(
  body: Buffer,
  encoding: Encoding,
  limits: BodyLimits,
  ticket: Ticket,
): Promise<Buffer | ProblemError> {
  if (encoding === 'identity') return body;
  const how = encoding === 'deflate' ? deflateForm(body) : encoding;
  try {
    const maxOutputLength = limits.decompressedBytesMax;
    const plain = await decompressors[how](body, { maxOutputLength });
    return ticket.hold(plain.length) ? plain : refusal('overloaded');
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if ('code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      return tooLargeInside(limits, cause);
    }
    return refusal('encoding_malformed', { cause });
  }
}

/** The refusal of a body that is too large once decompressed. */
export function tooLargeInside(limits: BodyLimits, cause?: unknown): ProblemError {
  const detail = `The body has more than ${limits.decompressedBytesMax} bytes once decompressed. Send smaller bodies.`;
  return refusal('decompressed_too_large', { detail, cause });
}

/** RFC 9110 means zlib by deflate, some clients send it bare. The zlib header's check bits tell (RFC 1950, 2.2). */
export function deflateForm(body: Buffer): 'zlib' | 'raw' {
  const first = body[0] ?? 0;
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | (body[1] ?? 0)) % 31 === 0;
  return isZlib ? 'zlib' : 'raw';
}
