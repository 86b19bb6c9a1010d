/**
 * Months of billing, and the times within which prices stay the same.
 *
 * A month begins at midnight of UTC on its first day, whatever the clock of the machine says.
 */
import type { PriceBook } from './contract.ts';

export const DAY_MS = 86_400_000;

/** A stretch of time from its first ms, inclusive, to its last, exclusive. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The month that an instant is in: `2026-02`. */
export function monthOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 7);
}

/** The day that an instant is in: `2026-02-28`. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

export function monthStart(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
}

export function monthEnd(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
}

export function dayStart(atMs: number): number {
  return Math.floor(atMs / DAY_MS) * DAY_MS;
}

/** The whole months that a time touches: what must be counted to price it. */
export function wholeMonths({ fromMs, toMs }: Period): Period {
  return { fromMs: monthStart(fromMs), toMs: monthEnd(Math.max(fromMs, toMs - 1)) };
}

/**
 * A time in pieces, each within one month, and in each of which the same contracts hold throughout. Usage that is summed
 * by piece, CDN and country costs what it costs unsummed.
 */
export function pricingPeriods({ contracts }: PriceBook, { fromMs, toMs }: Period): Period[] {
  const begins = new Set([fromMs]);
  for (let next = monthEnd(fromMs); next < toMs; next = monthEnd(next)) begins.add(next);
  for (const contract of contracts) {
    for (const edge of [contract.fromMs, contract.toMs]) {
      if (edge > fromMs && edge < toMs) begins.add(edge);
    }
  }
  const sorted = [...begins].sort((left, right) => left - right);
  return sorted.map((begin, index) => ({ fromMs: begin, toMs: sorted[index + 1] ?? toMs }));
}
