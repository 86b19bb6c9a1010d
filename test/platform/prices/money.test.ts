import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountOf,
  decimalOf,
  microsText,
  ONE,
  rounded,
  shareOut,
} from '../../../platform/prices/money.ts';

describe('money', () => {
  it('reads decimals as exact fractions, and nothing else', () => {
    expect(decimalOf('0.085')).toEqual({ numerator: 85n, denominator: 1000n });
    expect(decimalOf('12')).toEqual({ numerator: 12n, denominator: 1n });
    expect(decimalOf('999999999.999999999999')).toEqual({
      numerator: 999_999_999_999_999_999_999n,
      denominator: 1_000_000_000_000n,
    });
    const wrong = ['', '.5', '5.', '-1', '+1', '1e3', '1,5', ' 1', '0x1', '1.0000000000001'];
    for (const text of [...wrong, '1234567890']) expect(decimalOf(text)).toBeUndefined();
  });

  it.each([
    [0n, 2n, 0n],
    [1n, 2n, 0n],
    [3n, 2n, 2n],
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [4n, 3n, 1n],
    [5n, 3n, 2n],
  ])('rounds %s / %s to %s, halves to even', (numerator, denominator, expected) => {
    expect(rounded(numerator, denominator)).toBe(expected);
  });

  it('rounds an amount once, after it was converted', () => {
    // 1.5 micro-units of the contract's currency would become 2, and 2 at the rate 0.4 would become 1.
    const price = { numerator: 15n, denominator: 10_000_000n };
    const rate = { numerator: 4n, denominator: 10n };
    expect(amountOf(1n, price, ONE)).toBe(2n);
    expect(amountOf(1n, price, rate)).toBe(1n);
    expect(amountOf(2n, price, rate)).toBe(1n);
    expect(amountOf(3n, price, rate)).toBe(2n);
  });

  it('shares the rest by largest remainder, and among equals to the earlier', () => {
    expect(shareOut(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
    expect(shareOut(101n, [1n, 1n, 1n])).toEqual([34n, 34n, 33n]);
    expect(shareOut(10n, [5n, 0n, 4n, 3n])).toEqual([4n, 0n, 3n, 3n]);
    expect(shareOut(1n, [1n, 2n])).toEqual([0n, 1n]);
    expect(shareOut(0n, [0n, 0n])).toEqual([0n, 0n]);
    expect(() => shareOut(1n, [0n])).toThrow(RangeError);
  });

  it('shares out exactly what there is, each within one of its part', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 18n }), { minLength: 1 });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), weights, (amount, given) => {
        const total = given.reduce((sum, weight) => sum + weight, 0n);
        fc.pre(total > 0n);
        const shares = shareOut(amount, given);
        expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(amount);
        shares.forEach((share, index) => {
          const off = share * total - amount * (given[index] ?? 0n);
          expect(off > -total && off < total).toBe(true);
        });
      }),
    );
  });

  it('is written as a decimal', () => {
    expect([0n, 1n, 999_999n, 1_000_000n, 12_345_678n].map(microsText)).toEqual([
      '0.000000',
      '0.000001',
      '0.999999',
      '1.000000',
      '12.345678',
    ]);
  });
});
