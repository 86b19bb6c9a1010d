/**
 * Figures of cost as they are answered.
 *
 * Guarantee: an amount is a decimal of six digits, exact; a figure for one hour, view or gigabyte is an exact fraction,
 * rounded once, half to even. No amount ever is a floating-point number.
 */
import { type Micros, microsText, rounded } from '../../platform/prices/money.ts';
import type { CostShare } from '../../platform/prices/share.ts';
import type { Volume } from '../../platform/prices/usage.ts';
import type { Watched } from './ask-cost.ts';
import { OVERSIZED, UNPLAYED, type Wasted } from './waste.ts';

const HOUR_MS = 3_600_000n;
const GIGABYTE = 1_000_000_000n;

/** What a quantity cost for one of it; null without any. */
export function perOne(micros: Micros, quantity: bigint, one = 1n): string | null {
  return quantity === 0n ? null : microsText(rounded(micros * one, quantity));
}

/** An amount that may be negative. */
export function signedText(micros: Micros): string {
  return micros < 0n ? `-${microsText(-micros)}` : microsText(micros);
}

export function hourlyMicros(micros: Micros, { playingMs }: Watched): Micros | undefined {
  return playingMs === 0n ? undefined : rounded(micros * HOUR_MS, playingMs);
}

export function amounts({ bytes, requests, originBytes }: Volume) {
  return {
    bytes: Number(bytes),
    requests: Number(requests),
    origin_bytes: Number(originBytes),
  };
}

/** Cost, volume, and what the views of it played; `watched` is undefined where views have no such dimension. */
export function figuresOf(share: CostShare, watched: Watched | undefined) {
  const { micros, microsByKind, volume, unpriced } = share;
  return {
    cost: microsText(micros),
    cost_by_kind: {
      bytes: microsText(microsByKind.bytes),
      requests: microsText(microsByKind.requests),
      origin_egress: microsText(microsByKind.originBytes),
    },
    ...amounts(volume),
    unpriced: amounts(unpriced),
    views: watched === undefined ? null : Number(watched.views),
    playing_time: watched === undefined ? null : Number(watched.playingMs),
    watched_hours: watched === undefined ? null : Number(watched.playingMs) / Number(HOUR_MS),
    cost_per_watched_hour: perOne(micros, watched?.playingMs ?? 0n, HOUR_MS),
    cost_per_view: perOne(micros, watched?.views ?? 0n),
    cost_per_gigabyte: perOne(micros, volume.bytes, GIGABYTE),
  };
}

/** The parts of a row, or of the pools of the overall, that were of no use. */
export function wasteOf(shares: readonly CostShare[], wasted: Wasted | undefined) {
  const bytes = sumOf(shares, ({ volume }) => volume.bytes);
  const part = (name: string, knownBytes: bigint) => {
    const parts = shares.flatMap(({ children }) => children.filter(({ key }) => key === name));
    return {
      bytes: Number(sumOf(parts, ({ volume }) => volume.bytes)),
      cost: microsText(sumOf(parts, ({ micros }) => micros)),
      coverage: coverageOf(knownBytes, bytes),
    };
  };
  return {
    unplayed: part(UNPLAYED, wasted?.knownBytes ?? 0n),
    oversized: part(OVERSIZED, wasted?.sizedBytes ?? 0n),
  };
}

const coverageOf = (known: bigint, all: bigint): number | null =>
  all === 0n ? null : Math.min(1, Number(known) / Number(all));

export function sumOf<Item>(items: readonly Item[], of: (item: Item) => bigint): bigint {
  return items.reduce((sum, item) => sum + of(item), 0n);
}
