/** Builds beats for tests in a few words. */
import {
  type Beat,
  type BeatEvent,
  type Entry,
  type Part,
  type PlayerState,
  part,
  type Source,
} from '../../schemas/beat.ts';

export const T0 = 1_767_225_600_000;

/** An event at `ms` after T0. */
export function event(seq: number, ms: number, name: string, ...parts: Part[]): BeatEvent {
  return { seq, at: T0 + ms, lane: 'main', name, parts };
}

export function state(seq: number, ms: number, value: PlayerState): BeatEvent {
  return event(seq, ms, 'state', part.state(value));
}

export function response(seq: number, ms: number, ...parts: Part[]): BeatEvent {
  return { seq, at: T0 + ms, lane: 'response', name: 'rr', parts };
}

export interface BeatOptions {
  readonly view?: string;
  readonly source?: Source;
  readonly sentMs?: number;
  readonly trustedClock?: boolean;
  readonly context?: readonly Entry[];
}

export function beat(events: readonly BeatEvent[], options: BeatOptions = {}): Beat {
  return {
    project: 'default',
    view: options.view ?? 'v',
    source: options.source ?? 'native',
    trustedClock: options.trustedClock ?? false,
    sentAt: options.sentMs === undefined ? 0 : T0 + options.sentMs,
    context: options.context ?? [],
    events,
  };
}

/** States of one view as `[ms, state]`, numbered from 0. */
export function states(...list: readonly (readonly [number, PlayerState])[]): BeatEvent[] {
  return list.map(([ms, value], seq) => state(seq, ms, value));
}
