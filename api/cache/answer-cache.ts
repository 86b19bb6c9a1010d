/**
 * Answers by what they were made from.
 *
 * Guarantee: bounded bytes; what was not asked for longest goes first. A key says everything that an answer depends on,
 * so no entry ever grows wrong: it is only asked for no more.
 */
import { createHash } from 'node:crypto';

export interface CacheCounters {
  hits: number;
  misses: number;
  evictions: number;
  /** Answers larger than one may be. */
  tooLarge: number;
  /** Requests answered with 304: the client had the answer. */
  notModified: number;
  /** Answers that were not kept because a row came or went while they were made. */
  changed: number;
  /** Held now. */
  bytes: number;
}

export function createCacheCounters(): CacheCounters {
  return { hits: 0, misses: 0, evictions: 0, tooLarge: 0, notModified: 0, changed: 0, bytes: 0 };
}

export interface KeptAnswer {
  readonly etag: string;
  readonly body: Buffer;
}

export interface CacheLimits {
  readonly answerCacheBytesMax: number;
  readonly answerBytesMax: number;
}

/** What an entry takes beside its body: its key, its tag, and the objects around them. */
const ENTRY_BYTES = 512;
const sizeOf = ({ body }: KeptAnswer): number => body.length + ENTRY_BYTES;

export class AnswerCache {
  readonly #limits: CacheLimits;
  readonly #counters: CacheCounters;
  /** The order of a map is that of insertion: an entry that is asked for goes to the end. */
  readonly #answers = new Map<string, KeptAnswer>();

  constructor(limits: CacheLimits, counters: CacheCounters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  get(key: string): KeptAnswer | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) {
      this.#counters.misses++;
      return undefined;
    }
    this.#counters.hits++;
    this.#answers.delete(key);
    this.#answers.set(key, found);
    return found;
  }

  set(key: string, answer: KeptAnswer): void {
    const { answerCacheBytesMax, answerBytesMax } = this.#limits;
    if (answer.body.length > answerBytesMax || sizeOf(answer) > answerCacheBytesMax) {
      this.#counters.tooLarge++;
      return;
    }
    this.#remove(key);
    this.#answers.set(key, answer);
    this.#counters.bytes += sizeOf(answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#counters.bytes <= answerCacheBytesMax) break;
      this.#remove(oldest);
      this.#counters.evictions++;
    }
  }

  #remove(key: string): void {
    const found = this.#answers.get(key);
    if (found === undefined) return;
    this.#answers.delete(key);
    this.#counters.bytes -= sizeOf(found);
  }
}

const DIGEST_LENGTH = 22;

/** Text that stands for the values; no two lists of values that differ share one. */
export function digestOf(...values: readonly unknown[]): string {
  const digest = createHash('sha256').update(JSON.stringify(values)).digest('base64url');
  return digest.slice(0, DIGEST_LENGTH);
}

/** A strong tag: what the answer was made from, and its bytes. */
export function etagOf(key: string, body: Buffer): string {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, DIGEST_LENGTH);
  return `"${key}.${digest}"`;
}

/**
 * The tag of an If-None-Match header that is of an answer made from the same; undefined without one. Its bytes need not
 * be known here: whoever has the tag has them.
 */
export function heldTag(header: string | undefined, key: string): string | undefined {
  const tags = header?.match(/"[^"]*"/g) ?? [];
  return tags.find((tag) => tag.startsWith(`"${key}.`));
}
