/**
 * Cells: views that are alike in all that is matched by, on the CDN that views leave and on the one they go to.
 *
 * Guarantee: a cell is used only when both sides have enough views, of enough viewers; every other one is refused with
 * its reason. Nothing is borrowed from a neighbour.
 */
import type { WhatIfLimits } from './limits.ts';

/** What views came to. Lists are in the order of the outcomes that the question asks for; sums are of whole numbers. */
export interface Sums {
  readonly views: number;
  /** Sums of the numerators, and of the denominators. */
  readonly tops: readonly number[];
  readonly bottoms: readonly number[];
  /** Views whose numerator is above 0. */
  readonly events: readonly number[];
}

/** The views of a cell on one CDN, of the viewers that a hash puts into one block. */
export interface Block extends Sums {
  readonly block: number;
}

export interface Cell {
  /** Values of the dimensions that are matched by. */
  readonly values: readonly string[];
  readonly from: readonly Block[];
  readonly to: readonly Block[];
}

export const REFUSALS = [
  'too_few_views_from',
  'too_few_views_to',
  'too_few_viewers_from',
  'too_few_viewers_to',
  'beyond_cells_max',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface RefusedCell {
  /** Null for the cells beyond cellsMax, together. */
  readonly values: readonly string[] | null;
  readonly viewsFrom: number;
  readonly viewsTo: number;
  readonly reason: Refusal;
}

export interface Support {
  readonly supported: readonly Cell[];
  /** Those with most views to move first. */
  readonly refused: readonly RefusedCell[];
}

export const viewsOf = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, { views }) => sum + views, 0);

/** Kish's effective number: how many blocks with equal views would tell as much. */
export function effectiveBlocks(blocks: readonly Block[]): number {
  const squares = blocks.reduce((sum, { views }) => sum + views * views, 0);
  return squares === 0 ? 0 : viewsOf(blocks) ** 2 / squares;
}

/** Parts the cells into those that can be compared and those that cannot. Cells without views to move are left out. */
export function supportOf(
  cells: readonly Cell[],
  limits: Pick<WhatIfLimits, 'viewsMin' | 'blocksMin'>,
): Support {
  const supported: Cell[] = [];
  const refused: RefusedCell[] = [];
  for (const cell of cells) {
    const viewsFrom = viewsOf(cell.from);
    if (viewsFrom === 0) continue;
    const reason = refusalOf(cell, limits);
    if (reason === undefined) supported.push(cell);
    else refused.push({ values: cell.values, viewsFrom, viewsTo: viewsOf(cell.to), reason });
  }
  return { supported, refused: refused.toSorted(byViewsToMove) };
}

export function byViewsToMove(left: RefusedCell, right: RefusedCell): number {
  const order = right.viewsFrom - left.viewsFrom || right.viewsTo - left.viewsTo;
  if (order !== 0) return order;
  return JSON.stringify(left.values) < JSON.stringify(right.values) ? -1 : 1;
}

function refusalOf(
  { from, to }: Cell,
  { viewsMin, blocksMin }: Pick<WhatIfLimits, 'viewsMin' | 'blocksMin'>,
): Refusal | undefined {
  if (viewsOf(to) < viewsMin) return 'too_few_views_to';
  if (viewsOf(from) < viewsMin) return 'too_few_views_from';
  if (effectiveBlocks(to) < blocksMin) return 'too_few_viewers_to';
  if (effectiveBlocks(from) < blocksMin) return 'too_few_viewers_from';
  return undefined;
}
