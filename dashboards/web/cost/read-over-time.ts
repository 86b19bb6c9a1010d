/** What the charts over time draw: cost, stacked by CDN if wished, and a figure of quality on the same buckets. */
import type { Api } from '../api/client.ts';
import { type CostAsk, readCostRows, readCostSeries } from '../api/cost.ts';
import { type QualitySeries, readQualitySeries } from '../api/delivery.ts';
import { valueTitle } from '../figures/tiles.ts';
import type { CostFrame } from '../state/cost-frame.ts';
import type { CostPage, CostQuality } from '../state/cost-route.ts';
import { isUnpriced } from './read-scores.ts';
import { type Stack, stackOf } from './stack.ts';

/** CDNs that have a colour of their own; the others are one. */
const NAMED_MAX = 4;

export interface OverTime {
  readonly frame: CostFrame;
  /** Begin of each bucket. */
  readonly timesMs: readonly number[];
  /** Undefined without a price book. */
  readonly cost: (Stack & { readonly currency: string }) | undefined;
  readonly quality: readonly (number | null)[];
  readonly metric: CostQuality;
}

export async function readOverTime(
  api: Api,
  ask: CostAsk & Pick<CostPage, 'split' | 'quality'>,
  signal: AbortSignal,
): Promise<OverTime> {
  const [cost, quality] = await Promise.all([
    readStack(api, ask, signal).catch((problem: unknown) => {
      if (isUnpriced(problem)) return undefined;
      throw problem;
    }),
    readQualitySeries(api, { ...ask, id: ask.quality }, signal),
  ]);
  const timesMs = cost?.timesMs ?? quality.timesMs;
  return {
    frame: ask.frame,
    timesMs,
    cost,
    quality: alignedTo(timesMs, quality),
    metric: ask.quality,
  };
}

async function readStack(
  api: Api,
  ask: CostAsk & Pick<CostPage, 'split'>,
  signal: AbortSignal,
): Promise<Stack & { readonly currency: string; readonly timesMs: readonly number[] }> {
  const { timesMs, amounts, currency } = await readCostSeries(api, ask, signal);
  if (ask.split === 'none') {
    return { ...stackOf(amounts, [{ name: 'Cost', amounts }]), currency, timesMs };
  }
  const { rows } = await readCostRows(api, { ...ask, by: 'cdn', quality: false }, signal);
  const others = ask.filters.filter(({ dimension }) => dimension !== 'cdn');
  const named = await Promise.all(
    rows.slice(0, NAMED_MAX).map(async ({ field }) => {
      const filters = [...others, { dimension: 'cdn', value: field }];
      const series = await readCostSeries(api, { frame: ask.frame, filters }, signal);
      return { name: valueTitle('cdn', field), amounts: series.amounts };
    }),
  );
  return { ...stackOf(amounts, named), currency, timesMs };
}

function alignedTo(
  timesMs: readonly number[],
  { timesMs: own, values }: QualitySeries,
): (number | null)[] {
  const byTime = new Map(own.map((timeMs, index) => [timeMs, values[index] ?? null]));
  return timesMs.map((timeMs) => byTime.get(timeMs) ?? null);
}
