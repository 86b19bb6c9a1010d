/**
 * Studentised bootstrap over blocks of viewers: how far an estimate may lie from what it estimates, and to which side.
 *
 * Each replicate draws as many blocks as there are, of either CDN by itself, and notes its error in units of its own
 * standard error. The quantiles of these say more than a normal distribution would where few views carry most of a sum,
 * as with rebuffering. Guarantee: the same contributions give the same interval.
 */
import { drawsBelow } from './random.ts';

const SEED = 0x5eed;

/** What each block adds to the error of an estimate, on either CDN; each list sums to 0. */
export interface Contributions {
  readonly to: Float64Array;
  readonly from: Float64Array;
}

export interface ErrorBounds {
  /** The estimate minus the truth is at least, and at most, this, as often as asked. */
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly replicates: number;
  readonly confidence: number;
}

/** Null when nothing varies, or too little for a replicate to have an error of its own. */
export function errorBounds(
  { to, from }: Contributions,
  { replicates, confidence }: BootstrapOptions,
): ErrorBounds | null {
  const standardError = Math.sqrt(varianceOf(to) + varianceOf(from));
  if (!(standardError > 0)) return null;
  const draw = drawsBelow(to.length, SEED);
  const ratios = new Float64Array(replicates);
  for (let nth = 0; nth < replicates; nth++) {
    const there = resample(to, draw);
    const here = resample(from, draw);
    ratios[nth] = (there.sum - here.sum) / Math.sqrt(there.variance + here.variance);
  }
  ratios.sort();
  const tail = (1 - confidence) / 2;
  const low = quantile(ratios, tail) * standardError;
  const high = quantile(ratios, 1 - tail) * standardError;
  return Number.isFinite(low) && Number.isFinite(high) ? { low, high } : null;
}

/** Variance of a sum of independent contributions whose mean is 0. */
function varianceOf(contributions: Float64Array): number {
  const squares = contributions.reduce((sum, each) => sum + each * each, 0);
  return (squares * contributions.length) / (contributions.length - 1);
}

function resample(
  contributions: Float64Array,
  draw: () => number,
): { sum: number; variance: number } {
  const count = contributions.length;
  let sum = 0;
  let squares = 0;
  for (let nth = 0; nth < count; nth++) {
    const each = contributions[draw()] ?? 0;
    sum += each;
    squares += each * each;
  }
  return { sum, variance: ((squares - (sum * sum) / count) * count) / (count - 1) };
}

/** Of sorted values, between neighbours. */
function quantile(sorted: Float64Array, level: number): number {
  const place = level * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
