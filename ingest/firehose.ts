/**
 * The envelope of Amazon Data Firehose (HTTP endpoint delivery, version 1.0), in which CloudFront's real-time logs come:
 * `{"requestId":"…","timestamp":…,"records":[{"data":"BASE64"},…]}`.
 *
 * Guarantee: records are unwrapped as the body comes, in memory that does not grow with it; each becomes at least one
 * line. Any bytes give lines or a reason, never a throw.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { ProblemError } from '../platform/http/problem.ts';
import { refusal } from './errors.ts';
import type { BodyTaker } from './receive-stream.ts';
import type { Answer } from './routes.ts';

const VERSION = 'x-amz-firehose-protocol-version';
const ACCESS_KEY = 'x-amz-firehose-access-key';
const REQUEST_ID = 'x-amz-firehose-request-id';

export const isFirehose = (headers: IncomingHttpHeaders): boolean => headers[VERSION] !== undefined;

/** The write key of a delivery. */
export function firehoseKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers[ACCESS_KEY];
  return typeof key === 'string' && key !== '' ? key : undefined;
}

/** Firehose takes nothing but 200, its own request id and a time for an answer; else it sends the body again. */
export function firehoseAnswer(headers: IncomingHttpHeaders, nowMs: number): Answer {
  return { status: 200, body: { requestId: String(headers[REQUEST_ID] ?? ''), timestamp: nowMs } };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const LINE_END = Buffer.from('\n');
/** Names of members are short; a longer text is none that is looked for. */
const NAME_BYTES_MAX = 16;
/** `\u003d` without its last character. */
const ESCAPE_LENGTH_MAX = 5;

/** Hands on the records of an envelope as lines. */
export class EnvelopeTaker implements BodyTaker {
  readonly #inner: BodyTaker;
  #depth = 0;
  #begun = false;
  /** Within a text: of a record, or of anything else. */
  #within: 'nothing' | 'record' | 'other' = 'nothing';
  #escaped = false;
  /** The text that ended last, until a colon makes it a name. */
  #text = '';
  #name = '';
  /** Of a record: the begin of an escape, and base64 of less than three bytes. */
  #unread = '';
  #held = '';

  constructor(inner: BodyTaker) {
    this.#inner = inner;
  }

  sent(chunk: Buffer): void {
    this.#inner.sent(chunk);
  }

  async take(chunk: Buffer): Promise<ProblemError | undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#within === 'nothing') {
        at = this.#outside(chunk, at);
        continue;
      }
      const end = this.#endOfText(chunk, at);
      const problem = await this.#takeText(chunk.toString('latin1', at, end), end < chunk.length);
      if (problem !== undefined) return problem;
      at = end + 1;
    }
    return undefined;
  }

  /** What is wrong with the envelope as a whole; undefined when it was closed. */
  end(): ProblemError | undefined {
    if (this.#begun && this.#depth === 0 && this.#within === 'nothing') return undefined;
    const detail = 'The envelope of Firehose is not whole: send JSON with `records`.';
    return refusal('body_malformed', { detail });
  }

  /** Reads up to the next text. */
  #outside(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === QUOTE) {
        this.#within = this.#name === 'data' ? 'record' : 'other';
        this.#text = '';
        return at + 1;
      }
      if (byte === COLON) this.#name = this.#text;
      else if (byte > 0x20) this.#name = '';
      if (OPENING.has(byte)) this.#depth++;
      if (CLOSING.has(byte)) this.#depth--;
      this.#begun ||= this.#depth > 0;
    }
    return chunk.length;
  }

  /** Where the text's closing quote is, or the end of the chunk. */
  #endOfText(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) return at;
    }
    return chunk.length;
  }

  async #takeText(piece: string, ended: boolean): Promise<ProblemError | undefined> {
    const within = this.#within;
    if (ended) {
      this.#within = 'nothing';
      this.#name = '';
    }
    if (within === 'record') return this.#takeRecord(piece, ended);
    if (this.#text.length <= NAME_BYTES_MAX) this.#text += piece.slice(0, NAME_BYTES_MAX + 1);
    return undefined;
  }

  async #takeRecord(piece: string, ended: boolean): Promise<ProblemError | undefined> {
    const text = this.#unread + piece;
    // The begin of an escape waits for its end.
    const open = ended ? -1 : text.indexOf('\\', Math.max(0, text.length - ESCAPE_LENGTH_MAX));
    this.#unread = open < 0 ? '' : text.slice(open);
    const base64 = this.#held + unescaped(open < 0 ? text : text.slice(0, open));
    const ready = ended ? base64.length : base64.length - (base64.length % 4);
    this.#held = base64.slice(ready);
    const bytes = Buffer.from(base64.slice(0, ready), 'base64');
    const problem = bytes.length === 0 ? undefined : await this.#inner.take(bytes);
    if (problem !== undefined || !ended) return problem;
    // A record may end without a line's end; an empty line is none.
    return this.#inner.take(LINE_END);
  }
}

/** Writers of JSON may escape what base64 has: `\/`, `\u003d`, `\u002b`. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const character = (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16));
  return text.replaceAll(/\\u00([0-9a-f]{2})/gi, character).replaceAll('\\/', '/');
}
