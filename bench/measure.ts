/**
 * What a measurement is, and what is said of several.
 *
 * Guarantee: CPU time is that of the whole measured process (user and system, all its threads: garbage collection,
 * LMDB and chDB count), so that work moved to another thread is not work saved.
 */

/** One repetition. */
export interface Sample {
  /** Events, or rows, that went through. */
  readonly events: number;
  /** CPU time of the process, ms. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Median of several repetitions, with the least and the most. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Runs some work and measures its process. The work returns how many events it took. */
export async function measured(work: () => number | Promise<number>): Promise<Sample> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const events = await work();
  return { events, ...sinceCpu(startCpu), wallMs: performance.now() - startMs };
}

/** CPU time of this process since `process.cpuUsage()` gave `start`. */
export function sinceCpu(start: NodeJS.CpuUsage): { readonly cpuMs: number } {
  const { user, system } = process.cpuUsage(start);
  return { cpuMs: (user + system) / 1_000 };
}

/** Events a CPU-second. */
export function rateOf({ events, cpuMs }: Sample): number {
  return (events / cpuMs) * 1_000;
}

/** @throws RangeError without values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError('no values to summarise');
  return { median: quantile(sorted, 0.5), min, max };
}

/** Quantile of sorted values, linear between neighbours. NaN without values. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}
