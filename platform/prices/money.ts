/**
 * Money and prices without floating point: prices are exact fractions, amounts are whole micro-units.
 *
 * Guarantee: nothing here rounds but `rounded`, which rounds half to even, so that many small amounts are not pushed
 * one way. `shareOut` gives away exactly the amount it was given, to the last micro-unit, in the same way every time.
 */

/** An exact number that is not negative. The denominator is positive. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Millionths of the reporting currency. */
export type Micros = bigint;

export const MICROS_PER_UNIT = 1_000_000n;
export const ONE: Fraction = { numerator: 1n, denominator: 1n };

const DECIMAL = /^(\d{1,9})(?:\.(\d{1,12}))?$/;
/** What `decimalOf` takes, for messages. */
export const DECIMAL_SHAPE =
  'a decimal such as "0.085", up to 9 digits before the point and 12 after it';

/** The number that a decimal text says; undefined when it is none. */
export function decimalOf(text: string): Fraction | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, whole = '', part = ''] = match;
  return { numerator: BigInt(whole + part), denominator: 10n ** BigInt(part.length) };
}

export function times(left: Fraction, right: Fraction): Fraction {
  return {
    numerator: left.numerator * right.numerator,
    denominator: left.denominator * right.denominator,
  };
}

/** A price for so many things as the price of one. */
export function dividedBy({ numerator, denominator }: Fraction, count: bigint): Fraction {
  return { numerator, denominator: denominator * count };
}

/** The nearest whole number to a quotient of numbers that are not negative; the even one of two as near. */
export function rounded(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  const twiceRest = (numerator % denominator) * 2n;
  if (twiceRest === denominator) return whole + (whole & 1n);
  return twiceRest > denominator ? whole + 1n : whole;
}

/** What a quantity costs at a price for one in some currency, at the rate of that currency. */
export function amountOf(quantity: bigint, price: Fraction, rate: Fraction): Micros {
  const { numerator, denominator } = times(price, rate);
  return rounded(quantity * numerator * MICROS_PER_UNIT, denominator);
}

/**
 * Shares an amount in proportion to weights, by largest remainder: each gets its share rounded down, and the micro-units
 * left over go one each to those that lost most by that; of those that lost the same, to the earlier.
 * Nothing is shared where all weights are 0: then the amount must be 0 too.
 */
export function shareOut(amount: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total === 0n) {
    if (amount === 0n) return weights.map(() => 0n);
    throw new RangeError('an amount cannot be shared among nobody');
  }
  const shares = weights.map((weight) => (amount * weight) / total);
  const leftOver = amount - shares.reduce((sum, share) => sum + share, 0n);
  if (leftOver === 0n) return shares;
  const lost = weights.map((weight, index) => ({ index, rest: (amount * weight) % total }));
  // The sort is stable: equal losses keep the order of the weights.
  lost.sort((left, right) => (left.rest === right.rest ? 0 : left.rest > right.rest ? -1 : 1));
  for (const { index } of lost.slice(0, Number(leftOver)))
    shares[index] = (shares[index] ?? 0n) + 1n;
  return shares;
}

/** An amount as a decimal in units of the currency: `12.345678`. */
export function microsText(micros: Micros): string {
  const digits = micros.toString().padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
