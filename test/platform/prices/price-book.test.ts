import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pricingPeriods, wholeMonths } from '../../../platform/prices/months.ts';
import { parsePriceBook, priceBookOf } from '../../../platform/prices/price-book.ts';
import { bookOf, contract } from './support.ts';

const DOCS = join(import.meta.dirname, '../../../docs');

function errorsOf(fields: object): readonly string[] {
  const parsed = priceBookOf({ currency: 'EUR', contracts: [contract()], ...fields });
  return parsed.ok ? [] : parsed.errors;
}

const ofContract = (...fields: object[]) => errorsOf({ contracts: fields.map(contract) });

describe('a price book', () => {
  it('is taken as the documentation gives it', () => {
    const parsed = parsePriceBook(readFileSync(join(DOCS, 'prices.example.json'), 'utf8'));
    expect(parsed).toMatchObject({ ok: true, book: { currency: 'EUR' } });
    const simulated = parsePriceBook(readFileSync(join(DOCS, 'prices.simulated.json'), 'utf8'));
    expect(simulated).toMatchObject({ ok: true, book: { currency: 'USD' } });
    const page = readFileSync(join(DOCS, 'prices.md'), 'utf8');
    const short = /```json\n([^`]+)```/.exec(page)?.[1] ?? '';
    expect(parsePriceBook(short)).toMatchObject({ ok: true, book: { contracts: [{ tiers: {} }] } });
  });

  it('has bytes for units, and everything exact', () => {
    const [found] = bookOf({
      rates: { USD: '0.92' },
      regions: { west: ['DE'] },
      contracts: [
        contract({
          ...{ currency: 'USD', region: 'west', validTo: '2026-03-01', unit: 'TiB' },
          tiers: [{ upTo: 10, price: '80' }, { price: '60.5' }],
          perRequest: { price: '0.0075', per: 10_000 },
        }),
      ],
    }).contracts;
    const tib = 2n ** 40n;
    expect(found).toMatchObject({
      ...{ cdn: 'a', region: 'west', countries: new Set(['DE']), tierScope: 'region' },
      fromMs: Date.parse('2026-01-01T00:00:00Z'),
      toMs: Date.parse('2026-03-01T00:00:00Z'),
      rate: { numerator: 92n, denominator: 100n },
      tiers: [
        { fromBytes: 0n, toBytes: 10n * tib, bytePrice: { numerator: 80n, denominator: tib } },
        { fromBytes: 10n * tib, bytePrice: { numerator: 605n, denominator: 10n * tib } },
      ],
      requestPrice: { numerator: 75n, denominator: 10_000n * 10_000n },
      originBytePrice: undefined,
    });
  });

  it.each([
    [{ contract: [] }, 'the price book has unknown field "contract"; did you mean contracts?'],
    [{ currency: 'EURO' }, 'currency: "EURO" is no currency of ISO 4217; did you mean EUR?'],
    [{ rates: { USD: 0.92 } }, 'rates.USD must be string'],
    [{ rates: { USD: '0' } }, 'rates.USD must be more than 0'],
    [{ rates: { USD: '1e3' } }, 'rates.USD must be a decimal such as "0.085"'],
    [{ rates: { USX: '1' } }, 'rates.USX: "USX" is no currency of ISO 4217; did you mean'],
    [{ rates: { EUR: '1' } }, 'rates.EUR is of the reporting currency'],
    [{ regions: { west: ['De'] } }, 'regions.west has "De": countries are two capital letters'],
    [{ regions: { west: ['DE', 'DE'] } }, 'regions.west has DE twice'],
    [{ regions: { '*': ['DE'] } }, 'regions.* is no name of a region'],
  ])('is refused with %j', (fields, words) => {
    const errors = errorsOf(fields);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(words);
  });

  it.each([
    [{ teirs: [] }, '[0] has unknown field "teirs"; did you mean tiers?'],
    [{ tiers: [] }, '[0].tiers must not have fewer than 1 items'],
    [{ tiers: [{ price: '1', upto: 1 }] }, 'tiers[0] has unknown field "upto"; did you mean upTo?'],
    [{ tiers: [{ price: '-1' }] }, '[0].tiers[0].price must be a decimal such as "0.085"'],
    [{ tiers: [{ price: 1 }] }, '[0].tiers[0].price must be string'],
    [{ tiers: [{ price: '1', upTo: 5 }] }, '[0].tiers[0] is the last and must have no upTo'],
    [{ tiers: [{ price: '1' }, { price: '1' }] }, '[0].tiers[0] needs upTo'],
    [
      { tiers: [{ upTo: 5, price: '1' }, { upTo: 5, price: '1' }, { price: '1' }] },
      '[0].tiers[1].upTo must be more than that of the tier before',
    ],
    [{ perRequest: { price: '' } }, '[0].perRequest.price must be a decimal'],
    [{ perRequest: { price: '1', pre: 1 } }, 'perRequest has unknown field "pre"; did you mean'],
    [{ originEgress: { prise: '1' } }, '[0].originEgress must have required properties price'],
    [{ currency: 'USD' }, '[0].currency: "USD" has no rate'],
    [{ region: 'wset' }, '[0].region: "wset" is not in regions'],
    [{ unit: 'Gb' }, '[0].unit: "Gb" is none of GB, GiB, TB, TiB; did you mean GB?'],
    [{ tierScope: 'cnd' }, '[0].tierScope: "cnd" is none of region, cdn; did you mean cdn?'],
    [{ validFrom: '2026-02-29' }, '[0].validFrom must be a day such as 2026-01-31'],
    [{ validFrom: '2026-1-1' }, '[0].validFrom must be a day'],
    [{ validTo: '2026-01-01T00:00:00Z' }, '[0].validTo must be a day'],
    [{ validTo: '2026-01-01' }, '[0].validTo, which is the day after the last, must be after'],
  ])('is refused with a contract of %j', (fields, words) => {
    const errors = ofContract(fields);
    expect(errors.join('\n')).toContain(words);
    expect(errors.join('\n')).toContain('contracts[0]');
  });

  it('is refused when two contracts hold at once', () => {
    expect(ofContract({ validTo: '2026-06-02' }, { validFrom: '2026-06-01' })).toEqual([
      'contracts[0] and contracts[1] of a are both valid for the rest on 2026-06-01',
    ]);
    const regions = { west: ['DE', 'FR'], alps: ['CH', 'FR'] };
    const contracts = [contract({ region: 'west' }), contract({ region: 'alps' })];
    expect(errorsOf({ regions, contracts })).toEqual([
      'contracts[0] and contracts[1] of a are both valid for FR on 2026-01-01',
    ]);
    const same = [contract({ region: 'west' }), contract({ region: 'west' })];
    expect(errorsOf({ regions, contracts: same })[0]).toContain('both valid for west');
  });

  it('may have contracts that follow each other, are for other countries, or of other CDNs', () => {
    expect(ofContract({ validTo: '2026-06-01' }, { validFrom: '2026-06-01' })).toEqual([]);
    expect(ofContract({ validFrom: '2026-06-01' }, { validTo: '2026-06-01' })).toEqual([]);
    expect(ofContract({}, { cdn: 'b' })).toEqual([]);
    const regions = { west: ['DE'], east: ['JP'] };
    const contracts = [contract(), contract({ region: 'west' }), contract({ region: 'east' })];
    expect(errorsOf({ regions, contracts })).toEqual([]);
  });

  it('is told every mistake at once', () => {
    expect(ofContract({ unit: 'kB' }, { validFrom: 'soon', tierScope: 'x' })).toHaveLength(3);
  });

  it('never throws, whatever the text', () => {
    expect(parsePriceBook('{"currency"')).toEqual({ ok: false, errors: ['is not valid JSON'] });
    const fields = fc.record(
      {
        currency: fc.anything(),
        rates: fc.dictionary(fc.string(), fc.anything()),
        regions: fc.dictionary(fc.string(), fc.array(fc.string())),
        contracts: fc.array(
          fc.record({ cdn: fc.string(), validFrom: fc.string(), tiers: fc.array(fc.object()) }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fields.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const parsed = parsePriceBook(text);
          if (!parsed.ok) expect(parsed.errors.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('divides time where months begin and contracts change', () => {
    const book = bookOf({
      contracts: [contract({ validTo: '2026-02-10' }), contract({ validFrom: '2026-02-12' })],
    });
    const [fromMs, toMs] = [Date.parse('2026-01-20T12:00Z'), Date.parse('2026-03-01T00:00Z')];
    const days = pricingPeriods(book, { fromMs, toMs }).map((period) =>
      [period.fromMs, period.toMs].map((atMs) => new Date(atMs).toISOString().slice(0, 13)),
    );
    expect(days).toEqual([
      ['2026-01-20T12', '2026-02-01T00'],
      ['2026-02-01T00', '2026-02-10T00'],
      ['2026-02-10T00', '2026-02-12T00'],
      ['2026-02-12T00', '2026-03-01T00'],
    ]);
    expect(wholeMonths({ fromMs, toMs })).toEqual({ fromMs: Date.parse('2026-01-01Z'), toMs });
  });
});
