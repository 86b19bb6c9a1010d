/**
 * The times that the place for cost reaches over: whole days of UTC up to now, because bills are of UTC.
 *
 * Guarantee: both ends lie on windows of 5 s, so that windows can answer.
 */
import type { CostSpan } from './cost-route.ts';

const WINDOW_MS = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export type Granularity = 'minute' | 'ten_minutes' | 'hour' | 'day';

/** From (included) to (excluded), ms since 1970. */
export interface CostFrame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly granularity: Granularity;
  /** Length of a bucket. */
  readonly stepMs: number;
}

export const SPAN_TITLES: Readonly<Record<CostSpan, readonly [title: string, hint: string]>> = {
  today: ['Today', 'Since midnight UTC'],
  '7-days': ['7 days', 'Today and the six days before it, days of UTC'],
  '30-days': ['30 days', 'Today and the 29 days before it, days of UTC'],
  month: ['This month', 'Since the first of the month, UTC: what is billed together'],
};

export function frameOf(span: CostSpan, nowMs: number): CostFrame {
  const fromMs = beginOf(span, nowMs);
  const toMs = Math.max(fromMs + WINDOW_MS, Math.ceil(nowMs / WINDOW_MS) * WINDOW_MS);
  return { fromMs, toMs, ...bucketsFor(toMs - fromMs) };
}

function beginOf(span: CostSpan, nowMs: number): number {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  switch (span) {
    case 'today':
      return today;
    case '7-days':
      return today - 6 * DAY_MS;
    case '30-days':
      return today - 29 * DAY_MS;
    case 'month': {
      const now = new Date(nowMs);
      return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
    }
  }
}

/** As the api picks them where nothing is said; cost and quality must have the same. */
function bucketsFor(lengthMs: number): Pick<CostFrame, 'granularity' | 'stepMs'> {
  if (lengthMs < 90 * MINUTE_MS) return { granularity: 'minute', stepMs: MINUTE_MS };
  if (lengthMs <= 6 * HOUR_MS) return { granularity: 'ten_minutes', stepMs: 10 * MINUTE_MS };
  if (lengthMs <= 15 * DAY_MS) return { granularity: 'hour', stepMs: HOUR_MS };
  return { granularity: 'day', stepMs: DAY_MS };
}

/** As `timeframe[]` takes it. */
export const timeframeOf = ({ fromMs, toMs }: CostFrame): string[] =>
  [fromMs, toMs].map((timeMs) => String(timeMs / 1_000));
