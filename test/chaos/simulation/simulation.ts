/**
 * One seed, from its plan to the verdict. The same seed and options give the same run, call by call.
 */
import { defaultFoldSettings } from '../../../processors/settings.ts';
import { checkAll } from './checks.ts';
import { Client } from './clients.ts';
import type { Counters } from './counters.ts';
import { type Plan, planOf } from './plan.ts';
import { viewsOf } from './players.ts';
import { Random } from './random.ts';
import { Senders } from './senders.ts';
import type { Tampering } from './shell-life.ts';
import { type Trace, World } from './world.ts';

export interface SimulationOptions {
  /** Takes a safeguard away. */
  readonly tampering?: Tampering;
  /** Changes what the seed planned. */
  readonly replan?: (plan: Plan) => Plan;
  /** Is told what happens, line by line. */
  readonly trace?: Trace;
}

export interface SimulationReport {
  readonly seed: number;
  /** What does not hold; empty when all is well. */
  readonly failures: readonly string[];
  readonly counters: Counters;
  /** Calls of models that each life of the process made. */
  readonly calls: readonly number[];
}

/** Virtual time after which a run that is not over never will be, ms. */
const PATIENCE_MS = 300_000;

export async function simulate(
  seed: number,
  options: SimulationOptions = {},
): Promise<SimulationReport> {
  const random = new Random(seed);
  const drawn = planOf(seed, random);
  const plan = options.replan?.(drawn) ?? drawn;
  const { tampering = {}, trace } = options;
  const world = new World({ plan, random, tampering, trace });
  const failures = await collectingRejections(() => run(world, random));
  const { counters, calls } = world;
  return { seed, failures, counters, calls };
}

async function run(world: World, random: Random): Promise<string[]> {
  const { plan, scheduler, faults, log } = world;
  const scripts = viewsOf(plan, random);
  const isReachable = (): boolean => !plan.embedded || world.isUp;
  const deps = { scheduler, faults, log, isReachable };
  const clients = scripts.map((view) => new Client(view, deps));
  const senders = new Senders({ ...deps, random: random.fork('senders') }, scripts);
  const isDelivered = (): boolean =>
    scheduler.nowMs >= plan.healMs && clients.every(({ isDone }) => isDone) && senders.isDone;
  try {
    world.begin();
    await runToEnd(world, isDelivered);
    return checkAll(world, clients, senders);
  } catch (error) {
    return [...world.failures, error instanceof Error ? error.message : String(error)];
  }
}

/** Through the faults, on until every view is over, and to a clean stop. */
async function runToEnd(world: World, isDelivered: () => boolean): Promise<void> {
  const { plan, scheduler, engine } = world;
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    const deadlineMs = plan.healMs + PATIENCE_MS;
    await scheduler.run(() => holds() || scheduler.nowMs > deadlineMs);
    if (!holds()) throw new Error(`it never comes about that ${what}`);
  };
  await until('everything is delivered', isDelivered);
  const quietMs = scheduler.nowMs + quietOf(plan);
  await until('all is committed', () => world.isSteady && world.isCommittedTo(quietMs));
  world.stop(true);
  await until('it has stopped', () => world.isStopped && engine.running.size === 0);
}

/** Until the last view has timed out, ms. */
function quietOf({ settings, settingsFirst, unitMs }: Plan): number {
  const { pausedTimeoutMs = 0, viewTimeoutMs = 0 } = settings;
  // What came before the settings waits as long as the defaults say, to be ordered and then to be placed.
  const firstMs = settingsFirst ? 0 : 2 * defaultFoldSettings.reorderMs;
  return Math.max(pausedTimeoutMs, viewTimeoutMs) + 14 * unitMs + firstMs;
}

/** Rejections that nobody handles are failures of the run, and of nothing else that watches the process. */
async function collectingRejections(work: () => Promise<string[]>): Promise<string[]> {
  const others = process.rawListeners('unhandledRejection');
  const unhandled: string[] = [];
  const collect = (reason: unknown): void => {
    unhandled.push(`nobody handled: ${String(reason)}`);
  };
  // Thousands of injected failures: nobody looks at where they were made.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', collect);
  try {
    const failures = await work();
    await new Promise((resolve) => setImmediate(resolve));
    return [...failures, ...unhandled];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off('unhandledRejection', collect);
    for (const other of others) {
      process.on('unhandledRejection', other as NodeJS.UnhandledRejectionListener);
    }
  }
}
