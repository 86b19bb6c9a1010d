/**
 * Price books in files of their own.
 *
 * Guarantee: at the start a missing or bad file is a `PriceBookError`; later it is a line in the operator's log and a
 * count, and the book that was read before stays in force.
 */
import type { BaseLogger } from 'pino';
import { readTextFile, watchFiles } from '../watched-files.ts';
import { type ParsedPriceBook, type PriceBook, parsePriceBook } from './price-book.ts';

const WATCH_INTERVAL_MS = 2_000;

/** A price book cannot be used. `message` is one line for each mistake. */
export class PriceBookError extends Error {
  readonly code = 'prices_invalid';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PriceBookError';
  }
}

export interface PriceBookFileDeps {
  /** Path of the file; empty when there is none. */
  readonly file: string;
  readonly logger: Pick<BaseLogger, 'info' | 'error'>;
  /** Look for changes every so many ms; 0 never. */
  readonly watchIntervalMs?: number;
}

export interface PriceBookFile {
  /** The book in force; undefined without a file. */
  book(): PriceBook | undefined;
  /** Reads the file again. False, and a line in the log, when it is bad: the old book stays. */
  reload(): boolean;
  readonly counters: { readonly reloads: number; readonly reloadsRefused: number };
  /** Stops watching the file. */
  close(): void;
}

/**
 * Opens a price book that is read again when it changes.
 * @throws PriceBookError when the file is missing or bad.
 */
export function openPriceBook(deps: PriceBookFileDeps): PriceBookFile {
  const { file, logger, watchIntervalMs = WATCH_INTERVAL_MS } = deps;
  const counters = { reloads: 0, reloadsRefused: 0 };
  const watched = watchFiles(() => reload());
  const read = (): ParsedPriceBook => {
    watched.note(file);
    return readPriceBook(file);
  };
  let book = file === '' ? undefined : startWith(read());
  const reload = (): boolean => {
    if (file === '') return true;
    const parsed = read();
    if (!parsed.ok) {
      counters.reloadsRefused++;
      const reason = parsed.errors.join('\n');
      logger.error({ code: 'prices_invalid', file, reason }, 'price book not taken');
      return false;
    }
    counters.reloads++;
    book = parsed.book;
    logger.info({ file, contracts: book.contracts.length }, 'price book taken');
    return true;
  };
  if (file !== '') watched.start(watchIntervalMs);
  return { book: () => book, reload, counters, close: () => watched.close() };
}

function startWith(parsed: ParsedPriceBook): PriceBook {
  if (parsed.ok) return parsed.book;
  throw new PriceBookError(parsed.errors.join('\n'));
}

/** The book that a file has now; each mistake with the file's name. */
export function readPriceBook(file: string): ParsedPriceBook {
  const read = readTextFile(file);
  if (!read.ok) return { ok: false, errors: [`${file}: ${read.reason}`] };
  const parsed = parsePriceBook(read.text);
  return parsed.ok
    ? parsed
    : { ok: false, errors: parsed.errors.map((line) => `${file}: ${line}`) };
}
