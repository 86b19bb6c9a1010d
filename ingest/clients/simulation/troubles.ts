/**
 * Troubles that are planted: for a while a CDN, an edge of it, its origin or an access network is slow or fails. By the
 * seed, or by a file. They are in the truth, so that whoever looks for causes can be checked.
 */
import type { Delivery, Route } from './delivery.ts';
import { Random } from './random.ts';

/** Where on the way a trouble sits. */
export type Hop = 'origin' | 'edge' | 'network';

export const TROUBLE_KINDS = ['slow', 'errors', 'origin_slow', 'bad_edge', 'bad_network'] as const;
export type TroubleKind = (typeof TROUBLE_KINDS)[number];

export const HOPS: Readonly<Record<TroubleKind, Hop>> = {
  slow: 'edge',
  errors: 'edge',
  origin_slow: 'origin',
  bad_edge: 'edge',
  bad_network: 'network',
};

export interface Trouble {
  readonly kind: TroubleKind;
  /** Empty for all of them. */
  readonly cdn: string;
  readonly pop: string;
  /** Autonomous system; 0 for all. */
  readonly asn: number;
  /** ms since the simulation's start. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Share of requests answered with the status: of those that ask the origin, where that is the hop. */
  readonly errorShare: number;
  readonly errorStatus: number;
  /** Median time added before the first byte at the hop, ms; at the origin to what it is asked for only. */
  readonly addedMs: number;
  /** What is left of the rate. */
  readonly rateShare: number;
  /** Added to each round trip, ms. */
  readonly rttAddedMs: number;
  /** Share of packets lost besides, and of requests whose answer never comes. */
  readonly lossShare: number;
  readonly noAnswerShare: number;
}

export const HARMLESS = {
  cdn: '',
  pop: '',
  asn: 0,
  errorShare: 0,
  errorStatus: 503,
  addedMs: 0,
  rateShare: 1,
  rttAddedMs: 0,
  lossShare: 0,
  noAnswerShare: 0,
} as const;

const STREAM = 0x7201;
const PERIOD_MS_DEFAULT = 300_000;
const PERIOD_MS_MIN = 60_000;
const PERIOD_MS_MAX = 600_000;
/** Half of the troubles strike all edges of a CDN. */
const WHOLE_CDN_SHARE = 0.5;
const NONE: readonly Trouble[] = [];

export class Troubles {
  readonly #draw: ((periodFromMs: number) => Trouble) | undefined;
  readonly #periodMs: number;
  readonly #planted: Trouble[] = [];
  #plannedUntilMs = 0;

  /**
   * @param durationMs Length of the simulation, ms; infinite without end. About three troubles fall into it.
   * @param given Those of a file, instead of any that the seed would plant.
   */
  constructor(seed: number, durationMs: number, delivery: Delivery, given?: readonly Trouble[]) {
    const random = new Random(seed, STREAM);
    const third = Number.isFinite(durationMs) ? durationMs / 3 : PERIOD_MS_DEFAULT;
    this.#periodMs = Math.min(PERIOD_MS_MAX, Math.max(PERIOD_MS_MIN, third));
    if (given === undefined)
      this.#draw = (fromMs) => draw(random, delivery, fromMs, this.#periodMs);
    else this.#planted.push(...given.toSorted((one, other) => one.fromMs - other.fromMs));
  }

  /** The troubles of a route at a moment, ms since the start. */
  at(nowMs: number, route: Route): readonly Trouble[] {
    this.#plan(nowMs);
    const strikes = (trouble: Trouble): boolean =>
      trouble.fromMs <= nowMs && nowMs < trouble.untilMs && isOn(trouble, route);
    return this.#planted.some(strikes) ? this.#planted.filter(strikes) : NONE;
  }

  /** Those that began before a moment, in the order in which they begin. */
  begunBefore(nowMs: number): readonly Trouble[] {
    this.#plan(nowMs);
    return this.#planted.filter(({ fromMs }) => fromMs < nowMs);
  }

  /** Place of a trouble in that order. */
  indexOf(trouble: Trouble): number {
    return this.#planted.indexOf(trouble);
  }

  #plan(untilMs: number): void {
    while (this.#draw !== undefined && this.#plannedUntilMs <= untilMs) {
      this.#planted.push(this.#draw(this.#plannedUntilMs));
      this.#plannedUntilMs += this.#periodMs;
    }
  }
}

function isOn({ cdn, pop, asn }: Trouble, route: Route): boolean {
  if (cdn !== '' && cdn !== route.cdn.id) return false;
  if (pop !== '' && pop !== route.pop.name) return false;
  return asn === 0 || asn === route.asn;
}

function draw(random: Random, { cdns }: Delivery, periodFromMs: number, periodMs: number): Trouble {
  const { id, pops } = random.weighted(weighed(cdns));
  const pop = random.chance(WHOLE_CDN_SHARE) ? '' : (pops[random.below(pops.length)]?.name ?? '');
  const fromMs = Math.round(periodFromMs + periodMs * random.between(0.3, 0.5));
  const untilMs = Math.round(fromMs + periodMs * random.between(0.2, 0.4));
  const strength = random.fraction();
  const slow = Math.round(300 + 1_500 * strength);
  const place = { ...HARMLESS, cdn: id, pop, fromMs, untilMs };
  const kinds: readonly [Trouble, Trouble, Trouble] = [
    { ...place, kind: 'errors', errorShare: 0.3 + 0.4 * strength },
    { ...place, kind: 'slow', addedMs: slow, rateShare: 0.15 + 0.2 * strength },
    { ...place, kind: 'origin_slow', addedMs: Math.round(2_000 + 3_000 * strength) },
  ];
  return kinds[random.below(kinds.length)] ?? kinds[0];
}

/** The more viewers a CDN is given, the more often it is the one. */
function weighed([first, ...others]: Delivery['cdns']) {
  const weigh = (cdn: typeof first) => ({ ...cdn, weight: cdn.share.base });
  return [weigh(first), ...others.map(weigh)] as const;
}
