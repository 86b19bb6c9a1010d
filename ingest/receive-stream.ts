/**
 * The body as a stream: each chunk is decompressed and handed on before the next is read.
 *
 * Guarantee: memory does not grow with the body. A slow taker slows the sender down (back-pressure). Never more than
 * `bodyBytesMax` is read, nor more than `decompressedBytesMax` handed on, as in `receive.ts`.
 */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ProblemError } from '../platform/http/problem.ts';
import { refusal } from './errors.ts';
import {
  type BodyLimits,
  CLOSE,
  deflateForm,
  type Encoding,
  tooLarge,
  tooLargeInside,
} from './receive.ts';

/** Where the bytes go. */
export interface BodyTaker {
  /** Sees the bytes as sent. */
  sent(chunk: Buffer): void;
  /** Takes decompressed bytes; a problem ends the reading. The chunk is not used again. */
  take(chunk: Buffer): Promise<ProblemError | undefined>;
}

/** Only an exception ends streams in a chain at once; this one never leaves the module. */
class Stopped extends Error {
  readonly why: unknown;
  constructor(why: unknown) {
    super('stopped');
    this.why = why;
  }
}

/** Reads the whole body. Throws what the connection throws when the sender leaves. */
export async function streamBody(
  stream: Readable | undefined,
  encoding: Encoding,
  limits: BodyLimits,
  taker: BodyTaker,
): Promise<ProblemError | undefined> {
  const sent = readSent(stream, limits, taker);
  let plainBytes = 0;
  try {
    for await (const chunk of encoding === 'identity'
      ? plain(sent)
      : decompressed(sent, encoding)) {
      plainBytes += chunk.length;
      if (plainBytes > limits.decompressedBytesMax) return closing(tooLargeInside(limits));
      const problem = await taker.take(chunk);
      if (problem !== undefined) return closing(problem);
    }
    return undefined;
  } catch (error) {
    const why = error instanceof Stopped ? error.why : error;
    if (why instanceof ProblemError) return closing(why);
    throw why;
  }
}

/** What is left of the body is not read, so the connection cannot be used again. */
function closing(problem: ProblemError): ProblemError {
  const { code, spec, message, headers, members, cause } = problem;
  return new ProblemError(code, spec, {
    detail: message,
    headers: { ...headers, ...CLOSE },
    members,
    cause,
  });
}

async function* readSent(
  stream: Readable | undefined,
  limits: BodyLimits,
  taker: BodyTaker,
): AsyncGenerator<Buffer> {
  let sentBytes = 0;
  try {
    // Not destroyed when the loop ends early: the answer, which may wait for the log, goes over the same connection.
    for await (const chunk of stream?.iterator({ destroyOnReturn: false }) ?? []) {
      const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      sentBytes += buffer.length;
      if (sentBytes > limits.bodyBytesMax) throw new Stopped(tooLarge(limits));
      taker.sent(buffer);
      yield buffer;
    }
  } catch (error) {
    // So that a fault of the connection is not taken for one of the compression.
    throw error instanceof Stopped ? error : new Stopped(error);
  }
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** Files of logs are kept in gzip, and sent as they are without a word of it. No text begins like that. */
async function* plain(sent: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const head = await readHead(sent);
  const whole = headFirst(head, sent);
  yield* head.subarray(0, 2).equals(GZIP_MAGIC) ? decompressed(whole, 'gzip') : whole;
}

const PLAIN_CHUNK_BYTES = 65_536;

async function* decompressed(
  sent: AsyncGenerator<Buffer>,
  encoding: Exclude<Encoding, 'identity'>,
): AsyncGenerator<Buffer> {
  const head = encoding === 'deflate' ? await readHead(sent) : Buffer.alloc(0);
  const decoder = createDecoder(encoding, head);
  // Its failure destroys the decoder, which tells the loop below.
  const fed = pipeline(headFirst(head, sent), decoder).catch(() => undefined);
  try {
    yield* decoder as AsyncIterable<Buffer>;
  } catch (error) {
    throw error instanceof Stopped
      ? error
      : new Stopped(refusal('encoding_malformed', { cause: error }));
  } finally {
    decoder.destroy();
  }
  await fed;
}

function createDecoder(encoding: Exclude<Encoding, 'identity'>, head: Buffer) {
  const options = { chunkSize: PLAIN_CHUNK_BYTES };
  if (encoding === 'gzip') return createGunzip(options);
  if (encoding === 'br') return createBrotliDecompress(options);
  return deflateForm(head) === 'zlib' ? createInflate(options) : createInflateRaw(options);
}

/** The two bytes that tell gzip, and the forms of deflate, with what came with them. */
async function readHead(sent: AsyncGenerator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const { value, done } = await sent.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  return head;
}

async function* headFirst(head: Buffer, sent: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* sent;
}
