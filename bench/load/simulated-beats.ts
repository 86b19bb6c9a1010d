/**
 * Realistic native beats: simulated viewers whose events are gathered into beats of ten.
 *
 * Guarantee: the same options give the same beats to the byte. A view's events keep their order and numbers; its last
 * beat is shorter when the view ended within it, and left out when the simulation ended first.
 */
import { Simulation } from '../../ingest/clients/simulation/simulation.ts';

export const EVENTS_PER_BEAT = 10;
/** How far the simulation advances at once, ms. */
const STEP_MS = 1_000;

export interface BeatLoadOptions {
  readonly seed: number;
  /** Views at the same time. */
  readonly viewers: number;
  readonly durationMs: number;
  /** The simulated clock at the start, ms since 1970. */
  readonly startAtMs: number;
}

export interface SimulatedBeat {
  /** The client's clock when it is sent, ms since 1970. */
  readonly sentAtMs: number;
  readonly view: string;
  /** The native beat, JSON. */
  readonly json: string;
  readonly events: number;
}

interface NativeEvent {
  readonly type: string;
  readonly state?: string;
  readonly fatal?: boolean;
}

interface NativePayload {
  readonly view: string;
  readonly sentAt: number;
  readonly context?: Readonly<Record<string, string>>;
  readonly events: readonly NativeEvent[];
}

interface Gathering {
  context: Readonly<Record<string, string>> | undefined;
  events: NativeEvent[];
}

/** All beats, in the order in which they are sent. */
export function simulateBeats(options: BeatLoadOptions): SimulatedBeat[] {
  const { durationMs } = options;
  const simulation = new Simulation({ ...options, cmcdShare: 0 });
  const beats: SimulatedBeat[] = [];
  const gatherings = new Map<string, Gathering>();
  for (let atMs = STEP_MS; atMs <= durationMs; atMs += STEP_MS) {
    for (const { kind, payload } of simulation.advance(atMs)) {
      if (kind === 'native') gather(JSON.parse(payload) as NativePayload, gatherings, beats);
    }
  }
  return beats;
}

function gather(
  payload: NativePayload,
  gatherings: Map<string, Gathering>,
  beats: SimulatedBeat[],
): void {
  const { view, context, events, sentAt } = payload;
  const held = gatherings.get(view) ?? { context: undefined, events: [] };
  gatherings.set(view, held);
  if (context !== undefined) held.context = context;
  held.events.push(...events);
  while (held.events.length >= EVENTS_PER_BEAT) beats.push(take(view, sentAt, held));
  if (!events.some(isLast)) return;
  if (held.events.length > 0) beats.push(take(view, sentAt, held));
  gatherings.delete(view);
}

function take(view: string, sentAtMs: number, held: Gathering): SimulatedBeat {
  const events = held.events.splice(0, EVENTS_PER_BEAT);
  const beat = { view, sentAt: sentAtMs, context: held.context, events };
  held.context = undefined;
  return { sentAtMs, view, json: JSON.stringify(beat), events: events.length };
}

function isLast({ state, fatal }: NativeEvent): boolean {
  return fatal === true || state === 'ended' || state === 'quit' || state === 'failed';
}
