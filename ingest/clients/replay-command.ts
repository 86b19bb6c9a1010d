/**
 * The `replay` command: options in, progress and a table of counts out, an exit code back.
 *
 * Guarantees: on a terminal a progress bar, elsewhere a plain line every few seconds; the table is the last thing on
 * stdout; what went wrong is on stderr with what to do. Exit 0: all that was sent was taken. 1: something was not, or
 * nothing was. 2: an option is wrong.
 */
import cliProgress from 'cli-progress';
import { REPLAY_CONCURRENCY, type ReplayProgress, type ReplayResult, replay } from './replay.ts';
import { ReplayError, type ReplayErrorCode, type ReplayForm, replayForms } from './replay-plan.ts';
import type { ReplayCounts } from './replay-sender.ts';

export const replayDefaults = {
  url: 'http://127.0.0.1:8080',
  key: 'dev',
  forms: ['cmcd', 'edge'] as readonly ReplayForm[],
  concurrency: REPLAY_CONCURRENCY,
};

/** Time between two lines of progress where there is no terminal. */
const PROGRESS_LINE_MS = 5_000;

export interface ReplayCommandArgs {
  readonly paths: readonly string[];
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly forms?: readonly string[] | undefined;
  readonly speed?: number | undefined;
  readonly concurrency?: number | undefined;
}

export interface ReplayCommandIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream;
  readonly signal?: AbortSignal | undefined;
}

/** Runs the command; never throws for what a user can put right. */
export async function runReplayCommand(
  args: ReplayCommandArgs,
  io: ReplayCommandIo,
): Promise<number> {
  const progress = io.stdout.isTTY ? progressBar(io.stdout) : progressLines(io.stdout);
  try {
    const result = await replay({
      paths: args.paths,
      url: args.url ?? replayDefaults.url,
      key: args.key ?? replayDefaults.key,
      forms: readForms(args.forms ?? replayDefaults.forms),
      speed: args.speed,
      concurrency: args.concurrency,
      onProgress: progress.show,
      signal: io.signal,
    });
    progress.end();
    io.stdout.write(`${table(result)}\n`);
    for (const note of notes(result)) io.stderr.write(`${note}\n`);
    return isClean(result) ? 0 : 1;
  } catch (error) {
    progress.end();
    if (!(error instanceof ReplayError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return EXIT_CODES[error.code];
  }
}

const EXIT_CODES: Readonly<Record<ReplayErrorCode, number>> = {
  replay_path_missing: 2,
  replay_nothing_found: 2,
  replay_option_invalid: 2,
  replay_recording_too_large: 2,
  replay_unreachable: 1,
};

function readForms(names: readonly string[]): ReplayForm[] {
  return names.map((name) => {
    const form = replayForms.find((known) => known === name);
    if (form !== undefined) return form;
    throw new ReplayError(
      'replay_option_invalid',
      `--form ${name} is unknown: it is one of ${replayForms.join(', ')}.`,
    );
  });
}

interface ProgressView {
  readonly show: (progress: ReplayProgress) => void;
  readonly end: () => void;
}

function progressBar(stream: NodeJS.WritableStream): ProgressView {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percentage} % | {requests} requests | {duration_formatted}',
    barCompleteChar: '#',
    barIncompleteChar: '-',
    hideCursor: true,
  });
  let started = false;
  return {
    show({ bytesDone, bytesTotal, requestsDone }) {
      if (!started) bar.start(bytesTotal, 0, { requests: 0 });
      started = true;
      bar.update(bytesDone, { requests: requestsDone });
    },
    end: () => {
      if (started) bar.stop();
    },
  };
}

function progressLines(stream: NodeJS.WritableStream): ProgressView {
  let nextLineMs = performance.now() + PROGRESS_LINE_MS;
  return {
    show({ bytesDone, bytesTotal, requestsDone }) {
      if (performance.now() < nextLineMs) return;
      nextLineMs = performance.now() + PROGRESS_LINE_MS;
      const percent = Math.floor((100 * bytesDone) / Math.max(1, bytesTotal));
      stream.write(`replay: ${percent} % done, ${requestsDone} requests\n`);
    },
    end: () => {},
  };
}

const COLUMNS: readonly (readonly [string, (counts: ReplayCounts) => number])[] = [
  ['requests', (counts) => counts.requests],
  ['accepted', (counts) => counts.acceptedRecords],
  ['rejected', (counts) => counts.rejectedRecords],
  ['failed', (counts) => counts.failed],
  ['skipped', (counts) => counts.skipped],
  ['retries', (counts) => counts.retries],
];

/** Requests, failed, skipped and retries count requests; accepted and rejected count records. */
function table(result: ReplayResult): string {
  const header = ['form', ...COLUMNS.map(([title]) => title)];
  const rows = Object.entries(result.forms).map(([form, counts]) => [
    form,
    ...COLUMNS.map(([, value]) => String(value(counts))),
  ]);
  return [header, ...rows]
    .map(
      ([form = '', ...cells]) => form.padEnd(6) + cells.map((cell) => cell.padStart(10)).join(''),
    )
    .join('\n');
}

function notes(result: ReplayResult): string[] {
  const lines: string[] = [];
  for (const [form, counts] of Object.entries(result.forms)) {
    for (const [answer, times] of Object.entries(counts.answers)) {
      lines.push(`${form}: answered ${answer}, ${times} times${hint(answer, counts)}`);
    }
  }
  if (result.brokenLines > 0) {
    lines.push(`${result.brokenLines} broken lines of the recordings were left out.`);
  }
  if (result.stopped) lines.push('Stopped before the end.');
  if (acceptedRecords(result) === 0) lines.push('No record was accepted.');
  return lines;
}

function hint(answer: string, counts: ReplayCounts): string {
  if (answer.startsWith('401')) return ': give a write key of the server with --key.';
  if (counts.skipped > 0 && /^(404|501)/.test(answer)) {
    return `: the server lacks this route, ${counts.skipped} requests were skipped.`;
  }
  return '.';
}

function acceptedRecords(result: ReplayResult): number {
  return Object.values(result.forms).reduce((sum, counts) => sum + counts.acceptedRecords, 0);
}

function isClean(result: ReplayResult): boolean {
  const failed = Object.values(result.forms).some((counts) => counts.failed > 0);
  return !failed && !result.stopped && acceptedRecords(result) > 0;
}
