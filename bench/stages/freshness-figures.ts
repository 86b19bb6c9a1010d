/** How long events took to be seen, from what was watched. Pure. */
import { Simulation } from '../../ingest/clients/simulation/simulation.ts';
import { quantile } from '../measure.ts';
import type { EventPlace } from '../subjects/server.ts';
import type { ShownWindow } from './monitoring-watch.ts';

/** A view whose first event is so long ago has its place in time, and its events wait no longer, ms. */
export const PLACED_AFTER_MS = 6_000;
const WINDOW_MS = 5_000;

/** When commits were first seen, in order, by partition. */
export type SeenCommits = ReadonlyMap<
  number,
  readonly { readonly epoch: number; readonly atMs: number }[]
>;

/**
 * Median and 95th percentile, seconds, from an event's timestamp until its rows, and until the chart's window with it
 * in, could be read: for all events, and for those of views that have their place in time.
 */
export function visibility(
  places: readonly EventPlace[],
  seen: SeenCommits,
  shown: readonly ShownWindow[],
): Record<string, number> {
  const firstAt = new Map<string, number>();
  for (const { view, at } of places) firstAt.set(view, Math.min(at, firstAt.get(view) ?? at));
  const delays = { all: [] as number[], placed: [] as number[], chart: [] as number[] };
  for (const { view, at, partition, epoch } of places) {
    const commit = seen.get(partition)?.find((entry) => entry.epoch >= epoch);
    if (commit === undefined) continue;
    delays.all.push(commit.atMs - at);
    if (at <= (firstAt.get(view) ?? at) + PLACED_AFTER_MS) continue;
    delays.placed.push(commit.atMs - at);
    const window = shown.find(({ windowMs }) => windowMs + WINDOW_MS > at);
    if (window !== undefined) delays.chart.push(Math.max(commit.atMs, window.seenAtMs) - at);
  }
  return {
    ...spread('event_to_visible', delays.all),
    ...spread('event_to_visible_placed', delays.placed),
    ...spread('event_to_monitoring_placed', delays.chart),
  };
}

/** How long events wait at their clients for the beat that takes them along. */
export function clientWait(
  seed: number,
  viewers: number,
  durationMs: number,
): Record<string, number> {
  const simulation = new Simulation({ seed, viewers, durationMs, startAtMs: 0 });
  const waits: number[] = [];
  for (const { kind, atMs, payload } of simulation.advance(durationMs)) {
    if (kind !== 'native') continue;
    const { events } = JSON.parse(payload) as { events: readonly { at: number }[] };
    for (const { at } of events) waits.push(atMs - at);
  }
  return spread('client_wait', waits);
}

/** Median and 95th percentile, seconds; nothing without values. */
export function spread(name: string, valuesMs: readonly number[]): Record<string, number> {
  if (valuesMs.length === 0) return {};
  const sorted = [...valuesMs].sort((a, b) => a - b);
  const seconds = (share: number): number => Math.round(quantile(sorted, share) / 10) / 100;
  return { [`${name}_p50_s`]: seconds(0.5), [`${name}_p95_s`]: seconds(0.95) };
}
