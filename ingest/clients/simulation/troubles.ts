/**
 * Troubles planted by the seed: for a while a CDN, or one edge of it, is slow, fails, or waits for its origin. They are
 * in the truth, so that whoever looks for causes can be checked.
 */
import { CDNS } from './delivery.ts';
import { Random } from './random.ts';

export interface Trouble {
  readonly kind: 'slow' | 'errors' | 'origin_slow';
  readonly cdn: string;
  /** Edge; empty for all of the CDN. */
  readonly pop: string;
  /** ms since the simulation's start. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Share of requests answered 503. */
  readonly errorShare: number;
  /** Added to each answer, ms; with origin_slow to those of the origin only. */
  readonly addedMs: number;
  /** What is left of the rate. */
  readonly rateShare: number;
}

const STREAM = 0x7201;
const PERIOD_MS_DEFAULT = 300_000;
const PERIOD_MS_MIN = 60_000;
const PERIOD_MS_MAX = 600_000;
/** Half of the troubles strike all edges of a CDN. */
const WHOLE_CDN_SHARE = 0.5;

export class Troubles {
  readonly #random: Random;
  readonly #periodMs: number;
  readonly #planted: Trouble[] = [];
  #plannedUntilMs = 0;

  /** @param durationMs Length of the simulation, ms; infinite without end. About three troubles fall into it. */
  constructor(seed: number, durationMs: number) {
    this.#random = new Random(seed, STREAM);
    const third = Number.isFinite(durationMs) ? durationMs / 3 : PERIOD_MS_DEFAULT;
    this.#periodMs = Math.min(PERIOD_MS_MAX, Math.max(PERIOD_MS_MIN, third));
  }

  /** The trouble of an edge at a moment, ms since the start. */
  at(nowMs: number, cdn: string, pop: string): Trouble | undefined {
    this.#plan(nowMs);
    return this.#planted.findLast(
      (trouble) =>
        trouble.fromMs <= nowMs &&
        nowMs < trouble.untilMs &&
        trouble.cdn === cdn &&
        (trouble.pop === '' || trouble.pop === pop),
    );
  }

  /** Those that began before a moment. */
  begunBefore(nowMs: number): readonly Trouble[] {
    this.#plan(nowMs);
    return this.#planted.filter(({ fromMs }) => fromMs < nowMs);
  }

  #plan(untilMs: number): void {
    while (this.#plannedUntilMs <= untilMs) {
      this.#planted.push(this.#draw(this.#plannedUntilMs));
      this.#plannedUntilMs += this.#periodMs;
    }
  }

  #draw(periodFromMs: number): Trouble {
    const random = this.#random;
    const { name, pops } = random.weighted(CDNS);
    const pop = random.chance(WHOLE_CDN_SHARE) ? '' : (pops[random.below(pops.length)]?.name ?? '');
    const fromMs = Math.round(periodFromMs + this.#periodMs * random.between(0.3, 0.5));
    const untilMs = Math.round(fromMs + this.#periodMs * random.between(0.2, 0.4));
    const place = { cdn: name, pop, fromMs, untilMs };
    const strength = random.fraction();
    const kinds: readonly Trouble[] = [
      { ...place, kind: 'errors', errorShare: 0.3 + 0.4 * strength, addedMs: 0, rateShare: 1 },
      {
        ...place,
        kind: 'slow',
        errorShare: 0,
        addedMs: Math.round(300 + 1_500 * strength),
        rateShare: 0.15 + 0.2 * strength,
      },
      {
        ...place,
        kind: 'origin_slow',
        errorShare: 0,
        addedMs: Math.round(2_000 + 3_000 * strength),
        rateShare: 1,
      },
    ];
    const drawn = kinds[random.below(kinds.length)];
    return drawn ?? { ...place, kind: 'slow', errorShare: 0, addedMs: 0, rateShare: 1 };
  }
}
