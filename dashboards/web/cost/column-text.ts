/**
 * Figures that stand below or beside each other: all with the same unit and the same decimals, so that they can be
 * compared at a glance.
 *
 * Guarantee: what is unknown is a dash; what is not 0 is never shown as 0.
 */
import type { Unit } from '../../../schemas/catalogue/metric.ts';
import { figureText } from '../figures/format.ts';

const LOCALE = 'en-GB';
const NBSP = '\u00a0';
const DECIMALS_MAX = 4;
/** Spans of time are told in seconds from here on, ms. */
const SECONDS_FROM_MS = 10_000;

type Value = number | null | undefined;

interface Scale {
  readonly factor: number;
  readonly suffix: string;
}

/** Text of each value of a column. */
export function columnText(values: readonly Value[], unit: Unit): (value: Value) => string {
  const scale = scaleOf(values, unit, '%');
  if (scale === undefined) return (value) => figureText(value, unit);
  const most = largest(values) * scale.factor;
  const decimals = most >= 100 ? 0 : most >= 10 || unit === 'ms' ? 1 : 2;
  return (value) => (isKnown(value) ? fixed(value, scale, decimals) : '–');
}

/** Text of changes that belong together, with their signs. A change of a share is in percentage points. */
export function changeText(values: readonly Value[], unit: Unit): (value: Value) => string {
  const scale = scaleOf(values, unit, `${NBSP}pp`) ?? { factor: 1, suffix: '' };
  const most = largest(values) * scale.factor;
  // Three digits from the first of the largest.
  const decimals = most === 0 ? 0 : Math.min(DECIMALS_MAX, Math.max(0, 2 - magnitude(most)));
  return (value) => {
    if (!isKnown(value)) return '–';
    const sign = value > 0 ? '+' : value < 0 ? '−' : '';
    return `${sign}${fixed(Math.abs(value), scale, decimals)}`;
  };
}

function scaleOf(values: readonly Value[], unit: Unit, percent: string): Scale | undefined {
  if (unit === 'fraction') return { factor: 100, suffix: percent };
  if (unit !== 'ms') return undefined;
  const long = largest(values) >= SECONDS_FROM_MS;
  return long ? { factor: 0.001, suffix: `${NBSP}s` } : { factor: 1, suffix: `${NBSP}ms` };
}

const isKnown = (value: Value): value is number => value !== null && value !== undefined;
const largest = (values: readonly Value[]): number =>
  Math.max(0, ...values.filter(isKnown).map(Math.abs));
const magnitude = (value: number): number => Math.floor(Math.log10(value));

function fixed(value: number, { factor, suffix }: Scale, decimals: number): string {
  const scaled = value * factor;
  const least = 10 ** -decimals;
  const small = scaled !== 0 && Math.abs(scaled) < least / 2;
  const look = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const text = (small ? least : scaled).toLocaleString(LOCALE, look);
  return `${small ? '<' : ''}${text}${suffix}`;
}
