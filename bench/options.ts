/** The command line of the benchmarks. A wrong option is one clear line. */
import { parseArgs } from 'node:util';

export const STAGE_NAMES = [
  'decode',
  'fold',
  'ingest',
  'log',
  'store',
  'whole',
  'freshness',
  'recovery',
  'queries',
] as const;
export type StageName = (typeof STAGE_NAMES)[number];

export interface BenchOptions {
  readonly quick: boolean;
  /** Stages to run, in the order of the pipeline. */
  readonly stages: readonly StageName[];
  readonly jsonFile: string;
  readonly writeDocs: boolean;
  readonly seed: number;
  /** Folder for V8 CPU profiles of the measured processes; undefined for none. */
  readonly profileDir: string | undefined;
}

/** A wrong option; the message says what to write. */
export class BenchOptionError extends Error {}

const SEED_MAX = 0xffff_ffff;

export const HELP = `npm run bench -- [options]
  --quick            a second or two for each stage: shows that it runs, its figures mean nothing
  --only STAGES      by comma: ${STAGE_NAMES.join(', ')} (default: all)
  --json FILE        where the result is written (default: bench/results/latest.json)
  --write-docs       writes docs/benchmarks.md as well; needs a full run of all stages
  --seed N           seed of the simulated load (default: 1)
  --cpu-prof DIR     writes a V8 CPU profile of each measured process into DIR
`;

/** Reads the arguments; `help` when they ask for it. @throws BenchOptionError */
export function readBenchOptions(args: readonly string[], jsonFile: string): BenchOptions | 'help' {
  const values = parsed(args);
  if (values.help === true) return 'help';
  const stages = stagesOf(values.only);
  const quick = values.quick === true;
  const writeDocs = values['write-docs'] === true;
  if (writeDocs && (quick || stages.length < STAGE_NAMES.length))
    throw new BenchOptionError('--write-docs needs all stages, so neither --quick nor --only');
  return {
    quick,
    stages,
    writeDocs,
    jsonFile: values.json ?? jsonFile,
    seed: seedOf(values.seed),
    profileDir: values['cpu-prof'],
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string' },
        json: { type: 'string' },
        'write-docs': { type: 'boolean' },
        seed: { type: 'string' },
        'cpu-prof': { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BenchOptionError(message, { cause });
  }
}

function stagesOf(only: string | undefined): readonly StageName[] {
  if (only === undefined) return STAGE_NAMES;
  const wanted = only.split(',');
  const unknown = wanted.find((name) => !STAGE_NAMES.some((stage) => stage === name));
  if (unknown !== undefined)
    throw new BenchOptionError(`--only knows ${STAGE_NAMES.join(', ')}, not ${unknown}`);
  return STAGE_NAMES.filter((name) => wanted.includes(name));
}

function seedOf(text: string | undefined): number {
  const seed = Number(text ?? 1);
  if (text === '' || !Number.isInteger(seed) || seed < 0 || seed > SEED_MAX)
    throw new BenchOptionError(`--seed is a whole number from 0 to ${SEED_MAX}, not ${text}`);
  return seed;
}
