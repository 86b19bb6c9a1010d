/** The product's own synthetic viewers as a load, and what they know to be true against the API. */

import {
  type SimulateProgress,
  type SimulateResult,
  simulate,
} from '../../../ingest/clients/simulate.ts';
import { readSimulateArgs } from '../../../ingest/clients/simulate-options.ts';
import { simulateKinds } from '../../../ingest/clients/simulate-sender.ts';
import type { Truth } from '../../../ingest/clients/simulation/truth.ts';
import type { Comparison } from './comparison.ts';
import type { Questions } from './questions.ts';

/** Retries that outlast any restart, and end some time after a run that broke off. */
const PATIENT = { attemptsMax: 1_000, backoffMsMin: 50, backoffMsMax: 500, retryAfterMsMax: 500 };

export interface SyntheticLoad {
  /** Resolves with the first answer: until then an address that refuses is taken for a wrong one. */
  readonly reached: Promise<void>;
  /** Every viewer leaves; resolves when all that they said is taken. */
  stop(): Promise<SimulateResult>;
}

export interface SyntheticOptions {
  readonly url: string;
  readonly key: string;
  readonly seed: number;
  readonly viewers: number;
  readonly onError: (error: Error) => void;
}

/** Begins at once; the program must be listening. */
export function startSyntheticLoad(options: SyntheticOptions): SyntheticLoad {
  const { url, key, seed, viewers, onError } = options;
  const stopping = new AbortController();
  const plan = readSimulateArgs({ url, key, seed, viewers });
  let tellReached = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    tellReached = resolve;
  });
  const onProgress = ({ counts }: SimulateProgress): void => {
    if (simulateKinds.some((kind) => counts[kind].bodies > 0)) tellReached();
  };
  const running = simulate({ plan, signal: stopping.signal, limits: PATIENT, onProgress });
  running.catch((error: unknown) =>
    onError(error instanceof Error ? error : new Error(`${error}`)),
  );
  return {
    reached,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

/** What the server said it took must be all that was sent. */
export function checkAnswers({ counts }: SimulateResult, comparison: Comparison): void {
  for (const kind of simulateKinds) {
    const { reports, accepted, rejected, failedReports, skipped } = counts[kind];
    comparison.equal(`accepted ${kind} reports of the synthetic viewers`, reports, accepted);
    const refused = rejected + failedReports + skipped;
    comparison.equal(`refused ${kind} reports of the synthetic viewers`, 0, refused);
  }
}

export async function checkTruth(
  truth: Truth,
  { ask, overall }: Questions,
  comparison: Comparison,
): Promise<void> {
  const { sums, outcomes, views, started } = truth;
  const dropped = (outcomes.dropped ?? 0) / started;
  const facts: readonly (readonly [string, number, string])[] = [
    ['views', views, ''],
    ['ended_views', views, ''],
    ['started_views', started, ''],
    ['unique_viewers', truth.unique_viewers, ''],
    ['playing_time', sums.playing_ms, ''],
    ['rebuffer_duration', sums.rebuffer_ms, 'measurement=sum'],
    ['rebuffer_count', sums.rebuffer_count, 'measurement=sum'],
    ['video_startup_time', sums.startup_ms, 'measurement=sum'],
    ['report_completeness', 1, ''],
  ];
  for (const [metric, expected, query] of facts) {
    comparison.equal(`${metric} of the synthetic viewers`, expected, await overall(metric, query));
  }
  if (started > 0) {
    const found = await overall('view_dropped_percentage');
    comparison.equal(
      'dropped synthetic viewers',
      Math.round(dropped * 1e9),
      Math.round(found * 1e9),
    );
  }
  const { data } = await ask<{ data: { field: string; value: number }[] }>(
    '/metrics/playing_time/breakdown?group_by=cdn&limit=100',
  );
  const byCdn = Object.entries(truth.by_cdn).map(([cdn, { playing_ms }]) => [cdn, playing_ms]);
  const found = data.map(({ field, value }) => [field, value]);
  comparison.equal('playing time by cdn', byCdn.sort(), found.sort());
}
