/**
 * The fate of each call: drawn when it is made, by the seed's intensities. Fates are what a network, an engine and a
 * crash can do to a call and its answer; after the plan's `healMs` every call does what it says, and soon.
 */
import { LogError } from '../../../platform/log/log.ts';
import { StoreError } from '../../../platform/store/store.ts';
import type { Counters } from './counters.ts';
import type { Plan, Span } from './plan.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * refused: nothing of it happens. ackLost: all of it happens, its caller is told that it failed. torn: a part of it
 * happens, then it fails. short: a part of it happens, its caller is told that it was all. givenUp: its caller is told
 * that it failed while it goes on. delayed: the same, but the engine does not even know of it yet. hangs: no answer,
 * ever.
 */
export type InsertFate = 'done' | keyof typeof INSERT_FATES;
export type QueryFate = 'done' | 'refused' | 'ackLost' | 'hangs';
export type AppendFate = 'done' | 'refused' | 'ackLost' | 'delayed';

const INSERT_FATES = {
  refused: 3,
  ackLost: 4,
  torn: 3,
  short: 1,
  givenUp: 3,
  delayed: 2,
  hangs: 1,
} as const;
const QUERY_FATES = { refused: 6, ackLost: 3, hangs: 1 } as const;
const APPEND_FATES = { refused: 3, ackLost: 4, delayed: 2 } as const;

export class Faults {
  readonly plan: Plan;
  readonly counters: Counters;
  readonly random: Random;
  readonly #scheduler: Scheduler;

  constructor(plan: Plan, random: Random, scheduler: Scheduler, counters: Counters) {
    this.plan = plan;
    this.random = random.fork('faults');
    this.#scheduler = scheduler;
    this.counters = counters;
  }

  /** Faults still happen. */
  get active(): boolean {
    return this.#scheduler.nowMs < this.plan.healMs;
  }

  get storeIsDown(): boolean {
    return this.active && this.#isIn(this.plan.storeOutages);
  }

  get logIsDown(): boolean {
    return this.active && this.#isIn(this.plan.logOutages);
  }

  /** How long a transaction of the log stays open, ms. */
  flushMs(): number {
    if (!this.active) return this.random.int(1, 8);
    return this.random.chance(0.1) ? this.random.size(20, 500) : this.random.size(1, 40);
  }

  /** How long something on a wire or in an engine takes, ms. */
  latencyMs(): number {
    if (this.happens(this.plan.intensity.slow)) return this.random.size(50, 2_000);
    return this.random.int(0, 8);
  }

  /** How long something that nobody waits for any more goes on, ms. */
  afterlifeMs(): number {
    return this.active ? this.random.size(5, 40 * this.plan.unitMs) : this.latencyMs();
  }

  happens(probability: number): boolean {
    return this.active && probability > 0 && this.random.chance(probability);
  }

  /** `isOnePart`: no part of it can stay away while the rest is there. */
  insert(isOnePart = false): InsertFate {
    if (!this.happens(this.plan.intensity.inserts)) return 'done';
    const fate = this.random.weighted(INSERT_FATES);
    return isOnePart && fate === 'short' ? 'refused' : fate;
  }

  query(): QueryFate {
    if (!this.happens(this.plan.intensity.queries)) return 'done';
    return this.random.weighted(QUERY_FATES);
  }

  append(): AppendFate {
    if (!this.happens(this.plan.intensity.appends)) return 'done';
    return this.random.weighted(APPEND_FATES);
  }

  storeError(): StoreError {
    const code = this.random.pick(['store_unavailable', 'store_insert_failed'] as const);
    return new StoreError(code, 'an injected failure');
  }

  logError(): LogError {
    return new LogError('log_unavailable', 'an injected failure');
  }

  /** What the log's clock says. */
  logTimeMs(): number {
    const { nowMs } = this.#scheduler;
    for (const { fromMs, toMs, backMs, still } of this.plan.clockSteps) {
      if (nowMs < fromMs || nowMs >= toMs) continue;
      this.counters.clockSteps++;
      return still ? fromMs : nowMs - backMs;
    }
    return nowMs;
  }

  #isIn(spans: readonly Span[]): boolean {
    const { nowMs } = this.#scheduler;
    return spans.some(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs);
  }
}
