/** Tiers that the month reaches, in words. */
import type { CostOverall } from '../api/cost.ts';
import { bytes, text } from '../figures/format.ts';

export type Crossing = NonNullable<CostOverall['data']['forecast']>['tier_crossings'][number];

/** The first that is still to come. */
export const nextCrossing = (crossings: readonly Crossing[]): Crossing | undefined =>
  crossings
    .filter(({ state }) => state === 'expected')
    .toSorted((one, other) => one.day.localeCompare(other.day))[0];

const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'long', timeZone: 'UTC' });
const dayFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

/** `2026-11` is November. */
export const monthTitle = (month: string): string => dated(`${month}-01`, monthFormat);
/** `2026-11-24` is 24 Nov. */
export const dayTitle = (day: string): string => dated(day, dayFormat);

function dated(day: string, format: Intl.DateTimeFormat): string {
  const timeMs = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(timeMs) ? day : format.format(timeMs);
}

export function crossingText({
  cdn,
  region,
  tier,
  from_bytes: from,
  day,
  state,
}: Crossing): string {
  const where = region === '*' ? cdn : `${cdn}, ${region}`;
  const when = state === 'reached' ? 'reached on' : 'expected on';
  return `${where}: tier ${tier + 1}, from ${text(bytes(from))}, ${when} ${dayTitle(day)}`;
}
