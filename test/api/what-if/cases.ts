/** Questions over two worlds, each under a policy of its own, with what is answered and what is true. */
import type { Effect } from '../../../api/cost/what-if/effect.ts';
import { WHAT_IF_LIMITS } from '../../../api/cost/what-if/limits.ts';
import { answerWhatIf, type TooThin, type WhatIf } from '../../../api/cost/what-if/what-if.ts';
import { seeded } from '../../support/rows.ts';
import {
  cellsOf,
  type Matching,
  type ObservedView,
  OUTCOMES,
  sliceOf,
  trueChange,
} from './observed.ts';
import { CDNS, type PotentialView, type Random, type World, weighted } from './world.ts';

export interface Case {
  readonly views: readonly ObservedView[];
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

const NONE_BEYOND = { viewsFrom: 0, viewsTo: 0 };
/** How strongly a policy may prefer, or shun, a CDN for bad networks. */
const TILT_MAX = 2;

/** All refused cells are named, so that what is true can be told of the others. */
const LIMITS = { ...WHAT_IF_LIMITS, refusedMax: 1_000 };

export const matched: Matching = ({ country, asn, device, streamType }) => [
  asn,
  country,
  device,
  streamType,
];
/** Compares the views of the two CDNs as they are. */
const unmatched: Matching = () => [];

/** @param sampled Least and most share of the world's views that the slice may see. */
export function drawCase(
  world: World,
  seed: number,
  [least, most]: readonly [number, number],
): Case {
  const random = seeded(seed);
  const from = Math.floor(random() * CDNS.length);
  const to = (from + 1 + Math.floor(random() * (CDNS.length - 1))) % CDNS.length;
  const share = 0.05 + 0.95 * random();
  const sampled = least * (most / least) ** random();
  const slices = drawSlice(world, random);
  const preferences = drawPolicy(world, random, to);
  const views: ObservedView[] = [];
  for (const view of world.views) {
    if (!slices(view) || random() > sampled) continue;
    const cdns = preferences.get(view.asn) ?? [];
    views.push({ view, cdn: weighted(random, [0, 1, 2], (cdn) => cdns[cdn] ?? 0) });
  }
  return { views, from, to, share };
}

function drawSlice({ networks }: World, random: Random): (view: PotentialView) => boolean {
  const { asn, country } = weighted(random, networks, ({ weight }) => weight);
  const kind = random();
  if (kind < 0.35) return (view) => view.country === country;
  if (kind < 0.5) return (view) => view.asn === asn;
  return () => true;
}

/** Weights of the CDNs for each network: chance, and how bad the network is. */
function drawPolicy({ networks }: World, random: Random, to: number) {
  const tilt = TILT_MAX * (2 * random() - 1);
  return new Map(
    networks.map(({ asn, badness }) => [
      asn,
      CDNS.map((_, cdn) =>
        Math.exp((cdn === to ? tilt * Math.log(badness) : 0) + 0.6 * (2 * random() - 1)),
      ),
    ]),
  );
}

const hashed = (viewer: number): number => (Math.imul(viewer, 0x9e37_79b1) >>> 0) % LIMITS.blocks;

export function answerCase(
  asked: Case,
  matching: Matching,
  blockOf: (viewer: number) => number = hashed,
): WhatIf | TooThin {
  const { views, share } = asked;
  const cells = cellsOf(views, asked, matching, blockOf);
  const input = { slice: sliceOf(views), cells, beyond: NONE_BEYOND, share };
  return answerWhatIf(input, LIMITS);
}

/** What truly changes, by outcome. Only the cells that are not refused move. */
function truthOf(asked: Case, answer: WhatIf, matching: Matching): number[] {
  const refused = new Set(answer.refused.map(({ values }) => values?.join('|') ?? ''));
  return trueChange(asked.views, asked, (view) => !refused.has(matching(view).join('|')));
}

const holds = ({ low, high }: Effect, truth: number): boolean =>
  low !== null && high !== null && low <= truth && truth <= high;

/** Questions to ask of worlds, each about a part of its views. */
export interface Trial {
  readonly worlds: readonly World[];
  readonly matching: Matching;
  /** Least and most share of a world's views that a question sees. */
  readonly sampled: readonly [number, number];
}

interface Tally {
  answered: number;
  held: number;
}
/** How often intervals held the truth, by outcome: of cells, and of views compared as they are. */
export interface Coverage {
  readonly byCells: readonly Tally[];
  readonly unmatched: readonly Tally[];
}

const noTallies = (): Tally[] => OUTCOMES.map(() => ({ answered: 0, held: 0 }));

/** Outcomes that any view tells of; failures are too rare to wait for. */
const FREQUENT = 3;

/** Asks until each frequent outcome has had so many intervals. */
export function coverageOf({ worlds, matching, sampled }: Trial, intervals: number): Coverage {
  const byCells = noTallies();
  const asTheyAre = noTallies();
  const frequent = byCells.slice(0, FREQUENT);
  for (let seed = 1; frequent.some(({ answered }) => answered < intervals); seed++) {
    const asked = drawCase(worlds[seed % worlds.length] as World, seed, sampled);
    if (count(byCells, asked, matching)) count(asTheyAre, asked, unmatched);
  }
  return { byCells, unmatched: asTheyAre };
}

/** False when the question is refused. */
function count(tallies: readonly Tally[], asked: Case, matching: Matching): boolean {
  const answer = answerCase(asked, matching);
  if (answer.effects === null) return false;
  const truths = truthOf(asked, answer, matching);
  for (const [place, tally] of tallies.entries()) {
    const effect = answer.effects[place];
    if (effect === undefined || effect.delta === null) continue;
    tally.answered++;
    if (holds(effect, truths[place] ?? Number.NaN)) tally.held++;
  }
  return true;
}
