/**
 * The states of one view and the time that belongs to each (METRICS "A view", rules 1 to 6).
 *
 * Time from an event to the next belongs to the state held. Nothing before first playing is rebuffering, seeking or
 * playing; a restart is to a view that has played what startup was to it before.
 */
import type { FoldCounters } from './fold-counters.ts';
import { PlayClock, type SavedPlayClock } from './play-clock.ts';

/** Codes of the states, in the order of the beat schema. */
export const STATE = {
  none: -1,
  preloading: 0,
  starting: 1,
  playing: 2,
  rebuffering: 3,
  seeking: 4,
  paused: 5,
  ended: 6,
  failed: 7,
  quit: 8,
} as const;

export function isEnd(state: number): boolean {
  return state >= STATE.ended;
}

/** States that open a view again after its end. */
function isReopening(state: number): boolean {
  return state >= STATE.starting && state <= STATE.seeking;
}

type MachineValues = Omit<
  StateMachine,
  'playing' | 'rebufferOpen' | 'save' | 'touch' | 'credit' | 'enter' | 'restart' | 'resumed'
>;

export interface SavedMachine {
  readonly values: Readonly<MachineValues>;
  readonly playing: SavedPlayClock;
  readonly startingSeen: boolean;
  readonly seekOpen: boolean;
  readonly seekOpenMs: number;
  readonly restartOpen: boolean;
  readonly rebufferOpen: boolean;
}

export class StateMachine {
  state: number = STATE.none;
  /** True once the view has played. */
  started = false;
  /** Line at the view's start, ms. */
  startLineMs = 0;
  /** Line at its end, last failure or last event, ms. */
  endLineMs = 0;
  readonly playing: PlayClock;
  startupMs = 0;
  rebufferMs = 0;
  rebufferCount = 0;
  seekMs = 0;
  seekDoneMs = 0;
  seekCount = 0;
  restartMs = 0;
  restartCount = 0;
  pausedMs = 0;
  unknownMs = 0;
  /** The view is in `failed`, or was and has not played since. */
  failed = false;
  /** The viewer has paused, whatever the player is busy with. */
  pausedBelow = false;
  /** True once the view has an event in order. */
  touched = false;
  #startingSeen = false;
  #seekOpen = false;
  #seekOpenMs = 0;
  #restartOpen = false;
  #rebufferOpen = false;

  constructor(playing = new PlayClock()) {
    this.playing = playing;
  }

  static load(saved: SavedMachine, counters: FoldCounters): StateMachine {
    const machine = new StateMachine(PlayClock.load(saved.playing, counters));
    Object.assign(machine, saved.values);
    machine.#startingSeen = saved.startingSeen;
    machine.#seekOpen = saved.seekOpen;
    machine.#seekOpenMs = saved.seekOpenMs;
    machine.#restartOpen = saved.restartOpen;
    machine.#rebufferOpen = saved.rebufferOpen;
    return machine;
  }

  save(): SavedMachine {
    return {
      values: this,
      playing: this.playing.save(),
      startingSeen: this.#startingSeen,
      seekOpen: this.#seekOpen,
      seekOpenMs: this.#seekOpenMs,
      restartOpen: this.#restartOpen,
      rebufferOpen: this.#rebufferOpen,
    };
  }

  /** A rebuffer event has begun and nothing has played since. */
  get rebufferOpen(): boolean {
    return this.#rebufferOpen;
  }

  /** Takes note of an event: the view has one at this line. Without `starting`, the first is its start. */
  touch(lineMs: number): void {
    if (!this.touched) {
      this.touched = true;
      this.startLineMs = lineMs;
    }
    if (!isEnd(this.state)) this.endLineMs = lineMs;
  }

  /** Gives the time since the event before, at the client's timestamp `fromAt`, to the state held. */
  credit(elapsedMs: number, fromAt: number, gapMs: number): void {
    if (elapsedMs === 0 || isEnd(this.state)) return;
    if (this.state === STATE.paused) {
      this.pausedMs += elapsedMs;
      return;
    }
    const knownMs = Math.min(elapsedMs, gapMs);
    this.unknownMs += elapsedMs - knownMs;
    this.#creditKnown(knownMs, fromAt);
  }

  /** Enters a state. Returns true when the view has opened again. */
  enter(next: number, lineMs: number): boolean {
    const reopened = isEnd(this.state);
    if (reopened && !isReopening(next)) {
      if (this.state === STATE.failed && next === STATE.failed) this.endLineMs = lineMs;
      return false;
    }
    const before = this.state;
    if (next !== STATE.rebuffering && next !== STATE.seeking) {
      this.pausedBelow = next === STATE.paused;
    }
    this.state = next;
    this.endLineMs = lineMs;
    switch (next) {
      case STATE.starting:
      case STATE.preloading:
        this.#start(next, lineMs);
        break;
      case STATE.playing:
        this.#play();
        break;
      case STATE.rebuffering:
        this.#rebuffer(before);
        break;
      case STATE.seeking:
        this.#seekOpen = this.started && !this.#restartOpen;
        break;
      case STATE.failed:
        this.failed = true;
        break;
    }
    return reopened;
  }

  /** The state once a seek or a rebuffering is over; the one held where there is none, or nothing has played yet. */
  resumed(): number {
    const interrupted = this.state === STATE.rebuffering || this.state === STATE.seeking;
    if (!interrupted || !this.started) return this.state;
    return this.pausedBelow ? STATE.paused : STATE.playing;
  }

  /** The client began a new run of reports without saying that it plays: it joined again, which is a restart. */
  restart(): void {
    if (!this.started || isEnd(this.state)) return;
    this.state = STATE.starting;
    this.#openRestart();
  }

  #creditKnown(knownMs: number, fromAt: number): void {
    if (!this.started) {
      this.startupMs += knownMs;
      return;
    }
    if (this.state === STATE.playing) {
      this.playing.add(fromAt, knownMs);
    } else if (this.#restartOpen || this.state <= STATE.starting) {
      this.restartMs += knownMs;
    } else if (this.state === STATE.seeking || this.#seekOpen) {
      this.seekMs += knownMs;
      if (this.#seekOpen) this.#seekOpenMs += knownMs;
    } else {
      this.rebufferMs += knownMs;
    }
  }

  #start(next: number, lineMs: number): void {
    if (this.started) {
      this.#openRestart();
      return;
    }
    if (next === STATE.preloading || this.#startingSeen) return;
    this.#startingSeen = true;
    this.startLineMs = lineMs;
    this.startupMs = 0;
    this.pausedMs = 0;
    this.unknownMs = 0;
  }

  #openRestart(): void {
    if (!this.#restartOpen) this.restartCount++;
    this.#restartOpen = true;
    this.#dropSeek();
  }

  #play(): void {
    this.started = true;
    this.failed = false;
    if (this.#seekOpen) {
      this.seekCount++;
      this.seekDoneMs += this.#seekOpenMs;
    }
    this.#dropSeek();
    this.#restartOpen = false;
    this.#rebufferOpen = false;
  }

  #dropSeek(): void {
    this.#seekOpen = false;
    this.#seekOpenMs = 0;
  }

  #rebuffer(before: number): void {
    if (!this.started || this.#seekOpen || this.#restartOpen || this.#rebufferOpen) return;
    if (before !== STATE.playing && before !== STATE.paused) return;
    this.#rebufferOpen = true;
    this.rebufferCount++;
  }
}
