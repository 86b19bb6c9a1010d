/**
 * What a view must come to, from what the server said it had accepted, and nothing else.
 *
 * Written from the definition of the metrics, not from the fold: the two must not share a mistake.
 */
import type { EdgeRequest, TallyEvent, TallyScript, TallyState } from './tally-script.ts';

/** Names are those of the API's answer, null where a view takes no part. */
export interface TallyFigures {
  readonly startupMs: number | null;
  readonly playingMs: number | null;
  readonly rebufferMs: number | null;
  readonly rebufferCount: number | null;
  readonly outcome: string;
}

export class TallyAccount {
  readonly script: TallyScript;
  /** A beat came so long after a later one that its states may have been given up. */
  beyondReorder = false;
  edgeRequests = 0;
  edgeBytes = 0;
  readonly #accepted = new Map<number, TallyEvent>();

  constructor(script: TallyScript) {
    this.script = script;
  }

  /** The server said that it has this event. It may say so more than once. */
  accept(event: TallyEvent): void {
    this.#accepted.set(event.seq, event);
  }

  acceptEdge({ bytes }: EdgeRequest): void {
    this.edgeRequests++;
    this.edgeBytes += bytes;
  }

  /** Events accepted, each once. */
  get events(): number {
    return this.#accepted.size;
  }

  /** The server knows of the view. */
  get isThere(): boolean {
    return this.events + this.edgeRequests > 0;
  }

  figures(): TallyFigures {
    return figuresOf([...this.#accepted.values()].sort((one, other) => one.seq - other.seq));
  }
}

function figuresOf(events: readonly TallyEvent[]): TallyFigures {
  const sums = { starting: 0, playing: 0, rebuffering: 0, paused: 0, ended: 0, quit: 0, failed: 0 };
  let rebufferCount = 0;
  let started = false;
  for (const [index, { atMs, state }] of events.entries()) {
    const before = events[index - 1];
    if (before !== undefined) sums[before.state] += atMs - before.atMs;
    if (state === 'rebuffering' && before?.state !== 'rebuffering') rebufferCount++;
    started ||= state === 'playing';
  }
  const outcome = outcomeOf(events.at(-1)?.state, started);
  if (!started) {
    return { startupMs: null, playingMs: null, rebufferMs: null, rebufferCount: null, outcome };
  }
  return {
    startupMs: sums.starting,
    playingMs: sums.playing,
    rebufferMs: sums.rebuffering,
    rebufferCount,
    outcome,
  };
}

function outcomeOf(last: TallyState | undefined, started: boolean): string {
  if (last === undefined) return 'stateless';
  if (last === 'failed') return 'failed';
  if (!started) return 'exit_before_start';
  return last === 'ended' || last === 'quit' || last === 'paused' ? last : 'dropped';
}
