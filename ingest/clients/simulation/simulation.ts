/**
 * A simulation: viewers who come, watch and go, and the edges that serve them, as a stream of what would be sent.
 *
 * Guarantee: pure and seeded. The same options give the same stream to the byte, however far it is advanced at once and
 * whatever the time of day; another `startAtMs` moves the timestamps and changes the views' ids, so that two runs of
 * one seed never meet under one id, and changes nothing else. Items come in order of `atMs`, and those of one origin in
 * the order in which they must arrive.
 *
 * Places: each holds one viewer after the other, so that about as many watch at any time as there are places. A storm
 * has places of its own, each for one viewer of the first live channel.
 */
import { Assets } from './assets.ts';
import type { CdnProfiles } from './cdn-profile.ts';
import { CmcdReports } from './cmcd-reports.ts';
import { Delivery } from './delivery.ts';
import { EdgeLog } from './edge-log.ts';
import { EventQueue } from './event-queue.ts';
import { drawHabits } from './habits.ts';
import { NativeReports } from './native-reports.ts';
import { viewingOf, type World } from './player-of.ts';
import { mix, mixFraction, Random } from './random.ts';
import type { Emit, PlayerView, SimulationItem } from './reports.ts';
import { type Trouble, Troubles } from './troubles.ts';
import { type Truth, TruthTotals } from './truth.ts';
import type { Viewing } from './viewing.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Viewers at the same time. */
  readonly viewers: number;
  /** The simulated clock at the start, ms since 1970. */
  readonly startAtMs: number;
  /** Length, ms; infinite without end. It spaces the troubles; the caller ends the views with `finish`. */
  readonly durationMs: number;
  readonly storm?: Storm | undefined;
  /** Share of viewers that speak CMCD. */
  readonly cmcdShare?: number | undefined;
  /** Keep the truth of each view. */
  readonly keepsViews?: boolean | undefined;
  /** Those of `cdn-defaults.ts` when absent. */
  readonly cdns?: CdnProfiles | undefined;
  /** Instead of those that the seed plants. */
  readonly troubles?: readonly Trouble[] | undefined;
}

/** Live viewers who all come within a short time. */
export interface Storm {
  readonly viewers: number;
  readonly withinMs: number;
}

export const CMCD_SHARE = 0.2;
/** The first viewers come within this, ms; a storm begins after it. */
export const RAMP_MS = 10_000;
/** Mean time until someone else takes a place that was left, ms. */
const VACANT_MEAN_MS = 1_000;
/** Ids of people, for each place: some come back. */
const USER_IDS_PER_PLACE = 20;
/** Streams of random numbers. */
const STREAM = { place: 0x91ace, view: 0x71e3, id: 0x1d } as const;

/** Hour of the day at the start, UTC: the seed's, so that the clock changes nothing. */
export function utcHourOf(seed: number): number {
  return 24 * mixFraction(seed, STREAM.place);
}

export class Simulation {
  readonly #options: SimulationOptions;
  readonly #assets: Assets;
  readonly #world: World;
  readonly #queue = new EventQueue();
  readonly #viewings: (Viewing | undefined)[] = [];
  readonly #serials: number[] = [];
  readonly #random: Random;
  readonly #truth: TruthTotals;
  readonly #edges: EdgeLog;
  readonly #runSeed: number;
  #items: SimulationItem[] = [];
  #nowMs = 0;
  #active = 0;

  constructor(options: SimulationOptions) {
    const { seed, viewers, startAtMs, durationMs, storm } = options;
    this.#options = options;
    this.#assets = new Assets(seed);
    this.#random = new Random(seed, STREAM.place);
    this.#truth = new TruthTotals(startAtMs, options.keepsViews ?? false);
    this.#edges = new EdgeLog(startAtMs, this.#emit);
    this.#runSeed = mix(seed, mix(Math.floor(startAtMs / 2 ** 32), startAtMs));
    const delivery = new Delivery(options.cdns);
    this.#world = {
      delivery,
      troubles: new Troubles(seed, durationMs, delivery, options.troubles),
      utcHour: utcHourOf(seed),
      windows: this.#truth,
    };
    const stormFromMs = Math.min(RAMP_MS, Math.max(0, durationMs / 4));
    for (let place = 0; place < viewers; place++) this.#push(this.#random.between(0, RAMP_MS));
    for (let nth = 0; nth < (storm?.viewers ?? 0); nth++)
      this.#push(stormFromMs + this.#random.between(0, storm?.withinMs ?? 0));
  }

  /** Viewers at this moment. */
  get active(): number {
    return this.#active;
  }

  /** Views that have closed. */
  get viewsClosed(): number {
    return this.#truth.views;
  }

  /** ms since the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Goes on to a moment, ms since the start; returns what is to be sent until then. */
  advance(toMs: number): readonly SimulationItem[] {
    for (;;) {
      const nextMs = Math.min(this.#queue.nextMs, this.#edges.nextMs);
      if (nextMs > toMs) break;
      this.#nowMs = nextMs;
      if (this.#edges.nextMs <= this.#queue.nextMs) this.#edges.flushDue(nextMs);
      else this.#wake(this.#queue.nextPlace, nextMs);
    }
    this.#nowMs = Math.max(this.#nowMs, toMs);
    return this.#takeItems();
  }

  /** Ends every view with a word, now; returns the last that is to be sent. */
  finish(): readonly SimulationItem[] {
    for (const [place, viewing] of this.#viewings.entries()) {
      if (viewing === undefined) continue;
      viewing.quit(this.#nowMs);
      this.#close(place, viewing);
    }
    while (this.#queue.size > 0) this.#queue.removeNext();
    this.#edges.flush(this.#nowMs);
    return this.#takeItems();
  }

  /** What is true of the views that have closed; whole after `finish`. */
  truth(): Truth {
    return this.#truth.state({
      seed: this.#options.seed,
      nowMs: this.#nowMs,
      delivered: this.#edges.delivered,
      troubles: this.#world.troubles.begunBefore(this.#nowMs),
    });
  }

  readonly #emit: Emit = (item) => this.#items.push(item);

  #takeItems(): readonly SimulationItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #push(atMs: number): void {
    const place = this.#viewings.length;
    this.#viewings.push(undefined);
    this.#serials.push(0);
    this.#queue.push(Math.floor(atMs), place);
  }

  #wake(place: number, nowMs: number): void {
    const viewing = this.#viewings[place];
    if (viewing === undefined) {
      const born = this.#bear(place, nowMs);
      this.#viewings[place] = born;
      this.#active++;
      this.#queue.delayNext(born.nextMs);
      return;
    }
    viewing.wake(nowMs);
    if (!viewing.over) {
      this.#queue.delayNext(viewing.nextMs);
      return;
    }
    this.#close(place, viewing);
    if (place >= this.#options.viewers) this.#queue.removeNext();
    else this.#queue.delayNext(nowMs + 1 + Math.floor(this.#vacantMs(place)));
  }

  #vacantMs(place: number): number {
    const key = mix(this.#options.seed, mix(place, this.#serials[place] ?? 0));
    return -VACANT_MEAN_MS * Math.log(1 - mixFraction(key, STREAM.place));
  }

  #close(place: number, viewing: Viewing): void {
    this.#truth.take(viewing.truth(this.#options.startAtMs));
    this.#viewings[place] = undefined;
    this.#active--;
  }

  /** A viewer comes to a place. */
  #bear(place: number, nowMs: number): Viewing {
    const { seed, viewers, cmcdShare } = this.#options;
    const serial = this.#serials[place] ?? 0;
    this.#serials[place] = serial + 1;
    // `mix` of one left number never meets itself, so no two viewers share a stream, nor an id.
    const stream = (of: number, name: number): Random =>
      new Random(mix(mix(of, name), place), serial);
    const habits = drawHabits(stream(seed, STREAM.view), {
      assets: this.#assets,
      delivery: this.#world.delivery,
      cmcdShare: cmcdShare ?? CMCD_SHARE,
      userIds: Math.max(1, this.#viewings.length * USER_IDS_PER_PLACE),
      asset: place >= viewers ? this.#assets.channels[0] : undefined,
      origin: place,
      id: stream(this.#runSeed, STREAM.id).uuid(),
    });
    const { viewer, speaks } = habits;
    const Form = speaks === 'native' ? NativeReports : CmcdReports;
    const viewKey = mix(mix(mix(seed, STREAM.view), place), serial);
    let requests = 0;
    return viewingOf(
      this.#world,
      { habits, viewKey, bornMs: nowMs },
      {
        reportsOf: (player: PlayerView) =>
          new Form(viewer, player, this.#options.startAtMs, this.#emit),
        onExchange: (exchange, atMs) => this.#edges.add(exchange, viewer, requests++, atMs),
      },
    );
  }
}
