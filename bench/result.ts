/** What a run of the benchmarks says: the shape of the JSON, and what the table is made of. */
import { cpus, totalmem } from 'node:os';
import { rateOf, type Sample, type Spread, spreadOf } from './measure.ts';

/** One way to do a stage's work. */
export interface VariantResult {
  readonly name: string;
  /** What is counted: `events`, `rows`. */
  readonly unit: string;
  /** Counted a repetition. */
  readonly count: number;
  readonly repetitions: number;
  /** Units a CPU-second of the measured process. */
  readonly perCpuSecond: Spread;
  /** Units a second of wall time, median: smaller or larger than the above as cores were idle or shared. */
  readonly perSecond: number;
  /** Median over the baseline's median; 1 for the baseline itself, null where a stage has none. */
  readonly ratio: number | null;
}

export interface StageResult {
  readonly stage: string;
  readonly title: string;
  /** Name of the variant that ratios are against; null without. */
  readonly baseline: string | null;
  readonly variants: readonly VariantResult[];
  /** Other figures by name; the unit is in the name. */
  readonly facts: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  /** What should not be as it is. */
  readonly warnings: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly platform: string;
}

export interface BenchResult {
  readonly version: 1;
  /** When it ended, ISO 8601. */
  readonly at: string;
  readonly quick: boolean;
  readonly seed: number;
  readonly machine: Machine;
  readonly stages: readonly StageResult[];
}

/** Repetitions of one variant. */
export interface VariantSamples {
  readonly name: string;
  readonly unit?: string;
  readonly samples: readonly Sample[];
}

/** Summarises variants against one of them. */
export function compare(
  variants: readonly VariantSamples[],
  baseline: string | null,
): VariantResult[] {
  const base = variants.find(({ name }) => name === baseline);
  const baseRate = base && spreadOf(base.samples.map(rateOf)).median;
  return variants.map(({ name, unit = 'events', samples }) => {
    const perCpuSecond = spreadOf(samples.map(rateOf));
    const walls = samples.map(({ events, wallMs }) => (events / wallMs) * 1_000);
    return {
      name,
      unit,
      count: spreadOf(samples.map(({ events }) => events)).median,
      repetitions: samples.length,
      perCpuSecond,
      perSecond: spreadOf(walls).median,
      ratio: baseRate === undefined ? null : perCpuSecond.median / baseRate,
    };
  });
}

export function thisMachine(): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}
