/** What the delivery of one view costs: its share of the bills of the months that its requests lie in. */
import type { PriceBook } from '../../platform/prices/contract.ts';
import { microsText } from '../../platform/prices/money.ts';
import { DAY_MS } from '../../platform/prices/months.ts';
import { type KeyedUsage, shareCost } from '../../platform/prices/share.ts';
import { countryGroups, groupOf } from '../planner/cost-scope.ts';
import { planViewUsage, type ViewUsageRow } from '../planner/cost-view.ts';
import type { ViewKey, ViewRow } from '../planner/video-views.ts';
import { askTotals, type CostDeps } from './ask-cost.ts';
import { amounts } from './figures.ts';

export interface ViewAsk {
  readonly book: PriceBook;
  readonly key: ViewKey;
  readonly row: ViewRow;
}

/** Null when no request of the view is kept: that is not known to cost nothing. */
export async function askViewCost(
  deps: CostDeps,
  { book, key, row }: ViewAsk,
  signal: AbortSignal,
) {
  const view = { ...key, cdn: String(row.cdn ?? ''), country: String(row.country ?? '') };
  const rows = await deps.runner.run<ViewUsageRow>(planViewUsage(view), signal);
  if (rows.length === 0) return null;
  const groups = countryGroups(book);
  const slice = rows.map((each) => usageOf(each, groupOf(groups, each.q_country)));
  const days = rows.map(({ q_day }) => q_day);
  const timeframe = { fromMs: Math.min(...days), toMs: Math.max(...days) + DAY_MS };
  const { project } = key;
  const none = { filters: [], metricFilters: [] };
  const scope = { project, timeframe, source: 'edge', ...none } as const;
  const totals = await askTotals(deps, { book, scope }, signal);
  const { overall, currency } = shareCost(book, { totals, slice });
  return {
    amount: microsText(overall.micros),
    ...{ currency, source: scope.source },
    ...amounts(overall.volume),
    unpriced: amounts(overall.unpriced),
  };
}

/** The country is the one that stands for its group, as in the totals. */
function usageOf(row: ViewUsageRow, country: string): KeyedUsage {
  return {
    ...{ cdn: row.q_cdn, country, atMs: row.q_day, key: [] },
    bytes: BigInt(row.q_bytes),
    requests: BigInt(row.q_requests),
    originBytes: BigInt(row.q_origin),
  };
}
