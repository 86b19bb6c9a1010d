import { describe, expect, it } from 'vitest';
import { forecast } from '../../../platform/prices/forecast.ts';
import type { Usage } from '../../../platform/prices/usage.ts';
import { bookOf, contract, GB, usageAt } from './support.ts';

const DAY_MS = 86_400_000;
const TIERS = [
  { upTo: 10, price: '3' },
  { upTo: 25, price: '2' },
  { upTo: 99, price: '1.5' },
  { price: '1' },
];

/** A gigabyte and two requests on each day from one to another, inclusive, times `of` the day of the week (0 Sunday). */
function daily(from: string, to: string, of: (weekday: number) => number = () => 1): Usage[] {
  const rows: Usage[] = [];
  for (let atMs = Date.parse(from); atMs <= Date.parse(to); atMs += DAY_MS) {
    const times = BigInt(of(new Date(atMs).getUTCDay()));
    const day = usageAt(new Date(atMs).toISOString());
    rows.push({ ...day, bytes: times * GB, requests: 2n * times });
  }
  return rows;
}

const book = bookOf({ contracts: [contract({ tiers: TIERS })] });
const at = (time: string) => Date.parse(time);

describe('a forecast', () => {
  it('goes on with the mean of the last seven full days', () => {
    const usage = [
      ...daily('2026-04-01', '2026-04-03', () => 50),
      ...daily('2026-04-04', '2026-04-10'),
    ];
    const found = forecast(book, { usage, asOfMs: at('2026-04-11T00:00Z') });
    expect(found.basis).toEqual([{ cdn: 'a', method: 'mean', days: 7 }]);
    expect(found.soFar.totals).toMatchObject([{ bytes: 157n * GB }]);
    expect(found.expected.totals).toMatchObject([{ bytes: 177n * GB, requests: 354n }]);
  });

  it('goes by as many full days as there are, and by none expects nothing more', () => {
    const usage = daily('2026-04-01', '2026-04-02');
    const two = forecast(book, { usage, asOfMs: at('2026-04-03T00:00Z') });
    expect(two.basis).toEqual([{ cdn: 'a', method: 'mean', days: 2 }]);
    expect(two.expected.totals).toMatchObject([{ bytes: 30n * GB }]);
    const none = forecast(book, { usage: usage.slice(0, 1), asOfMs: at('2026-04-01T12:00Z') });
    expect(none.basis).toEqual([{ cdn: 'a', method: 'none', days: 0 }]);
    expect(none.expected).toEqual(none.soFar);
  });

  it('follows the week with fourteen full days, which may lie in the month before', () => {
    const weekend = (weekday: number) => (weekday === 0 || weekday === 6 ? 4 : 1);
    const usage = daily('2026-01-18', '2026-02-08', weekend);
    const found = forecast(book, { usage, asOfMs: at('2026-02-09T00:00Z') });
    expect(found.basis).toEqual([{ cdn: 'a', method: 'weekdays', days: 21 }]);
    // February 2026 is four whole weeks, each of five days and a weekend.
    expect(found.expected.totals).toMatchObject([{ month: '2026-02', bytes: 52n * GB }]);
    const short = forecast(book, { usage: usage.slice(-13), asOfMs: at('2026-02-09T00:00Z') });
    expect(short.basis).toMatchObject([{ method: 'mean' }]);
  });

  it('goes by the same days for all countries of a CDN', () => {
    const later = daily('2026-04-10', '2026-04-14', () => 7).map((row) => ({
      ...row,
      country: 'JP',
    }));
    const usage = [...daily('2026-04-01', '2026-04-14'), ...later];
    const found = forecast(book, { usage, asOfMs: at('2026-04-15T00:00Z') });
    expect(found.basis).toEqual([{ cdn: 'a', method: 'weekdays', days: 14 }]);
    // In Japan five days of the week, half of the time 7 and half of the time nothing; ten of these are to come.
    expect(found.expected.totals).toMatchObject([{ bytes: (30n + 35n + 35n) * GB }]);
  });

  it('looks back no more than four weeks, and takes a day without usage as 0', () => {
    const old = daily('2026-02-01', '2026-03-17', () => 9);
    const found = forecast(book, { usage: old, asOfMs: at('2026-04-15T00:00Z') });
    expect(found.basis).toEqual([{ cdn: 'a', method: 'weekdays', days: 28 }]);
    expect(found.expected.micros).toBe(0n);
  });

  it('expects of today the part that is to come, and leaves out what came later', () => {
    const usage = [
      ...daily('2026-04-01', '2026-04-29'),
      usageAt('2026-04-30T01:00Z', { bytes: 7n }),
    ];
    const late = usageAt('2026-04-30T18:00Z', { bytes: GB });
    const found = forecast(book, { usage: [...usage, late], asOfMs: at('2026-04-30T18:00Z') });
    expect(found.expected.totals).toMatchObject([{ bytes: 29n * GB + GB / 4n + 7n }]);
  });

  it('ends with leap Februaries and with the year', () => {
    const february = forecast(book, {
      usage: daily('2028-02-01', '2028-02-07'),
      asOfMs: at('2028-02-08T00:00Z'),
    });
    expect(february.expected.totals).toMatchObject([{ bytes: 29n * GB }]);
    const december = forecast(book, {
      usage: daily('2027-12-01', '2027-12-30'),
      asOfMs: at('2027-12-31T00:00Z'),
    });
    expect(december.expected.totals).toMatchObject([{ month: '2027-12', bytes: 31n * GB }]);
  });

  it('says on which day each tier was reached, or will be', () => {
    const usage = daily('2026-04-01', '2026-04-14');
    const { crossings } = forecast(book, { usage, asOfMs: at('2026-04-15T00:00Z') });
    const place = { cdn: 'a', region: '*', contract: 0 };
    expect(crossings).toEqual([
      { ...place, tier: 1, fromBytes: 10n * GB, day: '2026-04-10', state: 'reached' },
      { ...place, tier: 2, fromBytes: 25n * GB, day: '2026-04-25', state: 'expected' },
    ]);
  });

  it('prices what is to come by the contract that will hold, which has tiers of its own', () => {
    const changing = bookOf({
      contracts: [
        contract({ tiers: TIERS, validTo: '2026-04-16' }),
        contract({
          tiers: [{ upTo: 10, price: '0.2' }, { price: '0.1' }],
          validFrom: '2026-04-16',
        }),
      ],
    });
    const usage = daily('2026-04-01', '2026-04-10');
    const found = forecast(changing, { usage, asOfMs: at('2026-04-11T00:00Z') });
    expect(found.expected.pools.map(({ volume, micros }) => [volume.bytes, micros.bytes])).toEqual([
      [15n * GB, 40_000_000n],
      [15n * GB, 2_500_000n],
    ]);
    expect(found.crossings.map(({ contract: index, day }) => [index, day])).toEqual([
      [0, '2026-04-10'],
      [1, '2026-04-25'],
    ]);
  });

  it('counts traffic of the whole CDN to the tiers that it fills', () => {
    const wide = bookOf({
      regions: { west: ['DE'] },
      contracts: [contract({ region: 'west', tiers: TIERS, tierScope: 'cdn' })],
    });
    const own = usageAt('2026-04-01T00:00Z', { bytes: 1n });
    const abroad = daily('2026-04-01', '2026-04-20').map((row) => ({ ...row, country: 'JP' }));
    const { crossings, expected } = forecast(wide, {
      usage: [own, ...abroad],
      asOfMs: at('2026-04-21T00:00Z'),
    });
    expect(crossings.map(({ tier, day }) => [tier, day])).toEqual([
      [1, '2026-04-10'],
      [2, '2026-04-25'],
    ]);
    expect(expected.pools).toMatchObject([{ tierBytes: 30n * GB + 1n }]);
  });
});
