import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asnIn,
  bytesIn,
  cacheIn,
  clockIn,
  combinedClockIn,
  countryIn,
  durationIn,
  percentDecoded,
  protocolIn,
} from '../../../ingest/formats/edge-values.ts';

function scope() {
  const notes: string[] = [];
  return { notes, stringLengthMax: 100, note: (code: string) => void notes.push(code) };
}

const AT = 1_795_326_184_236;

describe('a time of an edge log', () => {
  it.each([
    ['1795326184.236', 'auto', AT, false],
    ['1795326184236', 'auto', AT, false],
    ['1795326184236000', 'auto', AT, false],
    ['1795326184236000000', 'auto', AT, false],
    ['1795326184', 'auto', 1_795_326_184_000, true],
    ['1795326184.236', 's', AT, false],
    ['1795326184236', 'ms', AT, false],
    ['1795326184236499', 'us', AT, false],
    ['1795326184236400000', 'ns', AT, false],
    ['1', 's', 1_000, true],
    ['2026-11-22T05:43:04.236Z', 'auto', AT, false],
    ['2026-11-22T05:43:04.236499999Z', 'auto', AT, false],
    ['2026-11-22T06:43:04+01:00', 'auto', 1_795_326_184_000, true],
    ['2026-11-22T06:43:04+0100', 'auto', 1_795_326_184_000, true],
    ['2026-11-22 05:43:04', 'auto', 1_795_326_184_000, true],
  ] as const)('%s as %s', (text, unit, atMs, isWhole) => {
    expect(clockIn(text, unit)).toEqual({ atMs, isWhole });
  });

  it.each(['', '0', '-1', 'now', '2026-13-45T00:00:00Z', '1795326184236.5.5', '0x10', '1e300'])(
    'is none: %s',
    (text) => {
      expect(clockIn(text, 's')).toBeUndefined();
    },
  );

  it('in combined logs has a month by name and an offset', () => {
    expect(combinedClockIn('22/Nov/2026:05:43:04 +0000')).toBe(1_795_326_184_000);
    expect(combinedClockIn('22/Nov/2026:06:43:04 +0100')).toBe(1_795_326_184_000);
    for (const text of [
      '22/Nov/2026',
      '22/nov/2026:05:43:04 +0000',
      '22/ovD/2026:05:43:04 +0000',
    ]) {
      expect(combinedClockIn(text)).toBeUndefined();
    }
  });
});

describe('a number of an edge log', () => {
  it('is a duration by its unit, in whole ms', () => {
    const ms = (text: string, unit: 's' | 'ms' | 'us' | 'ns') => durationIn(text, unit, scope());
    expect([ms('0.017', 's'), ms('17', 'ms'), ms('17400', 'us'), ms('17500000', 'ns')]).toEqual([
      17, 17, 17, 18,
    ]);
    expect(ms('', 's')).toBe(-1);
  });

  it('that cannot be one is unknown and noted', () => {
    for (const text of ['-0.1', 'x', '1,5', 'Infinity', '1e99', '31536001']) {
      const noted = scope();
      expect(durationIn(text, 's', noted)).toBe(-1);
      expect(noted.notes).toEqual(['value_dropped']);
    }
  });

  it('of bytes is the first that can be read', () => {
    const noted = scope();
    expect(bytesIn(['', 'x', '9007199254740993', '12'], noted)).toBe(12);
    expect(noted.notes).toEqual(['value_dropped', 'value_dropped']);
    expect(bytesIn([''], noted)).toBe(-1);
    // The largest whole number of JavaScript is one more than Avro writes.
    expect(bytesIn(['9007199254740991'], noted)).toBe(-1);
    expect(bytesIn(['9007199254740990'], noted)).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});

describe('a word of an edge log', () => {
  it.each([
    ['hit', 'HIT Hit hit TCP_HIT TCP_MEM_HIT HIT-CLUSTER HIT-SYNTH OriginShieldHit stream_hit'],
    ['stale', 'STALE UPDATING HIT-STALE HIT-STALE-CLUSTER'],
    ['revalidated', 'REVALIDATED RefreshHit TCP_REFRESH_HIT'],
    ['miss', 'MISS Miss EXPIRED TCP_MISS MISS-CLUSTER TCP_REFRESH_MISS'],
    ['bypass', 'BYPASS PASS HITPASS dynamic ignored deferred'],
    ['error', 'Error ERROR BG-ERROR-PASS LimitExceeded CapacityExceeded'],
    ['', 'NONE unknown Redirect'],
  ])('for the cache is "%s": %s', (kept, words) => {
    for (const word of words.split(' ')) {
      const noted = scope();
      expect([word, cacheIn(word, noted), noted.notes]).toEqual([word, kept, []]);
    }
  });

  it('for the cache that nobody knows is dropped, and noted', () => {
    const noted = scope();
    expect([cacheIn('perhaps', noted), noted.notes]).toEqual(['', ['value_dropped']]);
  });

  it('for a country, a network and a protocol is written in one way', () => {
    expect(['de', 'DE', 'XX', 't1', ''].map(countryIn)).toEqual(['DE', 'DE', '', '', '']);
    expect(['3320', 'AS3320', '0', ''].map(asnIn)).toEqual(['3320', '3320', '', '']);
    expect(['HTTP/1.1', 'HTTP/2.0', 'HTTP/2', 'h3', 'https'].map(protocolIn)).toEqual([
      'HTTP/1.1',
      'HTTP/2',
      'HTTP/2',
      'HTTP/3',
      'https',
    ]);
  });

  it('is never one that throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const value of [clockIn(text, 'auto')?.atMs, durationIn(text, 'us', scope())]) {
          if (value !== undefined) expect(Number.isSafeInteger(value)).toBe(true);
        }
        percentDecoded(text);
        cacheIn(text, scope());
      }),
    );
    expect(percentDecoded('%C3%BC %zz %')).toBe('%C3%BC %zz %'.replace('%C3%BC', 'Ã¼'));
    expect(percentDecoded('%C3%BC')).toBe('ü');
  });
});
