/**
 * What a CMCD player counted by itself, beside its states: a cross-check of what the fold concludes, never part of it.
 *
 * Sums and extremes only, so that arrival order changes nothing. `bsd` is said once for each mode and target: reports of
 * both lanes tell of the same stalls, so the larger sum counts; `bsda` is said again and again, so its largest does.
 */
import type { View } from './view.ts';

/** Values beyond are no durations of a view (30 days), ms. */
const CLAIM_MS_MAX = 2_592_000_000;

/** Takes one derived value of an event; a name that is none of them is somebody's custom value. */
export function takeClaim(view: View, name: string, value: string, lane: number, at: number): void {
  switch (name) {
    case 'start_delay_ms':
      takeStartDelay(view, durationOf(value), at);
      break;
    case 'starved_ms':
      if (lane === 1) view.starvedResponseMs = plus(view.starvedResponseMs, durationOf(value));
      else view.starvedMainMs = plus(view.starvedMainMs, durationOf(value));
      break;
    case 'starved_total_ms':
      view.starvedTotalMs = Math.max(view.starvedTotalMs, durationOf(value));
      break;
    case 'hop_delays_ms':
      takeHopDelays(view, value);
      break;
  }
}

/** Rebuffer time as the player counted it, ms; -1 when it said none. */
export function claimedRebufferMs(view: View): number {
  if (view.starvedTotalMs >= 0) return view.starvedTotalMs;
  return Math.max(view.starvedMainMs, view.starvedResponseMs);
}

/** The first start counts: a channel that is joined again starts again. */
function takeStartDelay(view: View, delayMs: number, at: number): void {
  if (delayMs < 0 || at > view.startDelayAt) return;
  const same = at === view.startDelayAt;
  view.startDelayMs = same ? Math.min(view.startDelayMs, delayMs) : delayMs;
  view.startDelayAt = at;
}

/** `origin=12 edge=3`: milliseconds of each server on the way, the one next to the origin first; -1 without. */
export function hopDelaysIn(value: string): { totalMs: number; originMs: number } {
  let totalMs = -1;
  let originMs = -1;
  for (const [index, hop] of value.split(' ').entries()) {
    const delayMs = durationOf(hop.slice(hop.lastIndexOf('=') + 1));
    if (index === 0) originMs = delayMs;
    totalMs = plus(totalMs, delayMs);
  }
  return { totalMs, originMs };
}

function takeHopDelays(view: View, value: string): void {
  const { totalMs } = hopDelaysIn(value);
  if (totalMs < 0) return;
  view.hopDelaySumMs += totalMs;
  view.hopDelayCount++;
}

function plus(sumMs: number, addedMs: number): number {
  return addedMs < 0 ? sumMs : Math.max(sumMs, 0) + addedMs;
}

function durationOf(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  return value <= CLAIM_MS_MAX ? value : -1;
}
