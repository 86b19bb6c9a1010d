/**
 * What a viewer's network carries over time: a Markov chain of states, with a log-normal rate in each stay.
 *
 * Guarantee: the trace depends on its stream alone. It is drawn as far as it is asked for and never goes back: a
 * transfer that is cut short leaves the network in the state that it had reached.
 */
import type { Access } from './population.ts';
import type { Random } from './random.ts';

interface State {
  /** Share of the access's rate. */
  readonly share: number;
  readonly meanMs: number;
}

/** From good to an outage; a network moves to a neighbour. Good lasts as long as the access says. */
const STATES: readonly [State, State, State, State] = [
  { share: 1, meanMs: 0 },
  { share: 0.3, meanMs: 15_000 },
  { share: 0.06, meanMs: 9_000 },
  { share: 0.001, meanMs: 4_000 },
];
const OUTAGE = STATES.length - 1;

/** What the way to the network leaves of its rate. */
export interface WayLimit {
  /** Share of the network's rate that is left. */
  readonly share: number;
  /** Most that one connection carries, kbit/s. */
  readonly kilobitsMax: number;
}

/** How far a transfer came. */
export interface Transfer {
  readonly endMs: number;
  readonly bytes: number;
}

export class NetworkTrace {
  readonly #random: Random;
  readonly #access: Access;
  /** Share of the rate that is left at a moment: the quality of the network, the time of day. */
  readonly #shareAt: (nowMs: number) => number;
  #state = 0;
  #untilMs: number;
  /** kbit/s, which is bits in a millisecond. */
  #kilobits = 0;

  constructor(random: Random, access: Access, bornMs: number, shareAt: (nowMs: number) => number) {
    this.#random = random;
    this.#access = access;
    this.#shareAt = shareAt;
    this.#untilMs = bornMs;
    this.#stay(bornMs);
  }

  /** Carries bytes from one moment on, until all have come or `untilMs`. Times in ms, the end rounded up. */
  transfer(fromMs: number, bytes: number, untilMs: number, limit: WayLimit): Transfer {
    let nowMs = fromMs;
    let bits = bytes * 8;
    for (;;) {
      while (this.#untilMs <= nowMs) this.#move();
      const stopMs = Math.min(this.#untilMs, untilMs);
      const kilobits = Math.min(limit.kilobitsMax, this.#kilobits * limit.share);
      const neededMs = bits / kilobits;
      if (nowMs + neededMs <= stopMs) return { endMs: Math.ceil(nowMs + neededMs), bytes };
      bits -= (stopMs - nowMs) * kilobits;
      nowMs = stopMs;
      if (nowMs >= untilMs) return { endMs: untilMs, bytes: Math.floor(bytes - bits / 8) };
    }
  }

  #move(): void {
    const { fall } = this.#access;
    if (this.#state === 0) this.#state = 1;
    else if (this.#state === OUTAGE) this.#state = OUTAGE - 1;
    else this.#state += this.#random.chance(fall) ? 1 : -1;
    this.#stay(this.#untilMs);
  }

  #stay(fromMs: number): void {
    const { kilobits, spread, goodMs } = this.#access;
    const state = STATES[this.#state] ?? STATES[0];
    const meanMs = this.#state === 0 ? goodMs : state.meanMs;
    this.#untilMs = fromMs + Math.ceil(this.#random.exponential(meanMs));
    const median = kilobits * state.share * this.#shareAt(fromMs);
    this.#kilobits = Math.max(1, this.#random.logNormal(median, spread));
  }
}
