/**
 * Clients between a player and the log: each keeps what was not acknowledged and sends it until it is. Requests and
 * answers are lost, late, and overtake one another; what is sent again is cut otherwise than before.
 *
 * Guarantee that the checks build on: `accepted` holds exactly what a client was told was accepted.
 */
import type { BeatEvent, Source } from '../../../schemas/beat.ts';
import { encodeRecord } from '../../../schemas/records.ts';
import type { Faults } from './faults.ts';
import type { LogModel, RecordNote } from './log-model.ts';
import { PROJECT, type ScriptedView } from './players.ts';
import type { Scheduler } from './scheduler.ts';

const SOURCE: Source = 'native';
/** Requests that a client has under way. */
const REQUESTS_MAX = 2;
/** Sends after which a client forgets what it could not deliver, while things fail. */
const SENDS_MAX = 12;

export interface ClientDeps {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly log: LogModel;
  /** Whether anybody listens: embedded, ingest dies with the process. */
  readonly isReachable: () => boolean;
}

export function keyOf({ lane, seq }: Pick<BeatEvent, 'lane' | 'seq'>): string {
  return `${lane} ${seq}`;
}

interface Unsent {
  readonly event: BeatEvent;
  sends: number;
}

export class Client {
  readonly view: ScriptedView;
  /** Keys of the events that the client was told were accepted. */
  readonly accepted = new Set<string>();
  readonly #deps: ClientDeps;
  #unsent: Unsent[] = [];
  #requests = 0;
  #toCome: number;

  constructor(view: ScriptedView, deps: ClientDeps) {
    this.view = view;
    this.#deps = deps;
    this.#toCome = view.events.length;
    const { scheduler } = deps;
    for (const { atMs, event } of view.events) {
      scheduler.after(atMs - scheduler.nowMs, () => {
        this.#toCome--;
        this.#unsent.push({ event, sends: 0 });
        this.#soon();
      });
    }
  }

  /** Everything is delivered or given up. */
  get isDone(): boolean {
    return this.#toCome === 0 && this.#unsent.length === 0 && this.#requests === 0;
  }

  #soon(): void {
    const { faults, scheduler } = this.#deps;
    scheduler.after(faults.random.int(0, faults.plan.unitMs), () => this.#send());
  }

  /** Sends some of what is not acknowledged: a run of it that begins anywhere. */
  #send(): void {
    const { faults } = this.#deps;
    this.#giveUp();
    const waiting = this.#unsent.length;
    if (waiting === 0 || this.#requests >= REQUESTS_MAX) return;
    const from = faults.active && faults.random.chance(0.2) ? faults.random.int(0, waiting - 1) : 0;
    const chosen = this.#unsent.slice(from, from + faults.random.size(1, 9));
    this.#noteCut(chosen);
    for (const item of chosen) item.sends++;
    this.#requests++;
    this.#request(chosen.map(({ event }) => event));
    if (this.#unsent.length > chosen.length) this.#soon();
  }

  #noteCut(chosen: readonly Unsent[]): void {
    const { counters } = this.#deps.faults;
    const repeated = chosen.filter(({ sends }) => sends > 0).length;
    if (repeated > 0) counters.beatsRepeated++;
    if (repeated > 0 && repeated < chosen.length) counters.beatsJoined++;
    if (repeated > 0 && chosen.length < this.#unsent.length) counters.beatsSplit++;
  }

  #giveUp(): void {
    const { faults } = this.#deps;
    if (!faults.active) return;
    const kept = this.#unsent.filter(({ sends }) => sends < SENDS_MAX);
    faults.counters.eventsAbandoned += this.#unsent.length - kept.length;
    this.#unsent = kept;
  }

  /** One request: there, into the log, and back; or lost on one of the ways. */
  #request(events: readonly BeatEvent[]): void {
    const { faults, scheduler } = this.#deps;
    const { network } = faults.plan.intensity;
    const late = faults.happens(network) ? faults.random.size(1, 15 * faults.plan.unitMs) : 0;
    let isOver = false;
    const end = (accepted: boolean): void => {
      if (isOver) return;
      isOver = true;
      timeout.cancel();
      this.#hear(events, accepted);
    };
    const timeout = scheduler.after(12 * faults.plan.unitMs + 200, () => end(false));
    if (faults.happens(network)) {
      faults.counters.requestsLost++;
      return;
    }
    scheduler.after(faults.latencyMs() + late, () => this.#arrive(events, end));
  }

  #arrive(events: readonly BeatEvent[], end: (accepted: boolean) => void): void {
    const { faults, isReachable, log, scheduler } = this.#deps;
    if (!isReachable()) {
      scheduler.after(faults.latencyMs(), () => end(false));
      return;
    }
    const answer = (accepted: boolean): void => {
      if (faults.happens(faults.plan.intensity.network)) faults.counters.responsesLost++;
      else scheduler.after(faults.latencyMs(), () => end(accepted));
    };
    log.append(this.view.partition, this.#beatOf(events), this.#noteOf(events), {
      resolve: () => answer(true),
      reject: () => answer(false),
    });
  }

  #hear(events: readonly BeatEvent[], accepted: boolean): void {
    this.#requests--;
    if (accepted) {
      for (const event of events) this.accepted.add(keyOf(event));
      this.#unsent = this.#unsent.filter(({ event }) => !this.accepted.has(keyOf(event)));
    }
    if (this.#unsent.length > 0) this.#soon();
  }

  #beatOf(events: readonly BeatEvent[]): Buffer {
    return encodeRecord('beat', {
      project: PROJECT,
      view: this.view.id,
      source: SOURCE,
      trustedClock: false,
      sentAt: 0,
      context: this.view.context,
      events,
    });
  }

  #noteOf(events: readonly BeatEvent[]): RecordNote {
    return { view: this.view.id, events: events.map(keyOf), identities: [] };
  }
}
