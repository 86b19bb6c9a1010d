/** From rows to sums, and from what the statistics say to what is answered. */
import type { ProblemError } from '../../platform/http/problem.ts';
import type { Block, Cell, RefusedCell, Sums } from '../cost/what-if/cells.ts';
import type { Effect } from '../cost/what-if/effect.ts';
import type { WhatIfLimits } from '../cost/what-if/limits.ts';
import type { TooThin, WhatIf, WhatIfInput } from '../cost/what-if/what-if.ts';
import { refuse } from '../errors.ts';
import {
  CELL_KINDS,
  COMPLETENESS,
  factorOf,
  SIDES,
  WHAT_IF_FIGURES,
  type WhatIfRow,
  whatIfMetrics,
} from '../planner/what-if.ts';
import type { WhatIfQuestion } from './what-if-question.ts';

/** Cells that the sentence of a refusal names; the problem lists more. */
const NAMED_MAX = 3;

const figures = whatIfMetrics.slice(0, WHAT_IF_FIGURES.length);

/** The figures alone: completeness is no outcome. */
const partOf = (sums: readonly number[]): number[] => sums.slice(0, figures.length);

export function inputOf(rows: readonly WhatIfRow[], share: number): WhatIfInput {
  const beyond = rows.filter(({ kind }) => kind === CELL_KINDS.beyond);
  return {
    slice: totalOf(rows),
    cells: cellsOf(rows.filter(({ kind }) => kind === CELL_KINDS.cell)),
    beyond: { viewsFrom: viewsOn(beyond, SIDES.from), viewsTo: viewsOn(beyond, SIDES.to) },
    share,
  };
}

const viewsOn = (rows: readonly WhatIfRow[], side: number): number =>
  rows.reduce((sum, row) => sum + (row.side === side ? row.views : 0), 0);

function totalOf(rows: readonly WhatIfRow[]): Sums {
  const total = (part: 'tops' | 'bottoms' | 'events'): number[] =>
    figures.map((_, place) => rows.reduce((sum, row) => sum + (row[part][place] ?? 0), 0));
  return {
    views: rows.reduce((sum, { views }) => sum + views, 0),
    tops: total('tops'),
    bottoms: total('bottoms'),
    events: total('events'),
  };
}

/** Rows of a cell stand together or not: both work. */
function cellsOf(rows: readonly WhatIfRow[]): Cell[] {
  const cells = new Map<string, { values: readonly string[]; from: Block[]; to: Block[] }>();
  for (const { cell: values, side, block, views, tops, bottoms, events } of rows) {
    const key = JSON.stringify(values);
    const cell = cells.get(key) ?? { values, from: [], to: [] };
    cells.set(key, cell);
    const sums = { tops: partOf(tops), bottoms: partOf(bottoms), events: partOf(events) };
    cell[side === SIDES.from ? 'from' : 'to'].push({ block, views, ...sums });
  }
  return [...cells.values()];
}

/** Reports received over received and lost; null when no source numbers its reports. */
export function completenessOf(rows: readonly WhatIfRow[]): number | null {
  const received = rows.reduce((sum, { tops }) => sum + (tops[COMPLETENESS] ?? 0), 0);
  const expected = rows.reduce((sum, { bottoms }) => sum + (bottoms[COMPLETENESS] ?? 0), 0);
  return expected > 0 ? received / expected : null;
}

export function dataOf(
  { from, to, match }: WhatIfQuestion,
  answer: WhatIf,
  rows: readonly WhatIfRow[],
) {
  return {
    from,
    to,
    match,
    slice: {
      views: rows.reduce((sum, { views }) => sum + views, 0),
      views_from: viewsOn(rows, SIDES.from),
      views_to: viewsOn(rows, SIDES.to),
    },
    moved: { views: answer.movedViews },
    supported_share: answer.supportedShare,
    quality: qualityOf(answer.effects),
    refused: answer.refused.map((cell) => refusedOf(match, cell)),
    refused_cells: answer.refusedCells,
  };
}

function qualityOf(effects: readonly Effect[]): Record<string, object> {
  return Object.fromEntries(
    figures.map((metric, place) => {
      const effect = effects[place];
      const factor = factorOf(metric);
      const scaled = (value: number | null | undefined): number | null =>
        typeof value === 'number' ? value * factor : null;
      const quality = {
        unit: metric.unit,
        now: scaled(effect?.now),
        would_be: scaled(effect?.wouldBe),
        delta: scaled(effect?.delta),
        low: scaled(effect?.low),
        high: scaled(effect?.high),
        views_from: effect?.eventsFrom ?? 0,
        views_to: effect?.eventsTo ?? 0,
      };
      return [metric.id, quality];
    }),
  );
}

function refusedOf(match: readonly string[], { values, viewsFrom, viewsTo, reason }: RefusedCell) {
  const named = match.map((dimension, place) => [dimension, values?.[place] ?? '']);
  return {
    cell: values === null ? null : Object.fromEntries(named),
    views_from: viewsFrom,
    views_to: viewsTo,
    reason,
  };
}

/** The refusal of a question whose slice cannot be compared; it names the largest cells that are in the way. */
export function tooThin(
  { from, to, match }: WhatIfQuestion,
  answer: TooThin,
  { supportedShareMin, viewsMin }: WhatIfLimits,
): ProblemError {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const cells = answer.refused.slice(0, NAMED_MAX).map(({ values, viewsFrom, viewsTo }) => {
    const named = match.map((dimension, place) => `${dimension} ${values?.[place] || '(unknown)'}`);
    const cell = values === null ? 'cells beyond cellsMax' : named.join(', ');
    return `${cell}: ${viewsFrom} views on ${from}, ${viewsTo} on ${to}`;
  });
  const detail =
    answer.viewsFrom === 0
      ? `no view of the slice was on ${from}, so none can move`
      : `${percent(answer.supportedShare)} of the ${answer.viewsFrom} views on ${from} lie in cells with ${viewsMin} views, of enough viewers, on both CDNs; ${percent(supportedShareMin)} must. Largest refused: ${cells.join('; ')}. Ask for a longer timeframe, or match[] by fewer dimensions`;
  const members = {
    supported_share: answer.supportedShare,
    refused: answer.refused.map((cell) => refusedOf(match, cell)),
    refused_cells: answer.refusedCells,
  };
  return refuse('support_too_thin', { detail, members });
}
