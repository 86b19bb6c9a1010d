/** The forecast of the running month: the whole project's bill, whatever was filtered, for tiers are filled by all. */
import type { PriceBook } from '../../platform/prices/contract.ts';
import { type Forecast, forecast } from '../../platform/prices/forecast.ts';
import { microsText } from '../../platform/prices/money.ts';
import { DAY_MS, dayStart, monthEnd, monthStart } from '../../platform/prices/months.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import { type DeliveredRow, planDelivered } from '../planner/cost.ts';
import { type CostScope, NO_KEY, pricingOf, WINDOW_MS } from '../planner/cost-scope.ts';
import type { CostDeps } from './ask-cost.ts';
import { usageOf } from './ask-cost.ts';
import { cellOf } from './cells.ts';

const HISTORY_DAYS = 28;

/** Whether a timeframe has a part of the month that is running. */
export function reachesInto({ fromMs, toMs }: Timeframe, nowMs: number): boolean {
  return toMs > monthStart(nowMs) && fromMs < monthEnd(nowMs);
}

/** Until when usage counts as complete: not before the month began, and never later than now. */
export function asOf(throughMs: number, nowMs: number): number {
  const knownMs = Math.max(monthStart(nowMs), Math.min(throughMs, nowMs));
  return Math.floor(knownMs / WINDOW_MS) * WINDOW_MS;
}

export async function askForecast(
  { runner }: CostDeps,
  {
    book,
    scope,
    asOfMs,
  }: {
    readonly book: PriceBook;
    readonly scope: CostScope;
    readonly asOfMs: number;
  },
  signal: AbortSignal,
): Promise<Forecast> {
  const fromMs = Math.min(monthStart(asOfMs), dayStart(asOfMs) - HISTORY_DAYS * DAY_MS);
  const timeframe = { fromMs, toMs: asOfMs };
  const { countries } = pricingOf(book, timeframe);
  const pricing = { countries, periods: daysOf(timeframe) };
  const whole = { ...scope, timeframe, filters: [], metricFilters: [] };
  const rows = await runner.run<DeliveredRow>(planDelivered(whole, NO_KEY, pricing), signal);
  return forecast(book, { usage: rows.map((row) => usageOf(cellOf(row), pricing)), asOfMs });
}

function daysOf({ fromMs, toMs }: Timeframe): Timeframe[] {
  const count = Math.max(1, Math.ceil((toMs - fromMs) / DAY_MS));
  return Array.from({ length: count }, (_, index) => ({
    fromMs: fromMs + index * DAY_MS,
    toMs: fromMs + (index + 1) * DAY_MS,
  }));
}

export function forecastAnswer({ month, asOfMs, basis, soFar, expected, crossings }: Forecast) {
  return {
    month,
    as_of: new Date(asOfMs).toISOString(),
    cost_so_far: microsText(soFar.micros),
    cost_expected: microsText(expected.micros),
    basis: basis.map(({ cdn, method, days }) => ({ cdn, method, days })),
    tier_crossings: crossings.map(({ cdn, region, contract, tier, fromBytes, day, state }) => ({
      ...{ cdn, region, contract, tier, day, state },
      from_bytes: Number(fromBytes),
    })),
  };
}
