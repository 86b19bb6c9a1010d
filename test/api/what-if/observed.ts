/** What a policy lets one see of a world, in the shape that the statistics take, and what it hides. */
import type { Block, Cell, Sums } from '../../../api/cost/what-if/cells.ts';
import type { Outcome, PotentialView } from './world.ts';

/** A view on the CDN that it was sent to. */
export interface ObservedView {
  readonly view: PotentialView;
  /** Place in CDNS. */
  readonly cdn: number;
}

export type Matching = (view: PotentialView) => readonly string[];

/** Numerators and denominators of a view: rebuffering, startup, score, failures before start. */
export const OUTCOMES = ['rebuffer', 'startup', 'score', 'failure'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];
const parts: readonly ((outcome: Outcome) => readonly [top: number, bottom: number])[] = [
  ({ rebufferMs, playingMs }) => [rebufferMs, rebufferMs + playingMs],
  ({ startupMs, started }) => [started ? startupMs : 0, started ? 1 : 0],
  ({ scoreMilli }) => [scoreMilli ?? 0, scoreMilli === null ? 0 : 1],
  ({ failed }) => [failed ? 1 : 0, 1],
];

interface MutableSums {
  views: number;
  tops: number[];
  bottoms: number[];
  events: number[];
}

const noSums = (): MutableSums => ({
  views: 0,
  tops: parts.map(() => 0),
  bottoms: parts.map(() => 0),
  events: parts.map(() => 0),
});

function add(sums: MutableSums, outcome: Outcome, weight = 1): void {
  sums.views += weight;
  for (const [place, part] of parts.entries()) {
    const [top, bottom] = part(outcome);
    sums.tops[place] = (sums.tops[place] ?? 0) + weight * top;
    sums.bottoms[place] = (sums.bottoms[place] ?? 0) + weight * bottom;
    sums.events[place] = (sums.events[place] ?? 0) + weight * (top > 0 ? 1 : 0);
  }
}

export interface Move {
  readonly from: number;
  readonly to: number;
}

const seen = ({ view, cdn }: ObservedView): Outcome => view.outcomes[cdn] as Outcome;

export function sliceOf(views: readonly ObservedView[]): Sums {
  const sums = noSums();
  for (const observed of views) add(sums, seen(observed));
  return sums;
}

export function cellsOf(
  views: readonly ObservedView[],
  { from, to }: Move,
  matching: Matching,
  blockOf: (viewer: number) => number,
): Cell[] {
  const cells = new Map<string, { values: readonly string[]; sides: Map<number, MutableSums>[] }>();
  for (const observed of views) {
    if (observed.cdn !== from && observed.cdn !== to) continue;
    const values = matching(observed.view);
    const key = values.join('|');
    const cell = cells.get(key) ?? { values, sides: [new Map(), new Map()] };
    cells.set(key, cell);
    const side = cell.sides[observed.cdn === from ? 0 : 1] as Map<number, MutableSums>;
    const block = blockOf(observed.view.viewer);
    const sums = side.get(block) ?? noSums();
    side.set(block, sums);
    add(sums, seen(observed));
  }
  const blocksOf = (side: Map<number, MutableSums> | undefined): Block[] =>
    [...(side ?? [])].map(([block, sums]) => ({ block, ...sums }));
  return [...cells.values()].map(({ values, sides }) => ({
    values,
    from: blocksOf(sides[0]),
    to: blocksOf(sides[1]),
  }));
}

/** By how much each outcome of the slice truly changes, when a share of the views of `from` in these cells is moved. */
export function trueChange(
  views: readonly ObservedView[],
  { from, to, share }: Move & { readonly share: number },
  moves: (view: PotentialView) => boolean,
): number[] {
  const before = sliceOf(views);
  const after = noSums();
  for (const { view, cdn } of views) {
    const moved = cdn === from && moves(view) ? share : 0;
    add(after, view.outcomes[cdn] as Outcome, 1 - moved);
    add(after, view.outcomes[to] as Outcome, moved);
  }
  const ratio = ({ tops, bottoms }: Sums, place: number): number =>
    (tops[place] ?? 0) / (bottoms[place] ?? 0);
  return OUTCOMES.map((_, place) => ratio(after, place) - ratio(before, place));
}
