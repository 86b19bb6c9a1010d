/**
 * The benchmarks: stages alone and the whole, events a CPU-second, each against a named baseline of the same run.
 *
 * Guarantee: what is measured is compiled first, as for production (a loader that compiles on the fly adds a call to every
 * named closure), and runs in processes of its own. Loads are simulated from a seed. What a run makes lies in a temporary
 * folder and goes when it ends, by failure too.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { writeRecordFile } from './load/record-file.ts';
import { type SimulatedBeat, simulateBeats } from './load/simulated-beats.ts';
import {
  BenchOptionError,
  type BenchOptions,
  HELP,
  readBenchOptions,
  type StageName,
} from './options.ts';
import { toMarkdown, toText } from './report.ts';
import { type BenchResult, type StageResult, thisMachine } from './result.ts';
import { FULL, QUICK, type Sizes } from './sizes.ts';
import type { StageDeps } from './stage.ts';
import { decodeStage } from './stages/decode.ts';
import { foldStage } from './stages/fold.ts';
import { freshnessStage } from './stages/freshness.ts';
import { ingestStage } from './stages/ingest.ts';
import { logStage } from './stages/log.ts';
import { queriesStage } from './stages/queries.ts';
import { recoveryStage } from './stages/recovery.ts';
import { storeStage } from './stages/store.ts';
import { wholeStage } from './stages/whole.ts';
import { openSubject } from './subject.ts';

const ROOT = join(import.meta.dirname, '..');
const RESULT_FILE = join(import.meta.dirname, 'results', 'latest.json');
const DOCS_FILE = join(ROOT, 'docs', 'benchmarks.md');
/** Each run has its own, so that runs side by side do not take each other's code away. */
const BUILD_DIR = join(import.meta.dirname, 'dist', String(process.pid));
const SUBJECTS_ENTRY = join(BUILD_DIR, 'bench', 'subject-main.js');
/** Where the simulated clock of stages without a server begins. */
const START_AT_MS = 1_767_225_600_000;
const EXIT_WRONG_USE = 2;

const STAGES: Readonly<Record<StageName, (deps: StageDeps) => Promise<StageResult>>> = {
  decode: decodeStage,
  fold: foldStage,
  ingest: ingestStage,
  log: logStage,
  store: storeStage,
  whole: wholeStage,
  freshness: freshnessStage,
  recovery: recoveryStage,
  queries: queriesStage,
};

/** Progress goes to stderr, results to stdout. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Types are checked elsewhere: an error of types stops nothing here, a file that was not written does. */
function compile(): void {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(import.meta.dirname, 'tsconfig.json');
  const args = [compiler, '-p', project, '--outDir', BUILD_DIR];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) say(`compiled with errors:\n${stdout.trim()}`);
}

function depsOf(options: BenchOptions, sizes: Sizes, folder: string): StageDeps {
  const { seed, profileDir } = options;
  const file = join(folder, 'records');
  let beats: SimulatedBeat[] | undefined;
  let written = false;
  const simulated = (): SimulatedBeat[] => {
    const load = { seed, viewers: sizes.foldViewers, durationMs: sizes.foldMs };
    beats ??= simulateBeats({ ...load, startAtMs: START_AT_MS });
    return beats;
  };
  return {
    sizes,
    seed,
    say,
    beats: simulated,
    recordFile: () => {
      if (!written) writeRecordFile(file, simulated());
      written = true;
      return file;
    },
    freshDirectory: () => mkdtempSync(join(folder, 'data-')),
    open: (name, input) => openSubject(name, input, { entry: SUBJECTS_ENTRY, profileDir }),
  };
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'streamgauge-bench-'));
  try {
    compile();
    const deps = depsOf(options, options.quick ? QUICK : FULL, folder);
    const stages: StageResult[] = [];
    for (const name of options.stages) {
      say(`${name} …`);
      stages.push(await STAGES[name](deps));
    }
    const { quick, seed } = options;
    const at = new Date().toISOString();
    return { version: 1, at, quick, seed, machine: thisMachine(), stages };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(BUILD_DIR, { recursive: true, force: true });
  }
}

async function main(args: readonly string[]): Promise<void> {
  const options = readBenchOptions(args, RESULT_FILE);
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const result = await run(options);
  const file = resolve(options.jsonFile);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (options.writeDocs) writeFileSync(DOCS_FILE, toMarkdown(result));
  process.stdout.write(`${toText(result)}\n${file}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BenchOptionError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_WRONG_USE;
}
