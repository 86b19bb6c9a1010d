/**
 * What a figure of a slice would have been, had a share of its views been served by the other CDN.
 *
 * A cell's views to move would have come, each, to what a view of the same cell came to on the other CDN, in the mean:
 * the slice's own views weigh the cells. Numerator and denominator of a figure are estimated apart, and divided at the
 * end: a view that rebuffers less may play longer.
 *
 * The interval is for the very views of the slice. What they came to is known; unknown is what they would have come to.
 * Two things make the estimate miss it: which views the other CDN happened to have, and which luck the moved ones would
 * have had there. The second is taken from the spread of whichever CDN has more, so that the interval also holds for
 * views like these at another time.
 */
import { type Contributions, errorBounds } from './bootstrap.ts';
import { type Block, type Cell, type Sums, viewsOf } from './cells.ts';
import type { WhatIfLimits } from './limits.ts';

export interface Effect {
  /** The figure as it is. */
  readonly now: number | null;
  /** As it would be, the difference, and the bounds of the difference; null where too little is known to say. */
  readonly wouldBe: number | null;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Views that tell of the figure, in the supported cells. */
  readonly eventsFrom: number;
  readonly eventsTo: number;
}

export interface Question {
  /** All views of the slice, on every CDN. */
  readonly slice: Sums;
  readonly supported: readonly Cell[];
  /** Share of the views of each supported cell that is moved, above 0 to 1. */
  readonly share: number;
}

/** Numerator and denominator of one outcome, as a straight line: `top − slope × bottom`. */
interface Ratio {
  readonly top: number;
  readonly bottom: number;
}

/** The effect on the outcome at a place of the lists of `Sums`. */
export function effectOn(outcome: number, question: Question, limits: WhatIfLimits): Effect {
  const { slice, supported, share } = question;
  const before = { top: slice.tops[outcome] ?? 0, bottom: slice.bottoms[outcome] ?? 0 };
  const now = divide(before);
  const events = eventsOf(outcome, supported);
  const unknown = { now, wouldBe: null, delta: null, low: null, high: null, ...events.counted };
  if (now === null || events.tellingMin < limits.eventsMin) return unknown;
  const moved = changeOf(outcome, supported);
  const after = {
    top: before.top + share * moved.top,
    bottom: before.bottom + share * moved.bottom,
  };
  const wouldBe = divide(after);
  if (wouldBe === null) return unknown;
  const scale = share / after.bottom;
  const bounds = errorBounds(
    contributionsOf(outcome, supported, { slope: wouldBe, scale }, limits),
    limits,
  );
  if (bounds === null) return unknown;
  const delta = wouldBe - now;
  return { ...unknown, wouldBe, delta, low: delta - bounds.high, high: delta - bounds.low };
}

const divide = ({ top, bottom }: Ratio): number | null => (bottom > 0 ? top / bottom : null);

const sumOf = (blocks: readonly Block[], part: (block: Block) => number): number =>
  blocks.reduce((sum, block) => sum + part(block), 0);

const topOf =
  (outcome: number) =>
  ({ tops }: Sums): number =>
    tops[outcome] ?? 0;
const bottomOf =
  (outcome: number) =>
  ({ bottoms }: Sums): number =>
    bottoms[outcome] ?? 0;

/** By how much the sums of the slice change when all views of `from` in the supported cells move. */
function changeOf(outcome: number, supported: readonly Cell[]): Ratio {
  let top = 0;
  let bottom = 0;
  for (const { from, to } of supported) {
    const weight = viewsOf(from) / viewsOf(to);
    top += weight * sumOf(to, topOf(outcome)) - sumOf(from, topOf(outcome));
    bottom += weight * sumOf(to, bottomOf(outcome)) - sumOf(from, bottomOf(outcome));
  }
  return { top, bottom };
}

/**
 * Views that tell of an outcome. On the other CDN they weigh as much as their cells do, so what counts is Kish's
 * effective number of them.
 */
function eventsOf(outcome: number, supported: readonly Cell[]) {
  let eventsFrom = 0;
  let eventsTo = 0;
  let weighted = 0;
  let squares = 0;
  for (const { from, to } of supported) {
    const events = sumOf(to, (block) => block.events[outcome] ?? 0);
    const weight = viewsOf(from) / viewsOf(to);
    eventsFrom += sumOf(from, (block) => block.events[outcome] ?? 0);
    eventsTo += events;
    weighted += weight * events;
    squares += weight * weight * events;
  }
  const effective = squares === 0 ? 0 : (weighted * weighted) / squares;
  return { counted: { eventsFrom, eventsTo }, tellingMin: Math.min(eventsFrom, effective) };
}

/** What each block of viewers adds to the error of `wouldBe`, in units of the figure. */
function contributionsOf(
  outcome: number,
  supported: readonly Cell[],
  { slope, scale }: { readonly slope: number; readonly scale: number },
  { blocks }: Pick<WhatIfLimits, 'blocks'>,
): Contributions {
  const value = (sums: Sums): number =>
    scale * (topOf(outcome)(sums) - slope * bottomOf(outcome)(sums));
  const to = new Float64Array(blocks);
  const here = new Float64Array(blocks);
  const there = new Float64Array(blocks);
  for (const cell of supported) {
    const weight = viewsOf(cell.from) / viewsOf(cell.to);
    addDeviations(to, cell.to, value, weight);
    addDeviations(here, cell.from, value, 1);
    addDeviations(there, cell.to, value, Math.sqrt(weight));
  }
  return { to, from: squaresOf(here) < squaresOf(there) ? there : here };
}

/** Adds how far each block's sum lies from what the cell's mean makes of its number of views. */
function addDeviations(
  sums: Float64Array,
  blocks: readonly Block[],
  value: (sums: Sums) => number,
  weight: number,
): void {
  const views = viewsOf(blocks);
  const mean = sumOf(blocks, value) / views;
  // The mean was made from these same views: without this, small cells would seem surer than they are.
  const factor = weight * Math.sqrt(views / (views - 1));
  for (const block of blocks) {
    sums[block.block] = (sums[block.block] ?? 0) + factor * (value(block) - mean * block.views);
  }
}

const squaresOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value * value, 0);
