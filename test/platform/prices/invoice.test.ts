import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invoice } from '../../../platform/prices/invoice.ts';
import type { Contract, PriceBook } from '../../../platform/prices/price-book.ts';
import type { Usage } from '../../../platform/prices/usage.ts';
import { anyBook, anyUsage, bookOf, contract, GB, usageAt } from './support.ts';

const TIERS = [{ upTo: 10, price: '3' }, { upTo: 20, price: '2' }, { price: '1' }];

/** Bytes of each tier and the tier of the next byte, of one pool of so many bytes. */
function tiersAt(bytes: bigint) {
  const book = bookOf({ contracts: [contract({ tiers: TIERS })] });
  const { pools, lines } = invoice(book, [usageAt('2026-01-01T00:00Z', { bytes })]);
  return {
    tiers: lines.map(({ tier, quantity }) => [tier, quantity]),
    next: pools[0]?.marginalTier,
  };
}

describe('an invoice', () => {
  it.each([
    [0n, [], 0],
    [1n, [[0, 1n]], 0],
    [10n * GB - 1n, [[0, 10n * GB - 1n]], 0],
    [10n * GB, [[0, 10n * GB]], 1],
    [
      10n * GB + 1n,
      [
        [0, 10n * GB],
        [1, 1n],
      ],
      1,
    ],
    [
      20n * GB,
      [
        [0, 10n * GB],
        [1, 10n * GB],
      ],
      2,
    ],
    [
      50n * GB,
      [
        [0, 10n * GB],
        [1, 10n * GB],
        [2, 30n * GB],
      ],
      2,
    ],
  ])('of %s bytes fills one tier after the other', (bytes, tiers, next) => {
    expect(tiersAt(bytes)).toEqual({ tiers, next });
  });

  it('begins tiers anew with each month, also when the year ends and in a leap February', () => {
    const book = bookOf({ contracts: [contract({ tiers: TIERS })] });
    const times = [
      '2027-12-31T23:59:59.999Z',
      '2028-01-01T00:00Z',
      '2028-02-01T00:00Z',
      '2028-02-29T23:59:59.999Z',
      '2028-03-01T00:00Z',
    ];
    const { totals } = invoice(
      book,
      times.map((time) => usageAt(time, { bytes: 15n * GB })),
    );
    expect(totals.map(({ month, micros }) => [month, micros])).toEqual([
      ['2027-12', 40_000_000n],
      ['2028-01', 40_000_000n],
      ['2028-02', 60_000_000n],
      ['2028-03', 40_000_000n],
    ]);
  });

  it('lets the volume of each contract of a month fill its own tiers', () => {
    const book = bookOf({
      contracts: [
        contract({ tiers: TIERS, validTo: '2026-01-16' }),
        contract({
          tiers: [{ upTo: 10, price: '0.3' }, { price: '0.1' }],
          validFrom: '2026-01-16',
        }),
      ],
    });
    const { pools, totals, micros } = invoice(book, [
      usageAt('2026-01-15T23:59:59.999Z', { bytes: 12n * GB }),
      usageAt('2026-01-16T00:00Z', { bytes: 12n * GB }),
    ]);
    expect(pools.map((pool) => [pool.contract.index, pool.micros.bytes])).toEqual([
      [0, 34_000_000n],
      [1, 3_200_000n],
    ]);
    expect(totals).toMatchObject([{ cdn: 'a', region: '*', bytes: 24n * GB, micros }]);
  });

  it('charges requests and bytes from origin, converted at the fixed rate', () => {
    const book = bookOf({
      rates: { USD: '0.92' },
      contracts: [
        contract({
          currency: 'USD',
          unit: 'TiB',
          tiers: [{ price: '80' }],
          perRequest: { price: '0.0075', per: 10_000 },
          originEgress: { price: '20' },
        }),
      ],
    });
    const used = { bytes: 2n ** 39n, requests: 1_000_000, originBytes: 2 ** 38 };
    expect(invoice(book, [usageAt('2026-05-05T00:00Z', used)])).toMatchObject({
      currency: 'EUR',
      micros: 36_800_000n + 690_000n + 4_600_000n,
      pools: [{ micros: { bytes: 36_800_000n, requests: 690_000n, originBytes: 4_600_000n } }],
    });
  });

  it('finds the contract of a country, and of all others the rest', () => {
    const book = bookOf({
      regions: { west: ['DE', 'FR'] },
      contracts: [contract({ tiers: [{ price: '9' }] }), contract({ region: 'west' })],
    });
    const rows = ['DE', 'FR', 'JP', ''].map((country) =>
      usageAt('2026-01-01T00:00Z', { country, bytes: GB }),
    );
    expect(invoice(book, rows).totals).toMatchObject([
      { region: '*', micros: 18_000_000n },
      { region: 'west', micros: 2_000_000n },
    ]);
  });

  it('fills the tiers of a region with its own bytes, or with those of the whole CDN', () => {
    const bookWith = (tierScope: string) =>
      bookOf({
        regions: { west: ['DE'], east: ['JP'] },
        contracts: [
          contract({ region: 'west', tiers: TIERS, tierScope }),
          contract({
            region: 'east',
            tiers: [{ upTo: 10, price: '6' }, { price: '4' }],
            tierScope,
          }),
        ],
      });
    const rows = [
      usageAt('2026-01-01T00:00Z', { country: 'DE', bytes: 8n * GB }),
      usageAt('2026-01-31T00:00Z', { country: 'JP', bytes: 2n * GB }),
      // No contract is for it, and yet it is traffic of the CDN.
      usageAt('2026-01-31T00:00Z', { country: 'BR', bytes: 10n * GB }),
    ];
    const alone = invoice(bookWith('region'), rows);
    expect(alone.totals.map(({ micros }) => micros)).toEqual([12_000_000n, 24_000_000n]);
    const whole = invoice(bookWith('cdn'), rows);
    expect(whole.lines.map(({ tier, quantity }) => [tier, quantity])).toEqual([
      [0, GB],
      [1, GB],
      [0, 4n * GB],
      [1, 4n * GB],
    ]);
    expect(whole.totals.map(({ micros }) => micros)).toEqual([10_000_000n, 20_000_000n]);
    expect(whole.pools.map(({ marginalTier }) => marginalTier)).toEqual([1, 2]);
  });

  it('lists what has no price, with the reason', () => {
    const book = bookOf({
      regions: { west: ['DE'] },
      contracts: [contract({ region: 'west', validTo: '2026-02-01' })],
    });
    const found = invoice(book, [
      usageAt('2026-01-01T00:00Z', { cdn: 'other', bytes: 1, requests: 2, originBytes: 3 }),
      usageAt('2026-01-02T00:00Z', { cdn: 'other', bytes: 1, requests: 2 }),
      usageAt('2026-01-01T00:00Z', { country: '', bytes: 5 }),
      usageAt('2025-12-31T23:59Z', { bytes: 6 }),
      usageAt('2026-02-01T00:00Z', { bytes: 7 }),
    ]);
    expect(found.micros).toBe(0n);
    expect(found.unpriced).toMatchObject([
      { cdn: 'a', month: '2025-12', reason: 'date_uncovered', bytes: 6n },
      { cdn: 'a', month: '2026-01', reason: 'region_uncovered', bytes: 5n },
      { cdn: 'a', month: '2026-02', reason: 'date_uncovered', bytes: 7n },
      {
        cdn: 'other',
        month: '2026-01',
        reason: 'cdn_unknown',
        bytes: 2n,
        requests: 4n,
        originBytes: 3n,
      },
    ]);
  });

  it('refuses usage that cannot be', () => {
    for (const bytes of [-1, 0.5, Number.NaN, -1n]) {
      expect(() => invoice(bookOf({}), [usageAt('2026-01-01T00:00Z', { bytes })])).toThrow(
        RangeError,
      );
    }
  });

  it('is what a plain computation in fractions gives, in any order of the usage', () => {
    fc.assert(
      fc.property(anyBook, anyUsage, (book, usage) => {
        const found = invoice(book, usage);
        expect(found.micros).toBe(plainCost(book, usage));
        expect(invoice(book, [...usage].reverse())).toEqual(found);
        const bytes = [...found.totals, ...found.unpriced].reduce(
          (sum, one) => sum + one.bytes,
          0n,
        );
        expect(bytes).toBe(usage.reduce((sum, one) => sum + BigInt(one.bytes), 0n));
      }),
      { numRuns: 200 },
    );
  });
});

/** The cost by the definition: for each contract and month the sums, then each price by itself. */
function plainCost(book: PriceBook, usage: readonly Usage[]): bigint {
  const months = new Set(usage.map(({ atMs }) => new Date(atMs).toISOString().slice(0, 7)));
  let micros = 0n;
  for (const one of book.contracts) {
    for (const month of months) {
      const during = usage.filter(
        ({ cdn, atMs }) =>
          cdn === one.cdn &&
          atMs >= one.fromMs &&
          atMs < one.toMs &&
          new Date(atMs).toISOString().startsWith(month),
      );
      micros += plainPool(one, during);
    }
  }
  return micros;
}

/** Which countries a contract is for, in the books of `anyBook`. */
function isFor({ cdn, region }: Contract, country: string): boolean {
  const west = country === 'DE' || country === 'FR';
  return region === 'west' ? west : cdn === 'a' && !west;
}

function plainPool(one: Contract, during: readonly Usage[]): bigint {
  const own = during.filter(({ country }) => isFor(one, country));
  const sum = (rows: readonly Usage[], name: 'bytes' | 'requests' | 'originBytes') =>
    rows.reduce((total, row) => total + BigInt(row[name]), 0n);
  const bytes = sum(own, 'bytes');
  const whole = one.tierScope === 'cdn' ? sum(during, 'bytes') : bytes;
  const widths = one.tiers.map(({ fromBytes, toBytes }) => {
    const end = toBytes === undefined || toBytes > whole ? whole : toBytes;
    return end > fromBytes ? end - fromBytes : 0n;
  });
  const inTiers = largestRemainder(bytes, widths, whole);
  let micros = 0n;
  one.tiers.forEach(({ bytePrice }, tier) => {
    micros += nearest(one, inTiers[tier] ?? 0n, bytePrice);
  });
  const { requestPrice, originBytePrice } = one;
  if (requestPrice) micros += nearest(one, sum(own, 'requests'), requestPrice);
  if (originBytePrice) micros += nearest(one, sum(own, 'originBytes'), originBytePrice);
  return micros;
}

function largestRemainder(amount: bigint, widths: readonly bigint[], whole: bigint): bigint[] {
  if (whole === 0n) return widths.map(() => 0n);
  const shares = widths.map((width) => (amount * width) / whole);
  const order = widths
    .map((width, index) => ({ index, rest: (amount * width) % whole }))
    .sort((left, right) => Number(right.rest > left.rest) - Number(right.rest < left.rest));
  for (const { index } of order) {
    const given = shares.reduce((total, share) => total + share, 0n);
    if (given < amount) shares[index] = (shares[index] ?? 0n) + 1n;
  }
  return shares;
}

function nearest(
  { rate }: Contract,
  quantity: bigint,
  price: { readonly numerator: bigint; readonly denominator: bigint },
): bigint {
  const top = quantity * price.numerator * rate.numerator * 1_000_000n;
  const bottom = price.denominator * rate.denominator;
  const twice = (top * 2n + bottom) / (bottom * 2n);
  const isHalf = (top * 2n) % bottom === 0n && ((top * 2n) / bottom) % 2n === 1n;
  return isHalf && twice % 2n === 1n ? twice - 1n : twice;
}
