/**
 * How many runs, and from which seed: fixed in the test suite, so that a failure is there again; other for a campaign.
 */
import type fc from 'fast-check';

/** `STREAMGAUGE_FUZZ_RUNS` times as many runs as the suite has. */
const TIMES = wholeOf(process.env.STREAMGAUGE_FUZZ_RUNS, 1);
const SEED = wholeOf(process.env.STREAMGAUGE_FUZZ_SEED, 20_261_122);

/** Of a campaign a test lasts as many times longer; without one this ends what hangs. */
export const RUNS_TIMEOUT_MS = 120_000 * TIMES;

/** The parameters of `fc.assert`. */
export function runs(numRuns: number): fc.Parameters<unknown> {
  return { seed: SEED, numRuns: numRuns * TIMES, interruptAfterTimeLimit: RUNS_TIMEOUT_MS };
}

function wholeOf(text: string | undefined, standard: number): number {
  const value = Number(text ?? '');
  return Number.isSafeInteger(value) && value > 0 ? value : standard;
}
