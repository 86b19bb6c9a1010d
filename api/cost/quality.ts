/** What viewers and requests of each value met with: the other half of a scoreboard. */
import {
  type DeliveryQualityRow,
  planDeliveryQuality,
  planViewQuality,
  type ViewQualityRow,
} from '../planner/cost-quality.ts';
import { type CostKey, type CostScope, REQUEST_ONLY } from '../planner/cost-scope.ts';
import type { CostDeps } from './ask-cost.ts';

const NOTHING = {
  rebuffer_percentage: null,
  video_startup_time: null,
  viewer_experience_score: null,
  ttfb: null,
  hit_ratio: null,
  error_percentage: null,
};
export type Quality = { readonly [Name in keyof typeof NOTHING]: number | null };

/** By field; what is not there is not known. */
export async function askQuality(
  { runner }: CostDeps,
  scope: CostScope,
  key: CostKey,
  signal: AbortSignal,
): Promise<(field: string) => Quality> {
  const ofViews = key.by !== 'dimension' || !REQUEST_ONLY.includes(key.name);
  const [views, requests] = await Promise.all([
    ofViews ? runner.run<ViewQualityRow>(planViewQuality(scope, key), signal) : [],
    runner.run<DeliveryQualityRow>(planDeliveryQuality(scope, key), signal),
  ]);
  const found = new Map<string, Quality>();
  for (const { q_field: field, ...row } of [...views, ...requests]) {
    found.set(field, { ...NOTHING, ...found.get(field), ...row });
  }
  return (field) => found.get(field) ?? NOTHING;
}
