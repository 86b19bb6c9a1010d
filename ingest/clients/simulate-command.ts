/**
 * The `simulate` command: options in, progress, counts and the truth out, an exit code back.
 *
 * Guarantees: on a terminal a progress bar where the end is known, else a plain line every few seconds; the tables are
 * the last thing on stdout; what went wrong is on stderr with what to do. Exit 0: all that was sent was taken. 1:
 * something was not, or nothing was. 2: an option is wrong. The first SIGINT or SIGTERM ends it gracefully.
 */
import { writeFile } from 'node:fs/promises';
import cliProgress from 'cli-progress';
import { type SimulateProgress, type SimulateResult, simulate } from './simulate.ts';
import {
  readSimulateArgs,
  type SimulateArgs,
  SimulateError,
  type SimulateErrorCode,
} from './simulate-options.ts';
import { type SimulateCounts, simulateKinds } from './simulate-sender.ts';
import type { Truth } from './simulation/truth.ts';

/** Time between two lines of progress where there is no bar. */
const PROGRESS_LINE_MS = 5_000;

export interface SimulateCommandIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
  /** Ends the simulation gracefully; without one, SIGINT and SIGTERM do. */
  readonly signal?: AbortSignal | undefined;
}

const EXIT_CODES: Readonly<Record<SimulateErrorCode, number>> = {
  simulate_option_invalid: 2,
  simulate_truth_unwritable: 2,
  simulate_unreachable: 1,
  simulate_key_refused: 1,
};

/** Runs the command; never throws for what a user can put right. */
export async function runSimulateCommand(
  args: SimulateArgs,
  io: SimulateCommandIo,
): Promise<number> {
  const signals = io.signal === undefined ? listenToSignals() : undefined;
  try {
    return await run(args, io, io.signal ?? signals?.signal);
  } catch (error) {
    if (!(error instanceof SimulateError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return EXIT_CODES[error.code];
  } finally {
    signals?.end();
  }
}

async function run(
  args: SimulateArgs,
  io: SimulateCommandIo,
  signal: AbortSignal | undefined,
): Promise<number> {
  const plan = readSimulateArgs(args);
  // Before anything is sent, because a truth that cannot be written afterwards is lost.
  if (plan.truthFile !== undefined) await writeTruth(plan.truthFile, '');
  const bar = io.stdout.isTTY === true && Number.isFinite(plan.durationMs);
  const progress = bar ? progressBar(io.stdout, plan.durationMs) : progressLines(io.stdout);
  let result: SimulateResult;
  try {
    result = await simulate({ plan, onProgress: progress.show, signal });
  } finally {
    progress.end();
  }
  if (plan.truthFile !== undefined) {
    const known = { ...result.truth, transport: result.counts };
    await writeTruth(plan.truthFile, `${JSON.stringify(known, null, 1)}\n`);
  }
  io.stdout.write(`${table(result)}\n${summary(result.truth)}\n`);
  for (const note of notes(result)) io.stderr.write(`${note}\n`);
  return isClean(result) ? 0 : 1;
}

/** A signal that the first SIGINT or SIGTERM aborts; the second does what it does by default. */
function listenToSignals(): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.once(name, stop);
  return {
    signal: controller.signal,
    end: () => {
      for (const name of names) process.removeListener(name, stop);
    },
  };
}

async function writeTruth(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SimulateError(
      'simulate_truth_unwritable',
      `--truth ${file} cannot be written: ${reason}.`,
      { cause },
    );
  });
}

interface ProgressView {
  readonly show: (progress: SimulateProgress) => void;
  readonly end: () => void;
}

function progressBar(stream: NodeJS.WritableStream, durationMs: number): ProgressView {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percentage} % | {viewers} viewers | {reports} reports | {duration_formatted}',
    barCompleteChar: '#',
    barIncompleteChar: '-',
    hideCursor: true,
  });
  bar.start(durationMs, 0, { viewers: 0, reports: 0 });
  return {
    show: ({ simulatedMs, viewers, counts }) =>
      bar.update(simulatedMs, { viewers, reports: total(counts, 'reports') }),
    end: () => bar.stop(),
  };
}

function progressLines(stream: NodeJS.WritableStream): ProgressView {
  let nextLineMs = performance.now() + PROGRESS_LINE_MS;
  return {
    show({ simulatedMs, viewers, viewsClosed, behindMs, counts }) {
      if (performance.now() < nextLineMs) return;
      nextLineMs = performance.now() + PROGRESS_LINE_MS;
      const behind = behindMs > 0 ? `, ${behindMs} ms behind` : '';
      stream.write(
        `simulate: ${Math.floor(simulatedMs / 1_000)} s, ${viewers} viewers, ${viewsClosed} views closed, ` +
          `${total(counts, 'reports')} reports sent, ${total(counts, 'rejected')} rejected${behind}\n`,
      );
    },
    end: () => {},
  };
}

type CountName = Exclude<keyof SimulateCounts, 'answers'>;

function total(counts: SimulateResult['counts'], name: CountName): number {
  return simulateKinds.reduce((sum, kind) => sum + counts[kind][name], 0);
}

const COLUMNS: readonly (readonly [string, CountName])[] = [
  ['bodies', 'bodies'],
  ['reports', 'reports'],
  ['accepted', 'accepted'],
  ['rejected', 'rejected'],
  ['failed', 'failedReports'],
  ['skipped', 'skipped'],
  ['retries', 'retries'],
];

/** Bodies and retries count bodies; all else counts events, records or lines. */
function table({ counts }: SimulateResult): string {
  const header = ['kind', ...COLUMNS.map(([title]) => title)];
  const rows = simulateKinds.map((kind) => [
    kind,
    ...COLUMNS.map(([, name]) => String(counts[kind][name])),
  ]);
  return [header, ...rows]
    .map(
      ([kind = '', ...cells]) => kind.padEnd(8) + cells.map((cell) => cell.padStart(10)).join(''),
    )
    .join('\n');
}

function summary({ views, started, sums, failures, outcomes, troubles }: Truth): string {
  const played = sums.playing_ms + sums.rebuffer_ms;
  const share = played === 0 ? 0 : sums.rebuffer_ms / played;
  const hours = (sums.playing_ms / 3_600_000).toFixed(2);
  const failed = failures.playback_technical + failures.business;
  return (
    `truth: ${views} views, ${started} started, ${failed} failed, ` +
    `${outcomes.exit_before_start ?? 0} left before the start, ${outcomes.dropped ?? 0} dropped; ` +
    `${hours} h played, rebuffering ${(100 * share).toFixed(2)} %; ${troubles.length} troubles planted`
  );
}

function notes(result: SimulateResult): string[] {
  const lines: string[] = [];
  for (const kind of simulateKinds) {
    const { answers, skipped } = result.counts[kind];
    for (const [answer, times] of Object.entries(answers)) {
      const lacks = skipped > 0 && /^(404|501)/.test(answer);
      const hint = lacks ? `: the server lacks this route, ${skipped} reports were skipped` : '';
      lines.push(`${kind}: answered ${answer}, ${times} times${hint}.`);
    }
  }
  if (result.behindMsMax > 0)
    lines.push(`The simulation was up to ${result.behindMsMax} ms behind its pace.`);
  if (total(result.counts, 'accepted') === 0) lines.push('No report was accepted.');
  return lines;
}

function isClean({ counts }: SimulateResult): boolean {
  const refused = total(counts, 'rejected') + total(counts, 'failedReports');
  return refused === 0 && total(counts, 'accepted') > 0;
}
