/** What players do, told before anything happens to it: the events of each view, in order, on the client's clock. */
import {
  type BeatEvent,
  type Entry,
  type Part,
  type PlayerState,
  part,
} from '../../../schemas/beat.ts';
import type { EdgeRequest } from '../../../schemas/records.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';

export interface ScriptedEvent {
  /** When the player reports it, virtual ms. */
  readonly atMs: number;
  readonly event: BeatEvent;
}

export interface ScriptedView {
  readonly id: string;
  readonly partition: number;
  readonly viewer: string;
  readonly context: readonly Entry[];
  /** Main and response lane, in the order of time. */
  readonly events: readonly ScriptedEvent[];
  readonly edges: readonly { readonly atMs: number; readonly request: EdgeRequest }[];
}

export const PROJECT = 'default';

export function viewsOf(plan: Plan, root: Random): ScriptedView[] {
  return Array.from({ length: plan.views }, (_, index) => {
    const random = root.fork(`view ${index}`);
    return viewOf(plan, random, index);
  });
}

function viewOf(plan: Plan, random: Random, index: number): ScriptedView {
  const { startMs, quietMs } = plan;
  const viewer = `viewer-${random.int(1, 3)}`;
  const fromMs = startMs + random.int(0, (quietMs - startMs) >> 1);
  const edgeOnly = random.chance(0.1);
  return {
    id: `view-${index}`,
    partition: index % plan.partitions,
    viewer,
    context: [
      { name: 'cdn', value: random.pick(['x', 'y']) },
      { name: 'video_id', value: random.pick(['film', 'news']) },
      { name: 'viewer_user_id', value: viewer },
    ],
    events: edgeOnly ? [] : new Script(plan, random, fromMs).events,
    edges: edgesOf(plan, random, fromMs, edgeOnly ? 3 : random.int(0, 2)),
  };
}

/** Ways from one state to the next, as players take them. */
const NEXT: Readonly<Partial<Record<PlayerState, readonly PlayerState[]>>> = {
  preloading: ['starting'],
  starting: ['playing', 'playing', 'playing', 'rebuffering', 'paused'],
  playing: ['rebuffering', 'rebuffering', 'seeking', 'paused', 'ended', 'quit', 'failed'],
  rebuffering: ['playing', 'playing', 'playing', 'failed', 'quit'],
  seeking: ['playing', 'rebuffering', 'seeking'],
  paused: ['playing', 'playing', 'seeking', 'quit'],
  ended: ['playing', 'starting'],
  failed: ['playing', 'rebuffering'],
};

class Script {
  readonly events: ScriptedEvent[] = [];
  readonly #plan: Plan;
  readonly #random: Random;
  /** Client's clock minus the log's, ms. */
  readonly #skewMs: number;
  #nowMs: number;
  readonly #responds: boolean;
  #mainSeq = 0;
  #responseSeq = 0;
  #responseAt = 0;

  constructor(plan: Plan, random: Random, fromMs: number) {
    this.#plan = plan;
    this.#random = random;
    this.#nowMs = fromMs;
    this.#skewMs = random.pick([0, -3_000, 40_000]);
    this.#responds = random.chance(0.3);
    this.#play(random.chance(0.3) ? 'preloading' : 'starting');
  }

  #play(first: PlayerState): void {
    const eventsMax = this.#random.pick([6, 15, 30]);
    let state: PlayerState | undefined = first;
    while (state !== undefined && this.#mainSeq < eventsMax && this.#nowMs < this.#plan.quietMs) {
      this.#report('state', part.state(state), ...this.#asides());
      if (this.#responds && this.#random.chance(0.3)) this.#respond();
      this.#wait();
      while (this.#random.chance(0.4)) this.#report('status', ...this.#asides());
      state = this.#after(state);
    }
  }

  /** The state after one; undefined when the player says no more. */
  #after(state: PlayerState): PlayerState | undefined {
    const isOver = state === 'ended' || state === 'failed';
    if (isOver && !this.#random.chance(0.4)) return undefined;
    if (this.#random.chance(0.03)) return undefined;
    const next = NEXT[state];
    return next === undefined ? undefined : this.#random.pick(next);
  }

  #report(name: string, ...parts: Part[]): void {
    this.#add(name, 'main', this.#mainSeq++, this.#nowMs + this.#skewMs, parts);
    this.#nowMs += this.#random.int(0, this.#plan.unitMs >> 1);
  }

  /** A report about a request, which began a while ago. */
  #respond(): void {
    const ttlb = this.#random.int(1, this.#plan.unitMs);
    const request = part.request({
      kind: 'segment',
      status: 200,
      bytes: 1_000,
      ttfb: ttlb >> 1,
      ttlb,
    });
    // In the order of its numbers: one that falls back with a later time is a new run.
    this.#responseAt = Math.max(this.#responseAt, this.#nowMs + this.#skewMs - ttlb);
    this.#add('rr', 'response', this.#responseSeq++, this.#responseAt, [request]);
  }

  #add(name: string, lane: BeatEvent['lane'], seq: number, at: number, parts: Part[]): void {
    this.events.push({ atMs: this.#nowMs, event: { seq, at, lane, name, parts } });
  }

  /** Mostly a moment, sometimes so long that the view times out, or that the time is unknown. */
  #wait(): void {
    const { unitMs } = this.#plan;
    const long = this.#random.chance(0.06);
    this.#nowMs += long ? unitMs * this.#random.int(8, 22) : this.#random.size(1, 4 * unitMs);
  }

  #asides(): Part[] {
    const random = this.#random;
    const parts: Part[] = [];
    if (random.chance(0.3)) parts.push(part.rendition({ bitrate: random.int(1, 4) * 500_000 }));
    if (random.chance(0.2)) {
      const liveLatency = random.int(0, 9_000);
      parts.push(part.status({ liveLatency, playhead: 7 * liveLatency }));
    }
    if (random.chance(0.1)) parts.push(part.error({ code: random.pick(['a', 'b']) }));
    if (random.chance(0.1)) parts.push(part.request({ kind: 'segment', status: 200, ttfb: 30 }));
    if (random.chance(0.1)) {
      parts.push(part.context([{ name: 'video_title', value: random.pick(['one', 'two']) }]));
    }
    return parts;
  }
}

function edgesOf(plan: Plan, random: Random, fromMs: number, count: number) {
  return Array.from({ length: count }, () => {
    const atMs = Math.min(fromMs + random.int(0, 30 * plan.unitMs), plan.quietMs);
    return { atMs, request: edgeRequest(random, atMs) };
  });
}

function edgeRequest(random: Random, endAt: number): EdgeRequest {
  return {
    identity: random.bytes(8),
    endAt,
    durationMs: random.int(1, 90),
    ttfbMs: 5,
    originMs: -1,
    status: random.pick([200, 206, 503]),
    bytes: random.int(100, 9_000),
    aborted: false,
    method: 'GET',
    host: 'edge.example',
    path: '/segment',
    protocol: 'h2',
    cdn: 'x',
    pop: '',
    country: '',
    asn: '',
    cache: 'hit',
    cmcd: [{ name: 'br', value: '1000' }],
  };
}
