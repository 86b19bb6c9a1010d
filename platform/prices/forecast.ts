/**
 * What the running month will come to: traffic, cost, and when each tier is reached.
 *
 * Full days before `asOf` say what a coming day brings: with 14 or more of them, the mean of the same weekday over up to
 * four whole weeks; with fewer, the mean of the last seven, or of as many as there are. History begins with the CDN's
 * first usage; a day without any counts as 0. Days are of UTC. The rest of today is its part of a whole day.
 *
 * Guarantee: what was delivered stays as it is; only what is to come is projected, country by country, and then priced by
 * the contracts that will hold. Amounts projected are rounded to whole bytes and requests.
 */
import type { PriceBook } from './contract.ts';
import { type Cumulated, crossingsOf, type TierCrossing } from './crossings.ts';
import { type Invoice, invoice } from './invoice.ts';
import { rounded } from './money.ts';
import { DAY_MS, dayStart, monthEnd, monthOf, monthStart } from './months.ts';
import { addTo, noVolume, type Usage, type Volume } from './usage.ts';

const WEEK_DAYS = 7;
const WEEKDAY_HISTORY_DAYS_MIN = 2 * WEEK_DAYS;
const HISTORY_DAYS_MAX = 4 * WEEK_DAYS;

export interface ForecastQuestion {
  /**
   * Everything delivered from the begin of the month until `asOfMs`, and if there is any from up to 28 days before; by
   * day, or finer. Later usage is left out.
   */
  readonly usage: Iterable<Usage>;
  /** Until when usage is complete, ms since 1970. */
  readonly asOfMs: number;
}

export interface ForecastBasis {
  readonly cdn: string;
  /** `none`: no full day is there to go by, so nothing more is expected. */
  readonly method: 'weekdays' | 'mean' | 'none';
  /** Full days that were gone by. */
  readonly days: number;
}

export interface Forecast {
  readonly month: string;
  readonly asOfMs: number;
  /** By CDN. */
  readonly basis: readonly ForecastBasis[];
  /** The month until now. */
  readonly soFar: Invoice;
  /** The month to its end. */
  readonly expected: Invoice;
  /** By CDN, region and tier; tiers that are not reached this month are not there. */
  readonly crossings: readonly TierCrossing[];
}

/**
 * Projects the month that `asOfMs` is in.
 * @throws RangeError when an amount of the usage is negative or has a fraction.
 */
export function forecast(book: PriceBook, { usage, asOfMs }: ForecastQuestion): Forecast {
  const rows = [...usage].filter(({ atMs }) => atMs < asOfMs);
  const monthFromMs = monthStart(asOfMs);
  const soFar = rows.filter(({ atMs }) => atMs >= monthFromMs);
  const series = seriesOf(rows);
  const basis = basisOf(series, asOfMs);
  const coming = series.flatMap((one) => projected(one, basis.get(one.cdn), asOfMs));
  const cumulated: Cumulated = { past: soFar, coming };
  return {
    month: monthOf(asOfMs),
    asOfMs,
    basis: [...basis.values()],
    soFar: invoice(book, soFar),
    expected: invoice(book, [...soFar, ...coming]),
    crossings: crossingsOf(book, cumulated),
  };
}

/** Daily traffic of a CDN to a country. */
interface Series {
  readonly cdn: string;
  readonly country: string;
  /** By begin of the day. */
  readonly days: Map<number, Volume>;
}

function seriesOf(rows: readonly Usage[]): Series[] {
  const found = new Map<string, Series>();
  for (const row of rows) {
    const { cdn, country } = row;
    const id = JSON.stringify([cdn, country]);
    const series = found.get(id) ?? { cdn, country, days: new Map<number, Volume>() };
    const day = dayStart(row.atMs);
    const volume = series.days.get(day) ?? noVolume();
    addTo(volume, row);
    series.days.set(day, volume);
    found.set(id, series);
  }
  return [...found.values()];
}

/** One for each CDN, so that what is expected of its countries is what is expected of their sum. */
function basisOf(series: readonly Series[], asOfMs: number): Map<string, ForecastBasis> {
  const firstDays = new Map<string, number>();
  for (const { cdn, days } of series) {
    firstDays.set(cdn, Math.min(firstDays.get(cdn) ?? Infinity, ...days.keys()));
  }
  const names = [...firstDays.keys()].sort();
  return new Map(
    names.map((cdn) => {
      const full = (dayStart(asOfMs) - (firstDays.get(cdn) ?? asOfMs)) / DAY_MS;
      return [cdn, { cdn, ...methodOf(Math.max(0, full)) }];
    }),
  );
}

function methodOf(fullDays: number): Omit<ForecastBasis, 'cdn'> {
  if (fullDays < WEEKDAY_HISTORY_DAYS_MIN) {
    return { method: fullDays === 0 ? 'none' : 'mean', days: Math.min(fullDays, WEEK_DAYS) };
  }
  const weeks = Math.floor(Math.min(fullDays, HISTORY_DAYS_MAX) / WEEK_DAYS);
  return { method: 'weekdays', days: weeks * WEEK_DAYS };
}

/** A row for each day of the month that is still to come, and for the rest of today. */
function projected(series: Series, basis: ForecastBasis | undefined, asOfMs: number): Usage[] {
  if (basis === undefined || basis.method === 'none') return [];
  const { cdn, country } = series;
  const rows: Usage[] = [];
  for (let day = dayStart(asOfMs); day < monthEnd(asOfMs); day += DAY_MS) {
    const atMs = Math.max(day, asOfMs);
    const { sum, days } = alike(series, basis, { day, today: dayStart(asOfMs) });
    const part = BigInt(day + DAY_MS - atMs);
    const expected = (amount: bigint) => rounded(amount * part, BigInt(days) * BigInt(DAY_MS));
    rows.push({
      ...{ cdn, country, atMs },
      bytes: expected(sum.bytes),
      requests: expected(sum.requests),
      originBytes: expected(sum.originBytes),
    });
  }
  return rows;
}

/** The past days that a coming day will be like: how many, and their sum. */
function alike(
  { days }: Series,
  basis: ForecastBasis,
  { day, today }: { readonly day: number; readonly today: number },
): { sum: Volume; days: number } {
  const sum = noVolume();
  let count = 0;
  for (let back = 1; back <= basis.days; back++) {
    const past = today - back * DAY_MS;
    if (basis.method === 'weekdays' && (day - past) % (WEEK_DAYS * DAY_MS) !== 0) continue;
    addTo(sum, days.get(past) ?? noVolume());
    count++;
  }
  return { sum, days: count };
}
