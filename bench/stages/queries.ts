/** Questions over 30 days of views: what the planner's SQL costs beside SQL written by hand for the same answer. */
import { spreadOf } from '../measure.ts';
import type { StageResult } from '../result.ts';
import type { StageDeps } from '../stage.ts';
import { QUESTIONS, type Question } from '../subjects/queries.ts';

/** What is aimed at: so many times the time of the direct query, and so many ms. */
const TIMES_MAX = 1.3;
const MORE_MS_MAX = 10;

export async function queriesStage({
  sizes,
  freshDirectory,
  open,
}: StageDeps): Promise<StageResult> {
  const input = { directory: freshDirectory(), views: sizes.queryViews };
  const subject = await open('queries', input);
  try {
    const facts: Record<string, number> = { views: sizes.queryViews };
    const warnings: string[] = [];
    for (const question of QUESTIONS) {
      const [plannedMs, directMs] = await turns(question);
      facts[`${question}Ms`] = Math.round(plannedMs);
      facts[`${question}DirectMs`] = Math.round(directMs);
      facts[`${question}Ratio`] = Math.round((plannedMs / directMs) * 100) / 100;
      if (plannedMs > directMs * TIMES_MAX + MORE_MS_MAX) {
        warnings.push(`${question} takes more than ${TIMES_MAX} × direct + ${MORE_MS_MAX} ms`);
      }
    }
    return {
      stage: 'queries',
      title: 'Queries: 30 days of views in chDB',
      baseline: null,
      variants: [],
      facts,
      notes: [
        'Direct: SQL written by hand for the same value, views, playing and watch time and reports. Ratio: the planner’s over it, medians of the repetitions, which take turns.',
        'Breakdowns have `negative_impact` as well, which compares each value with all others; the direct query has not. Of a percentile it needs the counts of all values.',
      ],
      warnings,
    };
  } finally {
    await subject.close();
  }

  async function turns(question: Question): Promise<[plannedMs: number, directMs: number]> {
    const samples = { planned: [] as number[], direct: [] as number[] };
    for (let round = 0; round <= sizes.repetitions; round++) {
      for (const way of ['planned', 'direct'] as const) {
        const ms = await subject.call<number>(way, question);
        if (round > 0) samples[way].push(ms);
      }
    }
    return [spreadOf(samples.planned).median, spreadOf(samples.direct).median];
  }
}
