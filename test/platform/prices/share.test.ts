import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invoice } from '../../../platform/prices/invoice.ts';
import { pricingPeriods } from '../../../platform/prices/months.ts';
import { type CostShare, type KeyedUsage, shareCost } from '../../../platform/prices/share.ts';
import type { Usage } from '../../../platform/prices/usage.ts';
import { anyBook, anyUsage, bookOf, contract, GB, usageAt } from './support.ts';

const TIERS = [{ upTo: 10, price: '3' }, { price: '1' }];

const keyed = (key: string[], usage: Usage): KeyedUsage => ({ ...usage, key });

/** Every key equals the sum of those within it, in amounts of each kind and in volume. */
function expectToAddUp(share: CostShare): void {
  const { microsByKind, children } = share;
  const { bytes, requests, originBytes } = microsByKind;
  expect(share.micros).toBe(bytes + requests + originBytes);
  if (children.length === 0) return;
  const sum = (of: (child: CostShare) => bigint) =>
    children.reduce((total, child) => total + of(child), 0n);
  expect(sum(({ micros }) => micros)).toBe(share.micros);
  expect(sum((child) => child.microsByKind.requests)).toBe(requests);
  expect(sum((child) => child.volume.bytes)).toBe(share.volume.bytes);
  expect(sum((child) => child.unpriced.bytes)).toBe(share.unpriced.bytes);
  for (const child of children) expectToAddUp(child);
}

describe('the cost of keys', () => {
  it('is the average price of the month, whichever tier their bytes fell into', () => {
    const book = bookOf({ contracts: [contract({ tiers: TIERS })] });
    const first = usageAt('2026-01-01T00:00Z', { bytes: 10n * GB });
    const last = usageAt('2026-01-31T00:00Z', { bytes: 30n * GB });
    const { overall, invoice: bill } = shareCost(book, {
      totals: [first, last],
      slice: [keyed(['last'], last), keyed(['first'], first)],
    });
    expect(bill.micros).toBe(60_000_000n);
    expect(overall.micros).toBe(60_000_000n);
    expect(overall.children).toMatchObject([
      { key: 'first', micros: 15_000_000n },
      { key: 'last', micros: 45_000_000n },
    ]);
  });

  it('of some days is their part of the bill of the whole month', () => {
    const book = bookOf({ contracts: [contract({ tiers: TIERS })] });
    const day = usageAt('2026-01-01T00:00Z', { bytes: 10n * GB });
    const totals = [day, usageAt('2026-01-31T00:00Z', { bytes: 30n * GB })];
    const { overall } = shareCost(book, { totals, slice: [keyed(['x'], day)] });
    expect(overall).toMatchObject({ micros: 15_000_000n, volume: { bytes: 10n * GB } });
  });

  it('goes by requests for requests, and by bytes from origin for those', () => {
    const book = bookOf({
      contracts: [contract({ perRequest: { price: '1' }, originEgress: { price: '1' } })],
    });
    const rows = [
      keyed(['x'], usageAt('2026-01-01T00:00Z', { bytes: 3n * GB, requests: 1 })),
      keyed(['y'], usageAt('2026-01-01T00:00Z', { requests: 3, originBytes: 2n * GB })),
    ];
    const { overall } = shareCost(book, { totals: rows, slice: rows });
    expect(overall.children.map(({ microsByKind }) => microsByKind)).toEqual([
      { bytes: 3_000_000n, requests: 1_000_000n, originBytes: 0n },
      { bytes: 0n, requests: 3_000_000n, originBytes: 2_000_000n },
    ]);
  });

  it('gives a micro-unit that is left over to the first of equals by name, in any order of rows', () => {
    const book = bookOf({ contracts: [contract({ tiers: [{ price: '0.000100' }] })] });
    const part = usageAt('2026-01-01T00:00Z', { bytes: GB / 3n });
    const rows = ['z', 'x', 'y'].map((key) => keyed([key], part));
    const totals = [usageAt('2026-01-01T00:00Z', { bytes: GB })];
    for (const slice of [rows, [...rows].reverse()]) {
      expect(
        shareCost(book, { totals, slice }).overall.children.map(({ key, micros }) => [key, micros]),
      ).toEqual([
        ['x', 34n],
        ['y', 33n],
        ['z', 33n],
      ]);
    }
  });

  it('says what of a key has no price', () => {
    const row = keyed(['x'], usageAt('2026-01-01T00:00Z', { cdn: 'other', bytes: 7, requests: 1 }));
    const { overall, unpriced } = shareCost(bookOf({}), { totals: [row], slice: [row] });
    expect(overall.children).toMatchObject([
      { key: 'x', micros: 0n, volume: { bytes: 7n }, unpriced: { bytes: 7n, requests: 1n } },
    ]);
    expect(unpriced).toMatchObject([{ cdn: 'other', reason: 'cdn_unknown', bytes: 7n }]);
  });

  it('believes a slice that has more than the totals, which were asked before', () => {
    const book = bookOf({ contracts: [contract({ tiers: TIERS })] });
    const slice = [keyed([], usageAt('2026-01-02T00:00Z', { bytes: 20n * GB }))];
    const totals = [usageAt('2026-01-01T00:00Z', { bytes: 10n * GB, requests: 5 })];
    const found = shareCost(book, { totals, slice });
    expect(found.overall.micros).toBe(40_000_000n);
    expect(found.invoice).toMatchObject({
      micros: 40_000_000n,
      pools: [{ volume: { requests: 5n } }],
    });
  });

  it('is nothing of nothing', () => {
    const { overall } = shareCost(bookOf({}), { totals: [], slice: [] });
    expect(overall).toMatchObject({ key: '', micros: 0n, children: [] });
  });

  it('needs keys of one depth', () => {
    const row = usageAt('2026-01-01T00:00Z');
    const slice = [keyed(['x'], row), keyed(['x', 'y'], row)];
    expect(() => shareCost(bookOf({}), { totals: [], slice })).toThrow(RangeError);
  });

  it('sums to the invoice when they are everything, by any key and at any depth', () => {
    fc.assert(
      fc.property(anyBook, anyUsage, (book, usage) => {
        const bill = invoice(book, usage);
        const regrouped = usage.map((row) => ({ ...row, key: [row.country, ...row.key, row.cdn] }));
        const whole = usage.map((row) => ({ ...row, key: [] }));
        for (const slice of [usage, regrouped, whole]) {
          const { overall } = shareCost(book, { totals: usage, slice });
          expect(overall.micros).toBe(bill.micros);
          expectToAddUp(overall);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('of a part sums to the same by any key, in any order, and summed by period or not', () => {
    fc.assert(
      fc.property(anyBook, anyUsage, fc.func(fc.boolean()), (book, usage, isAsked) => {
        const part = usage.filter((_, index) => isAsked(index));
        const { overall } = shareCost(book, { totals: usage, slice: part });
        expectToAddUp(overall);
        const turned = part.map((row) => ({ ...row, key: [...row.key].reverse() })).reverse();
        const [period] = [{ fromMs: Date.parse('2027-12-01'), toMs: Date.parse('2028-05-01') }];
        const periods = pricingPeriods(book, period);
        const begin = (atMs: number) =>
          periods.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)?.fromMs ?? Number.NaN;
        const coarse = (row: KeyedUsage) => ({ ...row, atMs: begin(row.atMs) });
        const again = shareCost(book, { totals: usage.map(coarse), slice: turned.map(coarse) });
        expect(again.overall.micros).toBe(overall.micros);
        expectToAddUp(again.overall);
      }),
      { numRuns: 150 },
    );
  });

  it('of two parts asked apart sums to the whole, but for a micro-unit of each pool and kind', () => {
    fc.assert(
      fc.property(anyBook, anyUsage, (book, usage) => {
        const costOf = (slice: readonly KeyedUsage[]) =>
          shareCost(book, { totals: usage, slice }).overall.micros;
        const { pools, micros } = invoice(book, usage);
        const [some, rest] = [true, false].map((isX) =>
          costOf(usage.filter(({ key }) => (key[0] === 'x') === isX)),
        );
        const off = (some ?? 0n) + (rest ?? 0n) - micros;
        expect(Math.abs(Number(off))).toBeLessThanOrEqual(3 * pools.length);
      }),
      { numRuns: 100 },
    );
  });
});
