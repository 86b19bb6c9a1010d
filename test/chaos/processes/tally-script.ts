/**
 * What one viewer of the tally does and reports, drawn from a seed before anything is sent.
 *
 * Guarantee: the same seed and number give the same script. Scripts keep to states whose meaning nobody can dispute:
 * no seeks, no restarts, no gaps longer than a minute.
 */
import { Random } from '../../../ingest/clients/simulation/random.ts';
import { shuffled } from './kill-plan.ts';

export type TallyState =
  | 'starting'
  | 'playing'
  | 'rebuffering'
  | 'paused'
  | 'ended'
  | 'quit'
  | 'failed';

export interface TallyEvent {
  readonly seq: number;
  /** ms since the view's first event. */
  readonly atMs: number;
  /** `refused` is one that ingest must not take. */
  readonly kind: 'state' | 'status' | 'refused';
  /** The state held from here on. */
  readonly state: TallyState;
}

export type TallyBeat = readonly TallyEvent[];

/** What is sent at one moment: bodies in the order in which they go, each of some beats. */
export interface Delivery {
  /** When the last of it has happened, ms since the view's first event. */
  readonly dueMs: number;
  /** More than one body: a later beat goes before an earlier one. */
  readonly bodies: readonly (readonly TallyBeat[])[];
}

export interface TallyScript {
  readonly id: string;
  /** `edge`: only edge logs tell of it. */
  readonly speaks: 'native' | 'cmcd' | 'edge';
  /** What the client's clock is ahead of the server's, ms. */
  readonly skewMs: number;
  readonly deliveries: readonly Delivery[];
  readonly edgeRequests: readonly EdgeRequest[];
}

export interface EdgeRequest {
  readonly atMs: number;
  readonly bytes: number;
  readonly status: number;
}

const SEGMENTS_MAX = 6;
const SKEW_MS_MAX = 1_800_000;
/** Numbers of the streams of random numbers, so that one more draw in a script moves nothing elsewhere. */
const SCRIPT_STREAM = 0x7a11;

export function drawScript(seed: number, number: number): TallyScript {
  const random = new Random(seed, SCRIPT_STREAM + number);
  const drawn = random.fraction();
  const speaks = drawn < 0.6 ? 'native' : drawn < 0.9 ? 'cmcd' : 'edge';
  const events = speaks === 'edge' ? [] : drawEvents(random, speaks === 'native');
  return {
    id: `tally-${seed}-${number}`,
    speaks,
    skewMs: Math.round(random.between(-SKEW_MS_MAX, SKEW_MS_MAX)),
    deliveries: drawDeliveries(random, events),
    edgeRequests: drawEdgeRequests(random, speaks === 'edge' ? 1 : 0),
  };
}

function drawEvents(random: Random, refuses: boolean): TallyEvent[] {
  const events: TallyEvent[] = [];
  let atMs = 0;
  let held: TallyState = 'starting';
  const add = (kind: TallyEvent['kind']): void => {
    events.push({ seq: events.length, atMs, kind, state: held });
  };
  /** The state goes on for a while, now and then with a word in between. */
  const hold = (minMs: number, maxMs: number): void => {
    const untilMs = atMs + Math.round(random.between(minMs, maxMs));
    while (atMs < untilMs) {
      atMs = Math.min(untilMs, atMs + Math.round(random.between(100, 1_500)));
      if (atMs < untilMs) add(refuses && random.chance(0.03) ? 'refused' : 'status');
    }
  };
  const enter = (state: TallyState): void => {
    held = state;
    add('state');
  };
  enter('starting');
  hold(20, 900);
  if (random.chance(0.08)) {
    enter(random.chance(0.5) ? 'quit' : 'failed');
    return events;
  }
  enter('playing');
  for (let segments = random.below(SEGMENTS_MAX); segments > 0; segments--) {
    hold(200, 3_000);
    enter(random.chance(0.6) ? 'rebuffering' : 'paused');
    hold(50, 1_500);
    enter('playing');
  }
  hold(200, 3_000);
  const end = random.fraction();
  if (end < 0.75) enter(end < 0.5 ? 'ended' : end < 0.65 ? 'quit' : 'failed');
  else add('status');
  return events;
}

/** Events into beats, beats into bodies. An event to be refused is never the last of its beat, so its time says nothing. */
function drawDeliveries(random: Random, events: readonly TallyEvent[]): Delivery[] {
  const beats = drawBeats(random, events);
  const deliveries: Delivery[] = [];
  for (let next = 0; next < beats.length; ) {
    const drawn = random.fraction();
    const taken = beats.slice(next, next + (drawn < 0.65 ? 1 : 2 + random.below(2)));
    next += taken.length;
    const dueMs = taken.at(-1)?.at(-1)?.atMs ?? 0;
    const bodies = drawn < 0.85 ? [shuffled(taken, random)] : taken.map((beat) => [beat]).reverse();
    deliveries.push({ dueMs, bodies });
  }
  return deliveries;
}

function drawBeats(random: Random, events: readonly TallyEvent[]): TallyBeat[] {
  const beats: TallyBeat[] = [];
  for (let next = 0; next < events.length; ) {
    let end = Math.min(events.length, next + 1 + random.below(4));
    while (end < events.length && events[end - 1]?.kind === 'refused') end++;
    beats.push(events.slice(next, end));
    next = end;
  }
  return beats;
}

function drawEdgeRequests(random: Random, least: number): EdgeRequest[] {
  const requests: EdgeRequest[] = [];
  for (let left = least + random.below(5); left > 0; left--) {
    requests.push({
      atMs: random.below(4_000),
      bytes: random.below(2_000_000),
      status: random.chance(0.05) ? 404 : 200,
    });
  }
  return requests;
}
