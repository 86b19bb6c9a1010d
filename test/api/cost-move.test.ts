import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOfMove } from '../../api/cost/move.ts';
import { priceBookOf } from '../../platform/prices/price-book.ts';
import { BOOK } from './support/cost-world.ts';
import { billOf, contractOf, nearest, type PlainUsage } from './support/plain-invoice.ts';

const parsed = priceBookOf(BOOK);
if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
const { book } = parsed;

const DAYS = ['2026-01-10', '2026-02-10', '2026-02-20', '2026-03-02'];
const COUNTRIES = ['DE', 'JP', 'BR'];
const CDNS = ['fastly', 'akamai', 'nobody'];

/** At most one row for each CDN, country and stretch of prices: the pieces that a move is rounded by. */
const anyUsage = fc
  .uniqueArray(
    fc.record({
      cdn: fc.constantFrom(...CDNS),
      country: fc.constantFrom(...COUNTRIES),
      day: fc.constantFrom(...DAYS),
      bytes: fc.integer({ min: 0, max: 6_000_000_000 }),
      requests: fc.integer({ min: 0, max: 9_000 }),
      originBytes: fc.integer({ min: 0, max: 2_000_000_000 }),
      inSlice: fc.boolean(),
    }),
    { selector: ({ cdn, country, day }) => `${cdn} ${country} ${day}` },
  )
  .map((rows) => rows.map(({ day, ...row }) => ({ ...row, atMs: Date.parse(`${day}T00:00:00Z`) })));

type Row = PlainUsage & { readonly requests: number; readonly inSlice: boolean };

function moved(rows: readonly Row[], question: { from: string; to: string; share: number }): Row[] {
  const part = (value: number): number =>
    Number(nearest(BigInt(value) * BigInt(question.share), 100n));
  return rows.flatMap((row) => {
    if (!row.inSlice || row.cdn !== question.from) return [row];
    const [bytes, requests, originBytes] = [row.bytes, row.requests, row.originBytes].map(part);
    const given = { bytes: bytes ?? 0, requests: requests ?? 0, originBytes: originBytes ?? 0 };
    const kept = {
      bytes: row.bytes - given.bytes,
      requests: row.requests - given.requests,
      originBytes: row.originBytes - given.originBytes,
    };
    return [
      { ...row, ...kept },
      { ...row, ...given, cdn: question.to },
    ];
  });
}

describe('what a move costs', () => {
  it('is the bill after less the bill before, made by hand, with what tiers do to all others', () => {
    fc.assert(
      fc.property(
        anyUsage,
        fc.constantFrom(...CDNS),
        fc.constantFrom(...CDNS),
        fc.integer({ min: 0, max: 100 }),
        (rows, from, to, share) => {
          const cost = costOfMove(book, {
            totals: rows,
            slice: rows.filter(({ inSlice }) => inSlice),
            ...{ from, to },
            share: { numerator: BigInt(share), denominator: 100n },
          });
          const after = moved(rows, { from, to, share });
          expect(cost.before).toBe(billOf(BOOK, rows));
          expect(cost.after).toBe(billOf(BOOK, after));
          expect(cost.delta).toBe(cost.after - cost.before);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('says what of it has no price where it would go', () => {
    const row = { cdn: 'fastly', country: 'DE', atMs: Date.parse('2026-02-20'), originBytes: 0 };
    const usage = [{ ...row, bytes: 4_000_000_000, requests: 10 }];
    const share = { numerator: 1n, denominator: 2n };
    const cost = costOfMove(book, {
      totals: usage,
      slice: usage,
      from: 'fastly',
      to: 'nobody',
      share,
    });
    expect(contractOf(BOOK, { ...row, cdn: 'nobody', bytes: 0 })).toBe(-1);
    expect(cost.moved).toEqual({ bytes: 2_000_000_000n, requests: 5n, originBytes: 0n });
    expect(cost.unpriced.before).toEqual([]);
    expect(cost.unpriced.after).toMatchObject([{ cdn: 'nobody', bytes: 2_000_000_000n }]);
    expect(cost.delta < 0n).toBe(true);
  });
});
