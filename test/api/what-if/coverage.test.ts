import { beforeAll, describe, expect, it } from 'vitest';
import { WHAT_IF_LIMITS } from '../../../api/cost/what-if/limits.ts';
import type { WhatIf } from '../../../api/cost/what-if/what-if.ts';
import { answerCase, drawCase, holds, matched, truthOf, unmatched } from './cases.ts';
import { OUTCOMES } from './observed.ts';
import { createWorld, type World } from './world.ts';

const CASES = 200;
const VIEWERS = 16_000;

let worlds: readonly World[];
beforeAll(() => {
  worlds = [createWorld(1, VIEWERS), createWorld(2, VIEWERS)];
});
const worldOf = (seed: number): World => worlds[seed % 2] as World;

interface Tally {
  answered: number;
  held: number;
}
const noTallies = (): Tally[] => OUTCOMES.map(() => ({ answered: 0, held: 0 }));

function count(tallies: readonly Tally[], answer: WhatIf, truths: readonly number[]): void {
  for (const [place, tally] of tallies.entries()) {
    const effect = answer.effects[place];
    if (effect === undefined || effect.delta === null) continue;
    tally.answered++;
    if (holds(effect, truths[place] ?? Number.NaN)) tally.held++;
  }
}

const shareHeld = ({ answered, held }: Tally): number => held / answered;

describe('of 200 questions about views whose other fate is known', () => {
  const byCells = noTallies();
  const asTheyAre = noTallies();

  beforeAll(() => {
    let answered = 0;
    for (let seed = 1; answered < CASES; seed++) {
      const asked = drawCase(worldOf(seed), seed, [0.1, 1]);
      const answer = answerCase(asked, matched);
      if (answer.effects === null) continue;
      answered++;
      const truths = truthOf(asked, answer, matched);
      count(byCells, answer, truths);
      const naive = answerCase(asked, unmatched);
      if (naive.effects !== null) count(asTheyAre, naive, truthOf(asked, naive, unmatched));
    }
  }, 240_000);

  it.each(OUTCOMES)('the intervals of %s hold the truth in nine of ten', (outcome) => {
    const place = OUTCOMES.indexOf(outcome);
    const tally = byCells[place] as Tally;
    expect(tally.answered).toBeGreaterThanOrEqual(outcome === 'failure' ? 100 : 190);
    expect(shareHeld(tally)).toBeGreaterThanOrEqual(0.9);
  });

  it('the intervals are no wider than they need be', () => {
    for (const tally of byCells) expect(shareHeld(tally)).toBeLessThan(1);
  });

  it('a comparison without matching mistakes the networks for the CDN', () => {
    for (const tally of asTheyAre) {
      expect(tally.answered).toBeGreaterThanOrEqual(100);
      expect(shareHeld(tally)).toBeLessThan(0.8);
    }
  });
});

describe('thin slices', () => {
  it('are refused, each with its largest cells and their counts', () => {
    let thin = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const asked = drawCase(worldOf(seed), seed, [0.005, 0.03]);
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
