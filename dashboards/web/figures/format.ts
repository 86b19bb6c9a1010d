/**
 * Figures as text, with their units.
 *
 * Guarantee: what is unknown is a dash, never a zero; what is small is never rounded to 0.
 */
import type { Unit } from '../../../schemas/catalogue/metric.ts';

/** A figure in two parts, so that the unit can stand back. */
export interface Shown {
  readonly number: string;
  /** Empty when the number says all. */
  readonly unit: string;
}

const NONE: Shown = { number: '–', unit: '' };
const NBSP = '\u00a0';

const LOCALE = 'en-GB';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });

/** About three significant digits, as many decimals as that takes. */
function digits(value: number, decimalsMax = 2): string {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString(LOCALE, { maximumFractionDigits: Math.min(decimals, decimalsMax) });
}

function count(value: number): Shown {
  const size = Math.abs(value);
  if (size >= 1e9) return { number: digits(value / 1e9), unit: 'bn' };
  if (size >= 1e6) return { number: digits(value / 1e6), unit: 'm' };
  if (size >= 1e5) return { number: digits(value / 1e3), unit: 'k' };
  return { number: Number.isInteger(value) ? whole.format(value) : digits(value, 1), unit: '' };
}

function share(fraction: number): Shown {
  const percent = fraction * 100;
  if (percent !== 0 && Math.abs(percent) < 0.01) return { number: '<0.01', unit: '%' };
  return { number: digits(percent, 2), unit: '%' };
}

/** A span of time: one unit while that is exact enough, two beyond a minute. */
export function duration(timeMs: number): Shown {
  const size = Math.abs(timeMs);
  if (size < 1_000) return { number: digits(timeMs, size < 10 ? 1 : 0), unit: 'ms' };
  if (size < 60_000) return { number: digits(timeMs / 1_000, 2), unit: 's' };
  const seconds = Math.round(timeMs / 1_000);
  if (size < 3_600_000) {
    return { number: `${Math.floor(seconds / 60)}:${two(seconds % 60)}`, unit: 'min' };
  }
  const minutes = Math.floor(seconds / 60);
  return { number: `${whole.format(Math.floor(minutes / 60))}:${two(minutes % 60)}`, unit: 'h' };
}

const two = (value: number): string => String(value).padStart(2, '0');

function scaled(value: number, steps: readonly (readonly [number, string])[], base: string): Shown {
  for (const [size, unit] of steps) {
    if (Math.abs(value) >= size) return { number: digits(value / size), unit };
  }
  return { number: digits(value, 0), unit: base };
}

const bitrate = (value: number): Shown =>
  scaled(
    value,
    [
      [1e9, 'Gbit/s'],
      [1e6, 'Mbit/s'],
      [1e3, 'kbit/s'],
    ],
    'bit/s',
  );

export const bytes = (value: number): Shown =>
  scaled(
    value,
    [
      [1e15, 'PB'],
      [1e12, 'TB'],
      [1e9, 'GB'],
      [1e6, 'MB'],
      [1e3, 'kB'],
    ],
    'B',
  );

/** A figure of a unit of the catalogue. */
export function shown(value: number | null | undefined, unit: Unit): Shown {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  switch (unit) {
    case 'count':
      return count(value);
    case 'fraction':
      return share(value);
    case 'ms':
      return duration(value);
    case 'bit/s':
      return bitrate(value);
    case 'score':
      return { number: digits(value, 1), unit: '' };
    case 'per minute':
      return { number: digits(value, 2), unit: '/min' };
  }
}

/** Both parts as one text that does not break. */
export function text({ number, unit }: Shown): string {
  if (unit === '') return number;
  return unit === '%' ? `${number}%` : `${number}${NBSP}${unit}`;
}

/** A figure of a unit of the catalogue as one text. */
export const figureText = (value: number | null | undefined, unit: Unit): string =>
  text(shown(value, unit));

/** A word of the API as people read it: `exit_before_start` is "exit before start". */
export const words = (name: string): string => name.replaceAll('_', ' ').replaceAll('-', ' ');
