/** Price books and usage for tests. */
import fc from 'fast-check';
import { type PriceBook, priceBookOf } from '../../../platform/prices/price-book.ts';
import type { KeyedUsage } from '../../../platform/prices/share.ts';
import type { Usage } from '../../../platform/prices/usage.ts';

export const GB = 1_000_000_000n;

/** A contract of `a` that costs 1 a gigabyte from 2026 on, with these fields in place of its own. */
export const contract = (fields: object = {}) => ({
  cdn: 'a',
  validFrom: '2026-01-01',
  tiers: [{ price: '1' }],
  ...fields,
});

export function bookOf(fields: object): PriceBook {
  const parsed = priceBookOf({ currency: 'EUR', contracts: [contract()], ...fields });
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  return parsed.book;
}

/** Usage of `a` in Germany at a time such as `2026-01-31T23:00Z`. */
export function usageAt(time: string, fields: Partial<Usage> = {}): Usage {
  const none = { bytes: 0n, requests: 0n, originBytes: 0n };
  return { cdn: 'a', country: 'DE', atMs: Date.parse(time), ...none, ...fields };
}

const decimal = fc
  .tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`);

const tiers = fc
  .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }), decimal)
  .chain(([ends, last]) =>
    fc
      .tuple(...ends.map(() => decimal))
      .map((prices) => [
        ...[...ends]
          .sort((left, right) => left - right)
          .map((upTo, index) => ({ upTo, price: prices[index] ?? '0' })),
        { price: last },
      ]),
  );

const terms = fc.record({
  currency: fc.constantFrom('EUR', 'USD'),
  unit: fc.constantFrom('GB', 'GiB'),
  tiers,
  tierScope: fc.constantFrom('region', 'cdn'),
  perRequest: fc.record({ price: decimal, per: fc.constantFrom(1, 7, 10_000) }),
  originEgress: fc.record({ price: decimal }),
});

/** Two CDNs; the first with a region of its own and a rest that changes within February 2028, a leap year. */
export const anyBook = fc.tuple(terms, terms, terms, terms).map(([west, rest, later, other]) =>
  bookOf({
    rates: { USD: '0.9137' },
    regions: { west: ['DE', 'FR'] },
    contracts: [
      { ...west, cdn: 'a', region: 'west', validFrom: '2027-01-01' },
      { ...rest, cdn: 'a', validFrom: '2027-01-01', validTo: '2028-02-29' },
      { ...later, cdn: 'a', validFrom: '2028-02-29' },
      { ...other, cdn: 'b', region: 'west', validFrom: '2028-02-10' },
    ],
  }),
);

const FROM_MS = Date.parse('2027-12-01T00:00:00Z');
const HOURS = 4 * 30 * 24;

/** Usage of four months around the turn of a year, some of it without a contract. */
export const anyUsage = fc.array(
  fc
    .record({
      cdn: fc.constantFrom('a', 'b', 'c'),
      country: fc.constantFrom('DE', 'FR', 'JP', ''),
      hour: fc.integer({ min: 0, max: HOURS }),
      bytes: fc.bigInt({ min: 0n, max: 20n * GB }),
      requests: fc.bigInt({ min: 0n, max: 100_000n }),
      originBytes: fc.bigInt({ min: 0n, max: 5n * GB }),
      key: fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2', '3', '4')),
    })
    .map(({ hour, ...usage }): KeyedUsage => ({ ...usage, atMs: FROM_MS + hour * 3_600_000 })),
  { maxLength: 60 },
);
