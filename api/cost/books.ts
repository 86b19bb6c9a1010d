/** Which price book holds for whoever asks. */
import type { FastifyRequest } from 'fastify';
import type { Contract, PriceBook } from '../../platform/prices/contract.ts';
import { dayOf } from '../../platform/prices/months.ts';
import type { PriceBookFile } from '../../platform/prices/price-book-file.ts';
import { refuse } from '../errors.ts';
import { projectOf } from '../guards/token.ts';

/** The book of projects that have none of their own. */
export type Prices = Pick<PriceBookFile, 'book'>;

/** The book of the request's project; undefined where nobody gave one. */
export function findBook(request: FastifyRequest, prices: Prices | undefined) {
  return projectOf(request).prices ?? prices?.book();
}

/** @throws a problem `prices_missing` that says what to set. */
export function bookOf(request: FastifyRequest, prices: Prices | undefined): PriceBook {
  const book = findBook(request, prices);
  if (book !== undefined) return book;
  const { id } = projectOf(request);
  const detail = `project ${id} has no price book: set \`prices\` of the project in the projects file, or STREAMGAUGE_PRICES_FILE for all projects without one`;
  throw refuse('prices_missing', { detail });
}

let numbered = 0;
const numbers = new WeakMap<PriceBook, number>();

/** A book is never changed, only replaced: its number stands for all that it says. */
export function bookNumber(book: PriceBook | undefined): number {
  if (book === undefined) return 0;
  const known = numbers.get(book) ?? ++numbered;
  numbers.set(book, known);
  return known;
}

/** When the book's contracts hold. */
export function bookAnswer({ contracts }: PriceBook) {
  const from = Math.min(...contracts.map(({ fromMs }: Contract) => fromMs));
  const to = Math.max(...contracts.map(({ toMs }: Contract) => toMs));
  return {
    contracts: contracts.length,
    valid_from: Number.isFinite(from) ? dayOf(from) : null,
    valid_to: Number.isFinite(to) ? dayOf(to) : null,
  };
}
