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
      const [plannedMs, directMs] = await turns(question, 'direct');
      facts[`${question}Ms`] = Math.round(plannedMs);
      facts[`${question}DirectMs`] = Math.round(directMs);
      facts[`${question}Ratio`] = Math.round((plannedMs / directMs) * 100) / 100;
      if (plannedMs > directMs * TIMES_MAX + MORE_MS_MAX) {
        warnings.push(`${question} takes more than ${TIMES_MAX} × direct + ${MORE_MS_MAX} ms`);
      }
    }
    const [plannedMs, withRestMs] = await turns('countryMedian', 'directWithRest');
    facts.countryMedianWithRestDirectMs = Math.round(withRestMs);
    facts.countryMedianWithRestRatio = Math.round((plannedMs / withRestMs) * 100) / 100;
    return {
      stage: 'queries',
      title: 'Queries: 30 days of views in chDB',
      baseline: null,
      variants: [],
      facts,
      notes: [
        'Direct: SQL written by hand for the same value, views, playing and watch time and reports. Ratio: the planner’s over it, medians of the repetitions, which take turns.',
        'Breakdowns have `negative_impact` as well, which compares each value with all others; the direct query has not.',
        '`countryMedianWithRest`: the same answer of the planner beside SQL by hand that has the percentile of each country’s rest as well, from an array of values for each country. The aim does not ask for it.',
      ],
      warnings,
    };
  } finally {
    await subject.close();
  }

  async function turns(
    question: Question,
    byHand: 'direct' | 'directWithRest',
  ): Promise<[plannedMs: number, byHandMs: number]> {
    const planned: number[] = [];
    const direct: number[] = [];
    for (let round = 0; round <= sizes.repetitions; round++) {
      const plannedMs = await subject.call<number>('planned', question);
      const directMs = await subject.call<number>(byHand, question);
      if (round > 0) planned.push(plannedMs);
      if (round > 0) direct.push(directMs);
    }
    return [spreadOf(planned).median, spreadOf(direct).median];
  }
}
