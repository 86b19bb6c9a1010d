/** Reads for the stream: commits, counts and bitrates, through the query runner's limits. */
import type { IntervalMetric } from '../../schemas/catalogue/interval-metrics.ts';
import { findIntervalMetric } from '../../schemas/catalogue/interval-metrics.ts';
import type { IntervalSeriesRow } from '../planner/monitoring.ts';
import { planIntervalSeries } from '../planner/monitoring.ts';
import {
  type Commit,
  type CountsRow,
  type HeadRow,
  planCommitsAfter,
  planEpochCounts,
  planHeads,
} from '../planner/monitoring-stream.ts';
import type { QueryRunner } from '../query-runner.ts';
import type { Epochs } from './resume-token.ts';
import type { Bitrates, CountsOf } from './stream-messages.ts';
import { countsFinder } from './stream-messages.ts';
import { WINDOW_MS } from './windows.ts';

export interface StreamReader {
  heads(): Promise<readonly HeadRow[]>;
  commitsAfter(topic: string, known: Epochs, limit: number): Promise<readonly Commit[]>;
  counts(project: string, commits: readonly Commit[]): Promise<CountsOf>;
  /** Average bitrate of the windows from one to another, both included. */
  bitrates(project: string, fromMs: number, toMs: number): Promise<Bitrates>;
}

function catalogued(id: string): IntervalMetric {
  const metric = findIntervalMetric(id);
  if (metric === undefined) throw new Error(`the catalogue has no ${id}`);
  return metric;
}

const bitrate = catalogued('current-average-bitrate');

export function createStreamReader(runner: QueryRunner, signal: AbortSignal): StreamReader {
  return {
    heads: () => runner.run<HeadRow>(planHeads(), signal),
    commitsAfter: (topic, known, limit) =>
      runner.run<Commit>(planCommitsAfter(topic, known, limit), signal),
    counts: async (project, commits) => {
      if (commits.length === 0) return countsFinder([]);
      return countsFinder(await runner.run<CountsRow>(planEpochCounts(project, commits), signal));
    },
    bitrates: async (project, fromMs, toMs) => {
      const frame = { fromMs, toMs: toMs + WINDOW_MS };
      const scope = { project, frame, filters: [], gauge: undefined };
      const plan = planIntervalSeries(bitrate, scope, WINDOW_MS);
      const rows = await runner.run<IntervalSeriesRow>(plan, signal);
      return new Map(rows.map((row) => [row.bucket, row.value]));
    },
  };
}
