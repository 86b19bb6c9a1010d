/**
 * The answer of a what-if as the page shows it: what changes, how sure that is, and which way is better.
 *
 * Guarantee: what an interval leaves open is called open, never better or worse.
 */
import type { Unit } from '../../../schemas/catalogue/metric.ts';
import type { WhatIfAnswer } from '../api/cost.ts';
import { figureText } from '../figures/format.ts';
import { decimalsFor, microsOf, moneyText } from '../figures/money.ts';
import { changeText } from './column-text.ts';

export type Verdict = 'better' | 'worse' | 'open' | 'same' | 'unknown';

export interface Effect {
  readonly id: string;
  readonly title: string;
  readonly delta: string;
  /** Empty when not known. */
  readonly now: string;
  readonly wouldBe: string;
  /** Numbers to draw; low and high are the delta where it is exact. */
  readonly drawn:
    | { readonly low: number; readonly delta: number; readonly high: number }
    | undefined;
  readonly verdict: Verdict;
  /** The interval in words. */
  readonly range: string;
}

type Quality = WhatIfAnswer['data']['quality'];

interface Figure {
  readonly id: keyof Quality;
  readonly title: string;
  readonly unit: Unit;
  readonly good: 'low' | 'high';
}

const FIGURES: readonly Figure[] = [
  { id: 'rebuffer_percentage', title: 'Rebuffering', unit: 'fraction', good: 'low' },
  { id: 'video_startup_time', title: 'Startup, mean', unit: 'ms', good: 'low' },
  { id: 'viewer_experience_score', title: 'Experience score', unit: 'score', good: 'high' },
];

export const effectsOf = ({ quality }: Pick<WhatIfAnswer['data'], 'quality'>): readonly Effect[] =>
  FIGURES.map((figure) => effectOf(figure, quality[figure.id]));

function effectOf(
  { id, title, unit, good }: Figure,
  told: Quality[keyof Quality] | undefined,
): Effect {
  const {
    delta = null,
    low = null,
    high = null,
    now = null,
    would_be: wouldBe = null,
  } = told ?? {};
  const change = changeText([low, delta, high], unit);
  const known = delta !== null && low !== null && high !== null;
  return {
    id,
    title,
    delta: change(delta),
    now: figureText(now, unit),
    wouldBe: figureText(wouldBe, unit),
    drawn: known ? { low, delta, high } : undefined,
    verdict: known ? verdictOf({ low, high }, good) : 'unknown',
    range: known ? `${change(low)} to ${change(high)}` : '',
  };
}

export function verdictOf(
  { low, high }: { readonly low: number; readonly high: number },
  good: 'low' | 'high',
): Verdict {
  if (low === 0 && high === 0) return 'same';
  if (low <= 0 && high >= 0) return 'open';
  return high < 0 === (good === 'low') ? 'better' : 'worse';
}

/** What a move costs or saves; undefined where no price book tells. Bills are exact: there is no interval. */
export function costEffectOf(cost: WhatIfAnswer['data']['cost']): Effect | undefined {
  if (cost === null) return undefined;
  const { delta, months_cost: now, months_cost_after: after, currency } = cost;
  const decimals = decimalsFor([delta]);
  // To draw alone: all texts are of the exact amounts.
  const drawn = Number(microsOf(delta) ?? 0n);
  return {
    id: 'cost',
    title: "Cost, month's bill",
    delta: moneyText(delta, { currency, decimals, signed: true }),
    now: moneyText(now, { currency, decimals }),
    wouldBe: moneyText(after, { currency, decimals }),
    drawn: { low: drawn, delta: drawn, high: drawn },
    verdict: drawn < 0 ? 'better' : drawn > 0 ? 'worse' : 'same',
    range: 'exact, by the price book',
  };
}

/** Where a value lies on a scale with zero in its middle, percent from the left. */
export function placeOf(value: number, { low, delta, high }: NonNullable<Effect['drawn']>): number {
  const reach = Math.max(Math.abs(low), Math.abs(delta), Math.abs(high)) * 1.15;
  return reach === 0 ? 50 : 50 + (50 * value) / reach;
}
