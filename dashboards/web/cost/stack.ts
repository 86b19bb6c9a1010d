/**
 * Cost over time as stacked amounts, largest CDN first.
 *
 * Guarantee: the parts sum to the whole, to a millionth: what the named ones do not have is the rest's. Amounts become
 * numbers of the canvas only once they are summed.
 */
import { microsOf } from '../figures/money.ts';

export interface NamedAmounts {
  readonly name: string;
  /** Decimals in text, one for each bucket. */
  readonly amounts: readonly string[];
}

export interface Stack {
  readonly names: readonly string[];
  /** Millionths, for each name one for each bucket. */
  readonly parts: readonly (readonly bigint[])[];
}

export const REST = 'others';

export function stackOf(whole: readonly string[], named: readonly NamedAmounts[]): Stack {
  const parts = named.map(({ amounts }) => amounts.map((amount) => microsOf(amount) ?? 0n));
  const rest = whole.map((amount, index) => {
    const known = parts.reduce((sum, part) => sum + (part[index] ?? 0n), 0n);
    return (microsOf(amount) ?? 0n) - known;
  });
  const names = named.map(({ name }) => name);
  if (rest.every((amount) => amount <= 0n)) return { names, parts };
  return { names: [...names, REST], parts: [...parts, rest] };
}
