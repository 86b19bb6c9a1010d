/**
 * What it costs or saves to have another CDN deliver a part: the price half of a what-if question.
 *
 * A share of what a slice had from one CDN is taken from it and given to the other, in the same countries at the same
 * times. The bill of the whole project for the months that the slice touches is made twice, and the difference is the
 * answer: it holds what tiers do to everybody else's traffic too.
 *
 * Guarantee: both bills are exact to the micro-unit, and nothing but the moved traffic differs between them.
 */

import type { FastifyRequest } from 'fastify';
import { createCells } from '../../platform/prices/cells.ts';
import type { PriceBook } from '../../platform/prices/contract.ts';
import { invoice } from '../../platform/prices/invoice.ts';
import { type Fraction, type Micros, microsText, rounded } from '../../platform/prices/money.ts';
import type { Unpriced } from '../../platform/prices/pools.ts';
import { addTo, noVolume, type Usage, type Volume } from '../../platform/prices/usage.ts';
import { type CostScope, NO_KEY } from '../planner/cost-scope.ts';
import type { Scope } from '../planner/scope.ts';
import { askUsage, type CostDeps } from './ask-cost.ts';
import { findBook, type Prices } from './books.ts';
import { amounts, signedText } from './figures.ts';
import { unpricedOf } from './lines.ts';

export interface MoveQuestion {
  /** Everything that the project delivered in every month that the slice touches. */
  readonly totals: Iterable<Usage>;
  /** What the slice delivered, on every CDN. */
  readonly slice: Iterable<Usage>;
  readonly from: string;
  readonly to: string;
  /** Of what the slice had from `from`; 0 to 1. */
  readonly share: Fraction;
}

export interface MoveCost {
  readonly currency: string;
  /** Bills of the whole project for the whole months. */
  readonly before: Micros;
  readonly after: Micros;
  /** `after − before`: below 0 it saves. */
  readonly delta: Micros;
  /** Rounded to whole bytes and requests by CDN, country group, month, and contract. */
  readonly moved: Readonly<Volume>;
  /** The part of it that neither bill knows of: without a price where it was, and where it would be. */
  readonly unpriced: { readonly before: readonly Unpriced[]; readonly after: readonly Unpriced[] };
}

export function costOfMove(book: PriceBook, question: MoveQuestion): MoveCost {
  const { from, to, share } = question;
  const cells = createCells(book);
  const slice = cells.sumsOf(question.slice);
  const all = cells.largest(cells.sumsOf(question.totals), slice);
  const left = new Map(all);
  const taken: Usage[] = [];
  for (const [id, cell] of slice) {
    if (cell.cdn !== from) continue;
    const part = partOf(cell, share);
    left.set(id, { ...cell, ...without(all.get(id) ?? cell, part) });
    taken.push({ ...cell, ...part });
  }
  const given = taken.map((usage) => ({ ...usage, cdn: to }));
  const before = invoice(book, all.values()).micros;
  const after = invoice(book, [...left.values(), ...given]).micros;
  const unpriced = {
    before: invoice(book, taken).unpriced,
    after: invoice(book, given).unpriced,
  };
  const { currency } = book;
  return { currency, before, after, delta: after - before, moved: sumOf(taken), unpriced };
}

function partOf({ bytes, requests, originBytes }: Volume, share: Fraction): Volume {
  const of = (amount: bigint): bigint => rounded(amount * share.numerator, share.denominator);
  return { bytes: of(bytes), requests: of(requests), originBytes: of(originBytes) };
}

function without(all: Volume, part: Volume): Volume {
  return {
    bytes: all.bytes - part.bytes,
    requests: all.requests - part.requests,
    originBytes: all.originBytes - part.originBytes,
  };
}

function sumOf(usage: readonly Usage[]): Volume {
  const sum = noVolume();
  for (const each of usage) addTo(sum, each);
  return sum;
}

const PARTS = 1_000_000;

export interface MoveAsk {
  readonly book: PriceBook;
  readonly scope: CostScope;
  readonly from: string;
  readonly to: string;
  /** 0 to 1; taken in millionths. */
  readonly share: number;
}

/** A move of views, as a what-if question found it. */
export interface MovedViews {
  readonly scope: Scope;
  readonly from: string;
  readonly to: string;
  /** Views of the slice on `from`, and those that move. */
  readonly viewsFrom: number;
  readonly viewsMoved: number;
}

/**
 * The price half of a what-if answer; null where nobody gave a price book. Of what the slice had from a CDN there moves
 * the same share as of its views.
 */
export function createMoveCost(deps: CostDeps & { readonly prices?: Prices }) {
  return async (move: MovedViews, signal: AbortSignal, request: FastifyRequest) => {
    const book = findBook(request, deps.prices);
    if (book === undefined) return null;
    const { from, to, viewsFrom, viewsMoved } = move;
    const share = viewsFrom === 0 ? 0 : viewsMoved / viewsFrom;
    const scope = { ...move.scope, source: 'edge' } as const;
    return askMove(deps, { book, scope, from, to, share }, signal);
  };
}

/** What a move costs, as it is answered. */
export async function askMove(deps: CostDeps, ask: MoveAsk, signal: AbortSignal) {
  const { book, scope, from, to } = ask;
  const usage = await askUsage(deps, { book, scope, key: NO_KEY, waste: false }, signal);
  const numerator = BigInt(Math.round(Math.min(1, Math.max(0, ask.share)) * PARTS));
  const cost = costOfMove(book, {
    totals: usage.totals,
    slice: usage.cells.map((cell) => cell.usage),
    ...{ from, to },
    share: { numerator, denominator: BigInt(PARTS) },
  });
  return {
    source: scope.source,
    currency: cost.currency,
    share_moved: Number(numerator) / PARTS,
    delta: signedText(cost.delta),
    months_cost: microsText(cost.before),
    months_cost_after: microsText(cost.after),
    moved: amounts(cost.moved),
    unpriced_before: unpricedOf({ unpriced: cost.unpriced.before }),
    unpriced_after: unpricedOf({ unpriced: cost.unpriced.after }),
  };
}
