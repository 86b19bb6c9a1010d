/** What a seed decides before anything runs: the shape of the world and the faults that will meet it. */
import { T0 } from '../../support/beats.ts';
import type { CrashMoment } from './incarnation.ts';
import type { Random } from './random.ts';

/** When one life of the process ends: at a call by number, at a call of a kind, or after a while. */
export type CrashPoint =
  | { readonly calls: number; readonly moment: CrashMoment }
  | { readonly name: string; readonly nth: number; readonly moment: CrashMoment }
  | { readonly afterMs: number };

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The log's clock stands still in the span, or is behind by so much. */
export interface ClockStep extends Span {
  readonly backMs: number;
  readonly still: boolean;
}

/** Probabilities of a fault, for each call of a kind. */
export interface Intensity {
  readonly inserts: number;
  readonly queries: number;
  readonly appends: number;
  readonly network: number;
  readonly corruption: number;
  readonly slow: number;
}

export interface SettingsChange {
  readonly atMs: number;
  readonly values: Readonly<Record<string, number>>;
  /** Written into the log by somebody else; otherwise the operator's wish at the next start. */
  readonly inLog: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly partitions: number;
  /** The engines live in the process: its crash is theirs. */
  readonly embedded: boolean;
  readonly unitMs: number;
  readonly startMs: number;
  /** Until then players watch. */
  readonly quietMs: number;
  /** From then on nothing fails any more. */
  readonly healMs: number;
  readonly settings: Readonly<Record<string, number>>;
  /** They stand at the head of the log; otherwise beats may come before they are announced. */
  readonly settingsFirst: boolean;
  readonly changes: readonly SettingsChange[];
  readonly checkpointMs: number;
  readonly checkpointEventsMax: number;
  readonly intensity: Intensity;
  readonly storeOutages: readonly Span[];
  readonly logOutages: readonly Span[];
  readonly clockSteps: readonly ClockStep[];
  readonly offsetGaps: boolean;
  readonly crashes: readonly CrashPoint[];
  readonly engineCrashesMs: readonly number[];
  readonly stopsMs: readonly number[];
  /** Old records leave the log while it runs. */
  readonly retention: boolean;
  readonly forgetsMs: readonly number[];
  readonly views: number;
}

/** Kinds of calls at which a crash is worth most. */
const CRASH_TARGETS = [
  'store.insertRows',
  'store.insertCommit',
  'store.countRows',
  'store.deleteRows',
  'store.stopInserts',
  'store.lastCommit',
  'checkpoints.insertChunk',
  'checkpoints.drop',
  'checkpoints.list',
  'checkpoints.readChunk',
  'log.append',
  'forgets.purge',
] as const;

export function planOf(seed: number, root: Random): Plan {
  const random = root.fork('plan');
  const unitMs = random.pick([50, 100, 200]);
  const activeMs = unitMs * random.int(40, 75);
  const startMs = T0 - random.int(0, activeMs);
  const quietMs = startMs + activeMs;
  const embedded = random.chance(0.5);
  const stormy = !random.chance(0.1);
  const retention = random.chance(0.2);
  const span = { fromMs: startMs, toMs: quietMs };
  const settingsFirst = random.chance(0.9);
  return {
    seed,
    partitions: random.chance(0.3) ? 2 : 1,
    embedded,
    unitMs,
    startMs,
    quietMs,
    healMs: quietMs + unitMs * random.int(0, 20),
    settings: settingsOf(random, unitMs),
    settingsFirst,
    changes: changesOf(random, unitMs, span),
    checkpointMs: unitMs * random.int(5, 25),
    checkpointEventsMax: random.pick([10, 40, 1_000_000]),
    intensity: intensityOf(random, stormy, retention),
    storeOutages: spans(random, random.int(0, 2), span, unitMs * 15),
    logOutages: spans(random, random.int(0, 1), span, unitMs * 10),
    clockSteps: clockStepsOf(random, unitMs, span),
    offsetGaps: random.chance(0.5),
    crashes: times(random.int(0, 6), () => crashPointOf(random, unitMs)),
    engineCrashesMs: embedded ? [] : times(random.int(0, 2), () => within(random, span)),
    stopsMs: times(random.int(0, 2), () => within(random, span)),
    retention,
    forgetsMs: times(random.chance(0.3) ? 1 : 0, () => within(random, span)),
    views: random.int(3, 6),
  };
}

function settingsOf(random: Random, unitMs: number): Record<string, number> {
  return {
    epochMs: unitMs * random.int(2, 5),
    epochRecordsMax: random.pick([4, 12, 10_000]),
    reorderMs: unitMs * random.int(3, 8),
    viewTimeoutMs: unitMs * random.int(12, 18),
    pausedTimeoutMs: unitMs * random.int(14, 20),
    gapMs: unitMs * random.int(6, 12),
    reopenMs: unitMs * random.int(8, 14),
    silentMs: unitMs * random.int(5, 9),
  };
}

function changesOf(random: Random, unitMs: number, span: Span): SettingsChange[] {
  return times(random.chance(0.4) ? random.int(1, 2) : 0, () => ({
    atMs: within(random, span),
    values: { epochMs: unitMs * random.int(2, 5), reorderMs: unitMs * random.int(3, 8) },
    inLog: random.chance(0.4),
  }));
}

function intensityOf(random: Random, stormy: boolean, retention: boolean): Intensity {
  const level = (): number => (stormy ? random.pick([0, 0.02, 0.08, 0.25, 0.5]) : 0);
  return {
    inserts: level(),
    queries: level() / 3,
    appends: level(),
    network: level(),
    // With both, no whole checkpoint might be left where the log begins: nobody could recover.
    corruption: retention ? 0 : level() / 3,
    slow: random.pick([0, 0.01, 0.05]),
  };
}

function clockStepsOf(random: Random, unitMs: number, span: Span): ClockStep[] {
  return spans(random, random.int(0, 2), span, unitMs * 20).map((step) => ({
    ...step,
    backMs: unitMs * random.int(1, 12),
    still: random.chance(0.4),
  }));
}

function crashPointOf(random: Random, unitMs: number): CrashPoint {
  const moment: CrashMoment = random.chance(0.5) ? 'before' : 'after';
  const kind = random.weighted({ calls: 4, target: 5, time: 1 });
  if (kind === 'calls') return { calls: random.size(1, 400), moment };
  if (kind === 'time') return { afterMs: unitMs * random.int(1, 30) };
  return { name: random.pick(CRASH_TARGETS), nth: random.size(1, 12), moment };
}

function spans(random: Random, count: number, within: Span, lengthMax: number): Span[] {
  return times(count, () => {
    const fromMs = random.int(within.fromMs, within.toMs);
    return { fromMs, toMs: fromMs + random.int(1, lengthMax) };
  });
}

function within(random: Random, { fromMs, toMs }: Span): number {
  return random.int(fromMs, toMs);
}

function times<Item>(count: number, make: () => Item): Item[] {
  return Array.from({ length: count }, make);
}
