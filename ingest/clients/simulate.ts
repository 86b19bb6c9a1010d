/**
 * Plays a simulation against a running ingest.
 *
 * Guarantees: nothing is sent before its moment; when the server is slow the simulation waits, with a bounded queue,
 * and catches up; when it ends, by its length or by the signal, every viewer leaves with a word and all is sent before
 * this resolves. What is true comes from the players, what became of the messages from the server's answers.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type SimulatePlan, startAtMs } from './simulate-options.ts';
import {
  createSimulateSender,
  type SimulateCounts,
  type SimulateKind,
  type SimulateSender,
  type SimulateSenderLimits,
  simulateSenderLimits,
} from './simulate-sender.ts';
import type { SimulationItem } from './simulation/reports.ts';
import { CMCD_SHARE, Simulation } from './simulation/simulation.ts';
import type { Truth } from './simulation/truth.ts';

/** What arises within this goes out together, ms. */
const TICK_MS = 100;
/** The simulation advances by at most this at once, ms, so that a backlog is sent in pieces. */
const STEP_MS_MAX = 1_000;

/** Time as the pace of a simulation sees it. */
export interface SimulateClock {
  /** Milliseconds since any fixed moment; never steps back. */
  nowMs(): number;
  /** Wall clock, ms since 1970. */
  wallMs(): number;
  /** Resolves after some milliseconds, or when the signal is aborted. */
  wait(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

export const simulateSystemClock: SimulateClock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  wait: (ms, signal) =>
    sleep(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    }),
};

export interface SimulateOptions {
  readonly plan: SimulatePlan;
  /** Share of viewers that speak CMCD. */
  readonly cmcdShare?: number | undefined;
  readonly onProgress?: ((progress: SimulateProgress) => void) | undefined;
  /** Ends the simulation early, as if its time were over. */
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<SimulateSenderLimits> | undefined;
  readonly clock?: SimulateClock | undefined;
}

export interface SimulateProgress {
  /** Simulated time, ms. */
  readonly simulatedMs: number;
  readonly viewers: number;
  readonly viewsClosed: number;
  /** How far the simulation lags behind its pace because of the server, ms. */
  readonly behindMs: number;
  readonly counts: Readonly<Record<SimulateKind, SimulateCounts>>;
}

export interface SimulateResult {
  readonly truth: Truth;
  readonly counts: Readonly<Record<SimulateKind, SimulateCounts>>;
  /** The largest lag behind the pace, ms. */
  readonly behindMsMax: number;
  /** True when the signal ended it. */
  readonly stopped: boolean;
}

/**
 * Plays it to its end. Answers that refuse a body are counted, not thrown.
 * @throws SimulateError when no ingest answers, or it refuses the key.
 */
export async function simulate(options: SimulateOptions): Promise<SimulateResult> {
  const { plan, signal } = options;
  const clock = options.clock ?? simulateSystemClock;
  const simulation = new Simulation({
    ...plan,
    startAtMs: startAtMs(plan, clock.wallMs()),
    cmcdShare: options.cmcdShare ?? CMCD_SHARE,
    keepsViews: plan.truthFile !== undefined,
  });
  const limits = { ...simulateSenderLimits, ...options.limits };
  const sender = createSimulateSender({ url: plan.url, key: plan.key, limits });
  const behindMsMax = await run({ options, simulation, sender, clock });
  send(sender, simulation.finish());
  await sender.drained();
  return {
    truth: simulation.truth(),
    counts: sender.counts,
    behindMsMax,
    stopped: signal?.aborted ?? false,
  };
}

interface Playing {
  readonly options: SimulateOptions;
  readonly simulation: Simulation;
  readonly sender: SimulateSender;
  readonly clock: SimulateClock;
}

/** Advances the simulation at its pace; returns the largest lag, ms. */
async function run({ options, simulation, sender, clock }: Playing): Promise<number> {
  const { plan, signal, onProgress } = options;
  const startedMs = clock.nowMs();
  let behindMsMax = 0;
  while (simulation.nowMs < plan.durationMs && !signal?.aborted) {
    const wantedMs = paceMs(plan, clock.nowMs() - startedMs, simulation.nowMs);
    const toMs = Math.min(wantedMs, simulation.nowMs + STEP_MS_MAX * Math.max(1, paced(plan)));
    send(sender, simulation.advance(Math.floor(toMs)));
    const behindMs = Math.floor(wantedMs - toMs);
    behindMsMax = Math.max(behindMsMax, behindMs);
    const { nowMs, active, viewsClosed } = simulation;
    const { counts } = sender;
    onProgress?.({ simulatedMs: nowMs, viewers: active, viewsClosed, behindMs, counts });
    await sender.room();
    if (plan.speed === Number.POSITIVE_INFINITY || behindMs > 0) await nextTurn();
    else await clock.wait(TICK_MS, signal);
  }
  return behindMsMax;
}

/** Where the simulation should be, ms. */
function paceMs({ speed, durationMs }: SimulatePlan, passedMs: number, nowMs: number): number {
  const wantedMs = speed === Number.POSITIVE_INFINITY ? nowMs + STEP_MS_MAX : passedMs * speed;
  return Math.min(durationMs, Math.max(nowMs, wantedMs));
}

/** By how much a step may be longer than at real time. */
function paced({ speed }: SimulatePlan): number {
  return Number.isFinite(speed) ? speed : 1;
}

function send(sender: SimulateSender, items: readonly SimulationItem[]): void {
  for (const item of items) sender.offer(item);
  sender.flush();
}
