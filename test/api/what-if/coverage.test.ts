import { beforeAll, describe, expect, it } from 'vitest';
import { WHAT_IF_LIMITS } from '../../../api/cost/what-if/limits.ts';
import { answerCase, type Coverage, coverageOf, drawCase, matched, type Trial } from './cases.ts';
import { OUTCOMES, type OutcomeName } from './observed.ts';
import { simulateWorld } from './simulated-world.ts';
import { createWorld } from './world.ts';

const INTERVALS = 200;
/** Ends what hangs; it takes half a minute. */
const HANGS_MS = 300_000;

const trials: readonly (readonly [kind: string, trial: () => Trial])[] = [
  [
    'made up',
    () => ({
      worlds: [createWorld(1, 16_000), createWorld(2, 16_000)],
      matching: matched,
      sampled: [0.1, 1],
    }),
  ],
  [
    'simulated',
    () => ({
      worlds: [simulateWorld(5, 6_000)],
      // Few viewers in many cells: what the policies go by is enough.
      matching: ({ asn, country }) => [asn, country],
      sampled: [0.5, 1],
    }),
  ],
];

describe.each(trials)('of 200 intervals about %s views whose other fate is known', (_, trial) => {
  let coverage: Coverage;
  beforeAll(() => {
    coverage = coverageOf(trial(), INTERVALS);
  }, HANGS_MS);
  const shareHeld = (by: keyof Coverage, outcome: OutcomeName): number => {
    const { answered = 0, held = 0 } = coverage[by][OUTCOMES.indexOf(outcome)] ?? {};
    expect(answered).toBeGreaterThanOrEqual(INTERVALS);
    return held / answered;
  };

  it.each(['rebuffer', 'startup', 'score'] as const)(
    'nine of ten intervals of %s hold the truth',
    (outcome) => {
      expect(shareHeld('byCells', outcome)).toBeGreaterThanOrEqual(0.9);
    },
  );

  it.each(['startup', 'score'] as const)(
    'a comparison without matching mistakes the networks for the CDN in %s',
    (outcome) => {
      expect(shareHeld('unmatched', outcome)).toBeLessThan(shareHeld('byCells', outcome) - 0.1);
    },
  );

  it('intervals of failures hold the truth too, where there are enough to tell', () => {
    const { answered, held } = coverage.byCells[OUTCOMES.indexOf('failure')] ?? {};
    expect(held).toBeGreaterThanOrEqual(0.9 * (answered ?? Number.NaN));
  });
});

describe('thin slices', () => {
  it('are refused, each with the cells in the way', () => {
    const world = createWorld(1, 16_000);
    let thin = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const asked = drawCase(world, seed, [0.005, 0.03]);
      const compared = asked.views.filter(({ cdn }) => cdn === asked.from || cdn === asked.to);
      const cells = new Set(compared.map(({ view }) => matched(view).join('|'))).size;
      // On average a quarter of what a cell needs on the two sides together.
      if (compared.length / cells > WHAT_IF_LIMITS.viewsMin / 2) continue;
      thin++;
      const answer = answerCase(asked, matched);
      expect(answer.effects).toBeNull();
      expect(answer.supportedShare).toBeLessThan(WHAT_IF_LIMITS.supportedShareMin);
      expect(answer.refused.length).toBeGreaterThan(0);
    }
    expect(thin).toBeGreaterThan(30);
  });
});
