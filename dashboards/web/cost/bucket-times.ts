/** Times of buckets as text: in UTC, as bills are. */
import type { CostFrame } from '../state/cost-frame.ts';

const LOCALE = 'en-GB';
const DAY_MS = 86_400_000;
const timeFormat = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});
const dayFormat = new Intl.DateTimeFormat(LOCALE, {
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

/** Of an axis: a day where a day begins, the time between. */
export function tickTitle(timeMs: number, stepMs: number): string {
  if (stepMs >= DAY_MS || timeMs % DAY_MS === 0) return dayFormat.format(timeMs);
  return timeFormat.format(timeMs);
}

/** `21 Nov, 14:03 UTC`. */
export const momentTitle = (timeMs: number): string =>
  `${dayFormat.format(timeMs)}, ${timeFormat.format(timeMs)} UTC`;

/** `21 Nov, 14:00 to 15:00 UTC`; of a whole day, its name. */
export function bucketTitle(fromMs: number, { stepMs }: Pick<CostFrame, 'stepMs'>): string {
  const day = dayFormat.format(fromMs);
  if (stepMs >= DAY_MS) return `${day}, UTC`;
  return `${day}, ${timeFormat.format(fromMs)} to ${timeFormat.format(fromMs + stepMs)} UTC`;
}
