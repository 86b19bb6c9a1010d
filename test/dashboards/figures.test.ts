import { describe, expect, it } from 'vitest';
import { sparkPath } from '../../dashboards/web/charts/spark-path.ts';
import { bytes, figureText, text } from '../../dashboards/web/figures/format.ts';
import { tiles, valueTitle } from '../../dashboards/web/figures/tiles.ts';
import { age, offset, utc } from '../../dashboards/web/figures/time.ts';

const plain = (shown: string): string => shown.replaceAll('\u00a0', ' ');

describe('figures as text', () => {
  it.each([
    [0, 'ms', '0 ms'],
    [4.26, 'ms', '4.3 ms'],
    [617, 'ms', '617 ms'],
    [1_240, 'ms', '1.24 s'],
    [59_900, 'ms', '59.9 s'],
    [152_400, 'ms', '2:32 min'],
    [3_723_000, 'ms', '1:02 h'],
    [0, 'fraction', '0%'],
    [0.000_02, 'fraction', '<0.01%'],
    [0.006_2, 'fraction', '0.62%'],
    [0.125, 'fraction', '12.5%'],
    [1, 'fraction', '100%'],
    [469_000, 'bit/s', '469 kbit/s'],
    [1_669_000, 'bit/s', '1.67 Mbit/s'],
    [0, 'bit/s', '0 bit/s'],
    [59, 'count', '59'],
    [12_345, 'count', '12,345'],
    [123_456, 'count', '123 k'],
    [2_500_000, 'count', '2.5 m'],
    [1.25, 'count', '1.3'],
    [92.84, 'score', '92.8'],
    [1.36, 'per minute', '1.36 /min'],
    [null, 'ms', '–'],
    [Number.NaN, 'count', '–'],
  ] as const)('shows %s in %s as %s', (value, unit, shown) => {
    expect(plain(figureText(value, unit))).toBe(shown);
  });

  it('shows sizes in powers of a thousand', () => {
    expect(plain(text(bytes(612_000)))).toBe('612 kB');
    expect(plain(text(bytes(966)))).toBe('966 B');
  });

  it('gives the unknown value a word and countries their names', () => {
    expect(valueTitle('cdn', '')).toBe('unknown');
    expect(valueTitle('country', 'DE')).toBe('Germany');
    expect(valueTitle('cdn', 'DE')).toBe('DE');
  });

  it('has every figure that the page leads with in the catalogue', () => {
    expect(tiles).toHaveLength(6);
  });
});

describe('times as text', () => {
  it('counts from the begin of a view, before it too', () => {
    expect(offset(7_450)).toBe('0:07.4');
    expect(offset(3_723_000)).toBe('1:02:03.0');
    expect(offset(-328)).toBe('−0:00.3');
    expect(offset(-30)).toBe('0:00.0');
  });

  it('says how old something is in one unit, and never in negative ones', () => {
    expect([age(4_400), age(-900), age(720_000), age(10_800_000), age(3e8)]).toEqual([
      '4 s',
      '0 s',
      '12 min',
      '3 h',
      '3 days',
    ]);
  });

  it('says the UTC time, and nothing of what is no time', () => {
    expect(utc(1_767_225_600_000)).toBe('2026-01-01 00:00:00 UTC');
    expect(utc(Number.NaN)).toBe('');
  });
});

describe('a sparkline', () => {
  const size = { width: 30, height: 13, fromZero: true };

  it('begins at zero where the size speaks', () => {
    expect(sparkPath([5, 10], size).line).toBe('M0 6.5L30 1.5');
    expect(sparkPath([5, 10], { ...size, fromZero: false }).line).toBe('M0 11.5L30 1.5');
  });

  it('has a gap where nothing is known, and a dash for a lone value', () => {
    const { line, area } = sparkPath([1, 1, null, 1], size);
    expect(line).toBe('M0 1.5L10 1.5M25 1.5h10');
    expect(area).toBe('M0 13L0 1.5L10 1.5L10 13Z');
  });

  it('is empty without values', () => {
    expect(sparkPath([null, null], size)).toEqual({ line: '', area: '' });
  });
});
