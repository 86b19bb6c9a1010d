/**
 * The whole pipeline under faults: the real shell and fold on models of log, store, network and time, each run decided by
 * one number. What a run proves, and what not, stands in README.md.
 */
import { describe, expect, it } from 'vitest';
import { addCounters, newCounters } from './simulation/counters.ts';
import type { CrashMoment } from './simulation/incarnation.ts';
import type { CrashPoint } from './simulation/plan.ts';
import { type SimulationReport, simulate } from './simulation/simulation.ts';
import { quietPlan } from './simulation/sweep.ts';

const SEEDS = 3_000;
/** Only ends what hangs, on a machine however busy. */
const PATIENCE_MS = 1_800_000;
const SWEEP_SEED = 7;
const MOMENTS: readonly CrashMoment[] = ['before', 'after'];

/** What failed, and how to see it again. */
function verdictOf({ seed, failures }: SimulationReport): string[] {
  if (failures.length === 0) return [];
  return [`seed ${seed}: npx tsx test/chaos/simulation/main.ts ${seed} 1`, ...failures];
}

/** A quiet world in which the process dies as told, and nothing else goes wrong. */
function simulateCrashes(crashes: readonly CrashPoint[], embedded: boolean) {
  return simulate(SWEEP_SEED, { replan: quietPlan(crashes, embedded) });
}

describe('the pipeline under faults', () => {
  it(
    'concludes what a straight fold of the log concludes, each accepted event once, for every seed',
    async () => {
      const counters = newCounters();
      for (let seed = 1; seed <= SEEDS; seed++) {
        const report = await simulate(seed);
        expect(verdictOf(report)).toEqual([]);
        addCounters(counters, report.counters);
      }
      const told = Object.entries(counters).map(([name, count]) => `${name} ${count}`);
      process.stdout.write(`${SEEDS} seeds: ${told.join(', ')}\n`);
      const never = Object.entries(counters).filter(([, count]) => count === 0);
      expect(never, 'faults that never happened').toEqual([]);
    },
    PATIENCE_MS,
  );

  it('gives the same run for the same seed', async () => {
    const [one, other] = [await traceOf(11), await traceOf(11)];
    expect(one.length).toBeGreaterThan(20);
    expect(other).toEqual(one);
    expect(await traceOf(12)).not.toEqual(one);
  });
});

async function traceOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await simulate(seed, { trace: (line) => lines.push(line) });
  return lines;
}

describe.each([
  ['with the engines in its process', true],
  ['with engines of their own', false],
])('a process %s', (_, embedded) => {
  it(
    'may die at each of its calls',
    async () => {
      const { calls, failures } = await simulateCrashes([], embedded);
      expect(failures).toEqual([]);
      const last = calls[0] ?? 0;
      expect(last).toBeGreaterThan(200);
      for (let call = 1; call <= last; call++) {
        for (const moment of MOMENTS) {
          const report = await simulateCrashes([{ calls: call, moment }], embedded);
          expect(verdictOf(report), `call ${call}, ${moment}`).toEqual([]);
        }
      }
    },
    PATIENCE_MS,
  );

  it(
    'may die at each call of its recovery, and again in the next',
    async () => {
      const first: CrashPoint = { name: 'store.insertCommit', nth: 6, moment: 'after' };
      for (let call = 1; call <= 60; call++) {
        for (const moment of MOMENTS) {
          const crashes = [first, { calls: call, moment }, { calls: call, moment }];
          const report = await simulateCrashes(crashes, embedded);
          expect(verdictOf(report), `call ${call}, ${moment}`).toEqual([]);
        }
      }
    },
    PATIENCE_MS,
  );
});
