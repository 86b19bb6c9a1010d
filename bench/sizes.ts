/** How much each stage does: enough to be steady, or, for a quick run, enough to see that it works. */

export interface Sizes {
  /** Measured repetitions of each variant, after one that is not measured. */
  readonly repetitions: number;
  /** Views at the same time, and simulated time, of the load that is decoded and folded. */
  readonly foldViewers: number;
  readonly foldMs: number;
  /** Bodies of ten beats that ingest alone gets in a repetition. */
  readonly ingestBodies: number;
  /** Records that the log alone gets in a repetition. */
  readonly logRecords: number;
  /** Rows that the store alone gets in a repetition, rounded up to whole inserts. */
  readonly storeRows: number;
  /** Views at the same time, and simulated time, of the load that goes through the whole. */
  readonly wholeViewers: number;
  readonly wholeMs: number;
  readonly wholeRepetitions: number;
  /** Viewers in real time, and for how long. */
  readonly freshnessViewers: number;
  readonly freshnessMs: number;
  /** Views held when the process is killed, beats a second over all of them, and how long they come before. */
  readonly recoveryViews: number;
  readonly recoveryBeatsPerSecond: number;
  readonly recoverySteadyMs: number;
  /** Views that are asked about. */
  readonly queryViews: number;
}

export const FULL: Sizes = {
  repetitions: 5,
  foldViewers: 10_000,
  foldMs: 60_000,
  ingestBodies: 1_000,
  logRecords: 40_000,
  storeRows: 80_000,
  wholeViewers: 4_000,
  wholeMs: 60_000,
  wholeRepetitions: 3,
  freshnessViewers: 2_000,
  freshnessMs: 60_000,
  recoveryViews: 200_000,
  recoveryBeatsPerSecond: 2_000,
  // Each partition has saved a state that holds every view by then.
  recoverySteadyMs: 75_000,
  queryViews: 10_000_000,
};

export const QUICK: Sizes = {
  repetitions: 2,
  foldViewers: 200,
  foldMs: 40_000,
  ingestBodies: 30,
  logRecords: 2_000,
  storeRows: 5_000,
  wholeViewers: 60,
  wholeMs: 40_000,
  wholeRepetitions: 1,
  freshnessViewers: 50,
  freshnessMs: 9_000,
  recoveryViews: 500,
  recoveryBeatsPerSecond: 100,
  recoverySteadyMs: 4_000,
  queryViews: 30_000,
};
