/**
 * Values of edge logs as texts: numbers, times, addresses of networks, words for the cache.
 *
 * Guarantees: pure; never throws; time is linear in the text. An empty text says nothing. What says something that
 * cannot be taken is noted and unknown: -1, or the empty text, never a guess.
 */
import type { EdgeScope } from './edge.ts';
import { COUNT_MAX } from './native-values.ts';

/** Clocks beyond (year 2248), in ms, are no clocks. */
const AT_BELOW = 2 ** 43;
/** Durations beyond are no response times (a year). */
const DURATION_MS_MAX = 31_536_000_000;

/** How many ms one of each unit has. */
export const UNIT_MS = { s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 } as const;
export type TimeUnit = keyof typeof UNIT_MS;

/** A number from 0 to `max` in decimal notation; 'unusable' for anything else. */
export function numberOf(text: string, max: number): number | 'unusable' {
  // Number() would also take 0x10, and nothing for 0.
  const value = /^\s*\d[\d.]{0,30}(?:e[+-]?\d{1,3})?\s*$/i.test(text) ? Number(text) : Number.NaN;
  return value >= 0 && value <= max ? value : 'unusable';
}

/** A duration as whole ms; -1 when not said. */
export function durationIn(text: string, unit: TimeUnit, { note }: EdgeScope): number {
  if (text === '') return -1;
  const value = numberOf(text, DURATION_MS_MAX / UNIT_MS[unit]);
  if (value !== 'unusable') return Math.round(value * UNIT_MS[unit]);
  note('value_dropped');
  return -1;
}

/** Bytes, by the first of some texts that can be read; -1 when none can. */
export function bytesIn(texts: readonly string[], { note }: EdgeScope): number {
  for (const text of texts) {
    if (text === '') continue;
    const bytes = numberOf(text, COUNT_MAX);
    if (bytes !== 'unusable') return Math.round(bytes);
    note('value_dropped');
  }
  return -1;
}

/** A moment. */
export interface Clock {
  /** Ms since 1970. */
  readonly atMs: number;
  /** It is known to the second only, so that a difference of two is no duration. */
  readonly isWhole: boolean;
}

/** A time as ISO 8601 (RFC 3339) or as a number since 1970; 'auto' tells the unit by its size. */
export function clockIn(text: string, unit: TimeUnit | 'auto'): Clock | undefined {
  const clock = /^\d{4}-\d\d-\d\d[T ]/.test(text) ? isoClock(text) : numberClock(text, unit);
  return clock !== undefined && clock.atMs > 0 && clock.atMs < AT_BELOW ? clock : undefined;
}

function isoClock(text: string): Clock {
  // Date.parse() wants a T, and a colon in the offset, which strftime's %z leaves out. Without an offset it is UTC.
  const dated = text.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2');
  const zoned = /(?:z|[+-]\d\d:\d\d)$/i.test(dated) ? dated : `${dated}Z`;
  return { atMs: Math.round(Date.parse(zoned)), isWhole: !zoned.includes('.') };
}

function numberClock(text: string, unit: TimeUnit | 'auto'): Clock | undefined {
  const value = numberOf(text, Number.MAX_VALUE);
  if (value === 'unusable') return undefined;
  const known = unit === 'auto' ? unitOf(value) : unit;
  const isWhole = known === 's' && !text.includes('.');
  return { atMs: Math.round(value * UNIT_MS[known]), isWhole };
}

/** From 1973 to 5138 the sizes of the four units do not overlap. */
function unitOf(value: number): TimeUnit {
  if (value < 1e11) return 's';
  if (value < 1e14) return 'ms';
  return value < 1e17 ? 'us' : 'ns';
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** The time of combined logs, `22/Nov/2026:05:43:04 +0100`, in ms since 1970. */
export function combinedClockIn(text: string): number | undefined {
  const parts = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})$/.exec(text);
  if (parts === null) return undefined;
  const [, day, name = '', year, time, offset] = parts;
  const index = MONTHS.indexOf(name);
  const month = index < 0 || index % 3 !== 0 ? '' : String(index / 3 + 1).padStart(2, '0');
  return clockIn(`${year}-${month}-${day}T${time}${offset}`, 'auto')?.atMs;
}

/** What caches call what they did, and the few words that are kept. The first that fits counts. */
const CACHE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:hit-stale|stale|updating)/, 'stale'],
  [/^(?:refreshhit|refresh-hit|hit-refresh|revalidated)/, 'revalidated'],
  [/^(?:hitpass|pass|bypass|dynamic|ignored|deferred)/, 'bypass'],
  [/^(?:hit|mem-hit|ims-hit|originshieldhit|stream-hit)/, 'hit'],
  [/^(?:miss|expired|refresh-miss)/, 'miss'],
  [/error|exceeded$/, 'error'],
];
const CACHE_SILENT: ReadonlySet<string> = new Set(['none', 'unknown', 'redirect']);

/**
 * One of `hit`, `stale` (served although expired), `revalidated` (the origin confirmed it), `miss`, `bypass` (not
 * looked up), `error`; empty when it is not known whether there was a look-up.
 */
export function cacheIn(text: string, { note }: EdgeScope): string {
  if (text === '') return '';
  const word = text.toLowerCase().replaceAll('_', '-').replace(/^tcp-/, '');
  if (CACHE_SILENT.has(word)) return '';
  const found = CACHE_WORDS.find(([pattern]) => pattern.test(word))?.[1];
  if (found === undefined) note('value_dropped');
  return found ?? '';
}

/** Codes by which CDNs say that they do not know the country, and Cloudflare's of the Tor network. */
const NO_COUNTRIES: ReadonlySet<string> = new Set(['XX', 'ZZ', 'T1']);

/** A country's code in capitals; other texts as they came. */
export function countryIn(text: string): string {
  const code = /^[a-z][a-z0-9]$/i.test(text) ? text.toUpperCase() : text;
  return NO_COUNTRIES.has(code) ? '' : code;
}

/** The number of an autonomous system, without `AS`; 0 is none. */
export function asnIn(text: string): string {
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(text)?.[1] ?? text;
  return /^0+$/.test(digits) ? '' : digits;
}

/** The protocol as its standard writes it: `HTTP/1.1`, `HTTP/2`, `HTTP/3`. */
export function protocolIn(text: string): string {
  const version = /^(?:HTTP\/|h)([\d.]{1,4})$/i.exec(text)?.[1];
  return version === undefined ? text : `HTTP/${version.replace(/^([23])\.0$/, '$1')}`;
}

/** Percent sequences as what they stand for, UTF-8 or else Latin-1; a lone percent sign stays. */
export function percentDecoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}
