import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountText,
  decimalsFor,
  microsOf,
  moneyText,
  partOf,
  sumOf,
} from '../../dashboards/web/figures/money.ts';

const euros = (amount: string | null, decimals?: number): string =>
  moneyText(amount, { currency: 'EUR', ...(decimals === undefined ? {} : { decimals }) });

describe('amounts of money', () => {
  it('stay exact beyond what a floating-point number holds', () => {
    expect(euros('9007199254740993.000001', 6)).toBe('€9,007,199,254,740,993.000001');
    expect(sumOf(['9007199254740993.000001', '0.000001'])).toBe('9007199254740993.000002');
    expect(sumOf(['0.1', '0.2'])).toBe('0.300000');
  });

  it('come back from millionths as they were', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (micros) => {
        expect(microsOf(amountText(micros))).toBe(micros);
      }),
    );
  });

  it.each([
    ['25184.465503', '€25,184'],
    ['812.402113', '€812.40'],
    ['1.5', '€1.50'],
    ['0.857700', '€0.858'],
    ['0.050660', '€0.0507'],
    ['0.000012', '€0.000012'],
    ['0.000000', '€0.00'],
    ['-3.219', '−€3.22'],
    [null, '–'],
    ['1e3', '–'],
    ['', '–'],
  ])('show %s as %s', (amount, shown) => {
    expect(euros(amount)).toBe(shown);
  });

  it('are never rounded to 0, and have a plus where a change is told', () => {
    expect(euros('0.000100', 2)).toBe('<€0.01');
    expect(euros('-0.000100', 2)).toBe('>−€0.01');
    const signed = { currency: 'USD', signed: true };
    expect(moneyText('1.25', signed)).toBe('+US$1.25');
    expect(moneyText('0', signed)).toBe('US$0.00');
  });

  it('of one column have the decimals of the largest', () => {
    expect(decimalsFor(['0.050660', '1234.5', null])).toBe(0);
    expect(decimalsFor(['0.050660', '0.004'])).toBe(4);
    expect(decimalsFor([])).toBe(2);
  });

  it('have parts, and none of nothing', () => {
    expect(partOf('0.342030', '1.237205')).toBeCloseTo(0.276453, 6);
    expect(partOf('0', '0.000000')).toBeNull();
    expect(partOf('x', '1')).toBeNull();
  });
});
