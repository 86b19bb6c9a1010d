/** What a stage gets, and how its variants are repeated. */
import type { SimulatedBeat } from './load/simulated-beats.ts';
import type { Sample } from './measure.ts';
import type { VariantSamples } from './result.ts';
import type { Sizes } from './sizes.ts';
import type { Subject } from './subject.ts';
import type { SubjectName } from './subject-main.ts';

export interface StageDeps {
  readonly sizes: Sizes;
  readonly seed: number;
  /** Path of the records that are decoded and folded; the file is made on first use. */
  readonly recordFile: () => string;
  /** The beats in it. */
  readonly beats: () => readonly SimulatedBeat[];
  /** A folder of the stage's own, removed when the run ends. */
  readonly freshDirectory: () => string;
  readonly open: (name: SubjectName, input?: unknown) => Promise<Subject>;
  readonly say: (line: string) => void;
}

/** A way to do the work: repeats it once and measures. */
export interface Contender {
  readonly name: string;
  readonly unit?: string;
  readonly repeat: () => Promise<Sample>;
}

/**
 * Repeats every contender in turn, so that what the machine does beside them falls on all alike. The first round warms
 * up and is not counted.
 */
export async function takeTurns(
  contenders: readonly Contender[],
  repetitions: number,
): Promise<VariantSamples[]> {
  const samples = contenders.map(({ name, unit }) => ({
    name,
    ...(unit === undefined ? {} : { unit }),
    samples: [] as Sample[],
  }));
  for (let round = 0; round <= repetitions; round++) {
    for (const [index, { repeat }] of contenders.entries()) {
      const sample = await repeat();
      if (round > 0) samples[index]?.samples.push(sample);
    }
  }
  return samples;
}
