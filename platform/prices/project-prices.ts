/** The prices of a project: the name of a file, or the price book itself. */
import Type from 'typebox';
import { type ParsedPriceBook, type PriceBook, priceBookOf } from './price-book.ts';

/** Checked by hand: of a value that may be either, a shape could not say what is wrong. */
export const ProjectPricesEntry = Type.Optional(Type.Unknown());

/** Reads the price book of a file that a project names. */
export type ReadPrices = (file: string) => ParsedPriceBook;

/** Where the file cannot name others, such as in a text without a folder. */
export const noPriceFiles: ReadPrices = (file) => ({
  ok: false,
  errors: [`${file}: a price book in another file cannot be read here`],
});

/** The price book that a project names or holds; a line in `errors` for each mistake. */
export function pricesOf(
  entry: { readonly id: string; readonly prices?: unknown },
  read: ReadPrices,
  errors: string[],
): { readonly prices?: PriceBook } {
  const { id, prices } = entry;
  if (prices === undefined) return {};
  if (prices === null || !['string', 'object'].includes(typeof prices) || prices === '') {
    errors.push(`prices of ${id} must be the path of a price book, or the price book itself`);
    return {};
  }
  const parsed = typeof prices === 'string' ? read(prices) : priceBookOf(prices);
  if (parsed.ok) return { prices: parsed.book };
  errors.push(...parsed.errors.map((line) => `prices of ${id}: ${line}`));
  return {};
}
