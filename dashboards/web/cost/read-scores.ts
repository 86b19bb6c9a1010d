/** The rows of the scoreboard: from the answer of cost, or without a price book from those of quality alone. */
import { type Api, ApiProblem } from '../api/client.ts';
import { type CostAsk, readCostRows } from '../api/cost.ts';
import { readDelivered, readWatched } from '../api/delivery.ts';
import type { CostDimension } from '../state/cost-route.ts';
import { rowOf, type ScoreRow, scoreRow } from './score-columns.ts';

export interface Scores {
  readonly by: CostDimension;
  readonly rows: readonly ScoreRow[];
  /** Values that there are. */
  readonly total: number;
  /** Undefined without a price book. */
  readonly currency: string | undefined;
}

type ScoreAsk = CostAsk & { readonly by: CostDimension };

export const isUnpriced = (problem: unknown): boolean =>
  problem instanceof ApiProblem && problem.code === 'prices_missing';

export async function readScores(api: Api, ask: ScoreAsk, signal: AbortSignal): Promise<Scores> {
  const { by } = ask;
  try {
    const answer = await readCostRows(api, { ...ask, quality: true }, signal);
    const bytesAll = answer.rows.reduce((sum, { bytes }) => sum + bytes, 0);
    const rows = answer.rows.map((row) => scoreRow(row, bytesAll));
    return { by, rows, total: answer.total, currency: answer.currency };
  } catch (problem) {
    if (!isUnpriced(problem)) throw problem;
    const rows = await readUnpriced(api, ask, signal);
    return { by, rows, total: rows.length, currency: undefined };
  }
}

async function readUnpriced(api: Api, ask: ScoreAsk, signal: AbortSignal): Promise<ScoreRow[]> {
  const [bytes, ttfb, hits, errors, rebuffering, startup] = await Promise.all([
    readDelivered(api, { ...ask, id: 'bytes' }, signal),
    readDelivered(api, { ...ask, id: 'ttfb' }, signal),
    readDelivered(api, { ...ask, id: 'hit_ratio' }, signal),
    readDelivered(api, { ...ask, id: 'error_percentage' }, signal),
    readWatched(api, { ...ask, id: 'rebuffer_percentage' }, signal),
    readWatched(api, { ...ask, id: 'video_startup_time' }, signal),
  ]);
  const all = [...bytes.values()].reduce<number>((sum, each) => sum + (each ?? 0), 0);
  const names = new Set([...bytes.keys(), ...rebuffering.keys(), ...startup.keys()]);
  return [...names].map((name) => {
    const share = all > 0 ? (bytes.get(name) ?? 0) / all : null;
    return rowOf(
      { name, share, cost: null, hourly: null },
      {
        rebuffer_percentage: rebuffering.get(name) ?? null,
        video_startup_time: startup.get(name) ?? null,
        ttfb: ttfb.get(name) ?? null,
        hit_ratio: hits.get(name) ?? null,
        error_percentage: errors.get(name) ?? null,
      },
    );
  });
}
