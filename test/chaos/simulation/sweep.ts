/** Small worlds in which nothing happens but what the test says: to let a process die at every one of its calls. */
import type { CrashPoint, Plan } from './plan.ts';

/** A seed's world made small and quiet, with these crashes alone. */
export function quietPlan(crashes: readonly CrashPoint[], embedded: boolean): (plan: Plan) => Plan {
  return (plan) => ({
    ...plan,
    partitions: 1,
    embedded,
    views: 2,
    quietMs: plan.startMs + 15 * plan.unitMs,
    // No fault but the crashes is drawn, so that they may happen until the end.
    healMs: plan.startMs + 30 * plan.unitMs,
    settingsFirst: true,
    changes: [],
    intensity: { inserts: 0, queries: 0, appends: 0, network: 0, corruption: 0, slow: 0 },
    storeOutages: [],
    logOutages: [],
    clockSteps: [],
    crashes,
    engineCrashesMs: [],
    stopsMs: [],
    retention: false,
    forgetsMs: [],
  });
}
