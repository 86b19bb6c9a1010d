/**
 * The answer to a what-if question, from sums alone: what would have become of the slice, or that nobody can tell.
 *
 * Guarantee: only cells with support move, and the answer says which share of the views these are and names the others.
 * When they hold too little, there is no answer at all: figures for a part of the slice would be read as its own.
 */
import {
  byViewsToMove,
  type Cell,
  type RefusedCell,
  type Sums,
  supportOf,
  viewsOf,
} from './cells.ts';
import { type Effect, effectOn } from './effect.ts';
import type { WhatIfLimits } from './limits.ts';

export interface WhatIfInput {
  /** All views of the slice, on every CDN. */
  readonly slice: Sums;
  readonly cells: readonly Cell[];
  /** Views of the cells beyond cellsMax, together. */
  readonly beyond: { readonly viewsFrom: number; readonly viewsTo: number };
  /** Share of the views of `from` that is to move, above 0 to 1. */
  readonly share: number;
}

export interface Refusals {
  /** Share of the views of `from` that lie in supported cells; 0 when there are none. */
  readonly supportedShare: number;
  /** Views of the slice on `from`; and on `to`, as far as their cells have views to move. */
  readonly viewsFrom: number;
  readonly viewsTo: number;
  /** Those with most views to move, refusedMax at most. */
  readonly refused: readonly RefusedCell[];
  /** All of them; those beyond cellsMax count as one. */
  readonly refusedCells: number;
}

export interface WhatIf extends Refusals {
  /** Views that move: the share of those in supported cells. */
  readonly movedViews: number;
  /** Values of the cells that they move from. */
  readonly movedCells: readonly (readonly string[])[];
  /** In the order of the outcomes. */
  readonly effects: readonly Effect[];
}

export interface TooThin extends Refusals {
  readonly effects: null;
}

export function answerWhatIf(input: WhatIfInput, limits: WhatIfLimits): WhatIf | TooThin {
  const { slice, cells, share } = input;
  const { supported, refused } = supportOf(cells, limits);
  const held = supported.reduce((sum, { from }) => sum + viewsOf(from), 0);
  const refusals = refusalsOf(input, refused, held, limits);
  if (refusals.supportedShare < limits.supportedShareMin) {
    return { ...refusals, effects: null };
  }
  const question = { slice, supported, share };
  const effects = slice.tops.map((_, outcome) => effectOn(outcome, question, limits));
  const movedCells = supported.map(({ values }) => values);
  return { ...refusals, movedViews: Math.round(share * held), movedCells, effects };
}

function refusalsOf(
  { cells, beyond }: WhatIfInput,
  refused: readonly RefusedCell[],
  held: number,
  { refusedMax }: WhatIfLimits,
): Refusals {
  const rest: RefusedCell = { values: null, ...beyond, reason: 'beyond_cells_max' };
  const all = beyond.viewsFrom > 0 ? [...refused, rest].toSorted(byViewsToMove) : refused;
  const total = (side: 'from' | 'to', more: number): number =>
    cells.reduce((sum, cell) => sum + viewsOf(cell[side]), more);
  const viewsFrom = total('from', beyond.viewsFrom);
  return {
    supportedShare: viewsFrom === 0 ? 0 : held / viewsFrom,
    viewsFrom,
    viewsTo: total('to', beyond.viewsTo),
    refused: all.slice(0, refusedMax),
    refusedCells: all.length,
  };
}
