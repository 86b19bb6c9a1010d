/**
 * What became of a view's time, laid out from its native beats in plain code, from the definitions alone.
 *
 * A view is the set of its events, sorted by number. Each stretch between two events counts to what the player was then
 * doing; nothing is summed here, and nothing is kept small or fast.
 */
import type { RawBeat } from './raw-beats.ts';
import type { RawEvent } from './raw-script.ts';

const GAP_MS = 60_000;
/** A live stream further behind than this tells nothing of latency. */
const LATENCY_MAX_MS = 300_000;

export type Kind = 'startup' | 'playing' | 'rebuffering' | 'seeking' | 'restart' | 'none';

/** Time between two events that counts to one thing, and what was known in it. */
export interface RawSpan {
  readonly kind: Kind;
  readonly fromMs: number;
  readonly toMs: number;
  readonly bitrate: number | undefined;
  /** The player says that it starts, plays, rebuffers or seeks: somebody is there. */
  readonly viewing: boolean;
  /** Player over source size, in millionths: all that is summed is whole. */
  readonly scale: number | undefined;
  readonly latencyMs: number | undefined;
}

export const active = ['starting', 'playing', 'rebuffering', 'seeking'];
export const stateIs =
  (...states: readonly string[]) =>
  ({ type, state = '' }: RawEvent): boolean =>
    type === 'state' && states.includes(state);
export const isFailure = (event: RawEvent): boolean =>
  stateIs('failed')(event) || (event.type === 'error' && event.fatal === true);

export const lengthMs = ({ fromMs, toMs }: RawSpan): number => toMs - fromMs;

/** To a whole number, halves to the even one. */
export function rounded(value: number): number {
  const floor = Math.floor(value);
  const up = value - floor > 0.5 || (value - floor === 0.5 && floor % 2 !== 0);
  return floor + (up ? 1 : 0);
}
export const MILLION = 1_000_000;

/** Events of a view, each once, in the order of their numbers. */
export function eventsOf(beats: readonly RawBeat[]): RawEvent[] {
  const bySeq = new Map(beats.flatMap(({ events }) => events).map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** The events from the view's start to its end. What comes before `starting` or after the end is no part of it. */
export function partOf(events: readonly RawEvent[]): RawEvent[] {
  const starting = events.findIndex(stateIs('starting'));
  const playing = events.findIndex(stateIs('playing'));
  const begins = starting >= 0 && (playing < 0 || starting < playing) ? starting : 0;
  const alive = events.findLastIndex(stateIs(...active));
  const last = events.slice(alive + 1);
  const ended = last.findIndex(stateIs('ended', 'quit'));
  const beforeEnd = ended < 0 ? last : last.slice(0, ended);
  const failed = beforeEnd.findLastIndex(isFailure);
  const ends = failed >= 0 ? failed : ended >= 0 ? ended : last.length - 1;
  return events.slice(begins, alive + ends + 2);
}

/** What a view's time is laid out into, and what was counted on the way. */
export interface Walk {
  readonly spans: RawSpan[];
  readonly rebufferStartsMs: number[];
  firstPlayingMs: number | undefined;
  restarts: number;
  seeks: number;
  seekDoneMs: number;
}

interface Held {
  state: string;
  /** A seek that has not reached playing. */
  seekMs: number | undefined;
  rebuffered: boolean;
  restarting: boolean;
  bitrate: number | undefined;
  source: readonly [number, number] | undefined;
  player: readonly [number, number] | undefined;
  latencyMs: number | undefined;
}

function beginsRebuffer({ state, seekMs, rebuffered, restarting }: Held): boolean {
  const from = state === 'playing' || state === 'paused';
  return from && seekMs === undefined && !rebuffered && !restarting;
}

function enter(state: string, at: number, held: Held, walk: Walk): void {
  const played = walk.firstPlayingMs !== undefined;
  if (state === 'playing') {
    walk.firstPlayingMs ??= at;
    if (held.seekMs !== undefined) {
      walk.seeks++;
      walk.seekDoneMs += held.seekMs;
    }
    held.seekMs = undefined;
    held.rebuffered = false;
    held.restarting = false;
  } else if (played && state === 'seeking') {
    held.seekMs ??= 0;
  } else if (played && (state === 'starting' || state === 'preloading')) {
    if (!held.restarting) walk.restarts++;
    held.restarting = true;
  } else if (played && state === 'rebuffering' && beginsRebuffer(held)) {
    walk.rebufferStartsMs.push(at);
    held.rebuffered = true;
  }
  held.state = state;
}

function take(event: RawEvent, held: Held, walk: Walk): void {
  if (event.type === 'state') enter(event.state ?? '', event.at, held, walk);
  // A view fails at a fatal error, whatever its player says of its state.
  else if (isFailure(event)) held.state = 'failed';
  if (event.bitrate !== undefined) held.bitrate = event.bitrate;
  if (event.width !== undefined) held.source = [event.width, event.height ?? 0];
  if (event.playerWidth !== undefined) held.player = [event.playerWidth, event.playerHeight ?? 0];
  if (event.liveLatency !== undefined)
    held.latencyMs = event.liveLatency > LATENCY_MAX_MS ? undefined : event.liveLatency;
}

function kindOf({ state, seekMs, restarting }: Held, played: boolean): Kind {
  if (['paused', 'failed', 'ended', 'quit'].includes(state)) return 'none';
  if (!played) return 'startup';
  if (restarting) return 'restart';
  if (state === 'rebuffering' && seekMs !== undefined) return 'seeking';
  return state as Kind;
}

function scaleOf({ source, player }: Held): number | undefined {
  if (source === undefined || player === undefined) return undefined;
  return rounded(Math.min(player[0] / source[0], player[1] / source[1]) * MILLION);
}

export function layOut(events: readonly RawEvent[]): Walk {
  const walk: Walk = {
    spans: [],
    rebufferStartsMs: [],
    firstPlayingMs: undefined,
    restarts: 0,
    seeks: 0,
    seekDoneMs: 0,
  };
  const held: Held = {
    state: '',
    seekMs: undefined,
    rebuffered: false,
    restarting: false,
    bitrate: undefined,
    source: undefined,
    player: undefined,
    latencyMs: undefined,
  };
  for (const [index, event] of events.entries()) {
    take(event, held, walk);
    const kind = kindOf(held, walk.firstPlayingMs !== undefined);
    const toMs = Math.min(events[index + 1]?.at ?? event.at, event.at + GAP_MS);
    if (kind === 'seeking' && held.seekMs !== undefined) held.seekMs += toMs - event.at;
    const { bitrate, latencyMs } = held;
    const viewing = active.includes(held.state);
    const scale = scaleOf(held);
    walk.spans.push({ kind, fromMs: event.at, toMs, viewing, bitrate, latencyMs, scale });
  }
  return walk;
}
