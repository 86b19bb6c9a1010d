/** Limits of a what-if question, by name. What passes one is refused and named in the answer, never guessed. */

export interface WhatIfLimits {
  /** Blocks that viewers are put into by hash; the bootstrap draws blocks. */
  readonly blocks: number;
  /** Cells that are looked at, those with most views of `from` first; the others are refused together. */
  readonly cellsMax: number;
  /** Views that a cell needs on each of the two CDNs, unless the question says another number. */
  readonly viewsMin: number;
  /** Blocks of viewers that a cell needs on each, counted by Kish: one heavy viewer does not make a cell. */
  readonly blocksMin: number;
  /** Views that a figure counts by (that rebuffered, failed, started …) that it needs on each CDN for an interval. */
  readonly eventsMin: number;
  /** Share of the views of `from` that supported cells must hold, or the question is refused. */
  readonly supportedShareMin: number;
  /** Refused cells that an answer names. */
  readonly refusedMax: number;
  /** Replicates of the bootstrap. */
  readonly replicates: number;
  /** Share of cases in which the interval is to hold what would have been. */
  readonly confidence: number;
}

export const WHAT_IF_LIMITS: WhatIfLimits = {
  blocks: 64,
  cellsMax: 500,
  viewsMin: 30,
  blocksMin: 10,
  eventsMin: 10,
  supportedShareMin: 0.5,
  refusedMax: 20,
  replicates: 2_000,
  confidence: 0.95,
};
