/**
 * Replays recorded telemetry against a running ingest.
 *
 * Guarantees: the requests of one recording arrive in recorded order, one at a time; recordings run side by side; with
 * a speed, no request is sent before its recorded moment divided by the speed. Recorded timestamps go out unchanged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import {
  type EdgeBatchLimits,
  ReplayError,
  type ReplayForm,
  type ReplayPlan,
} from './replay-plan.ts';
import { findRecordings, planRecording, type Recording } from './replay-recording.ts';
import {
  createReplaySender,
  type ReplayCounts,
  type ReplaySender,
  type ReplaySenderLimits,
  replaySenderLimits,
} from './replay-sender.ts';

export interface ReplayLimits extends ReplaySenderLimits, EdgeBatchLimits {
  /** A larger recording is refused, bytes: it is read whole. */
  readonly recordingBytesMax: number;
}

export const replayLimits: ReplayLimits = {
  ...replaySenderLimits,
  recordingBytesMax: 256 * 1024 * 1024,
  edgeBatchLinesMax: 500,
  edgeBatchBytesMax: 512 * 1024,
  edgeBatchSpanMs: 5_000,
};

/** Recordings played side by side unless told otherwise. */
export const REPLAY_CONCURRENCY = 4;

/** A wait is cut into pieces, because a timer beyond 24 days would fire at once. */
const SLEEP_MS_MAX = 60_000;

/** Time as the pace of a replay sees it. */
export interface ReplayClock {
  /** Milliseconds since any fixed moment; never steps back. */
  nowMs(): number;
  /** Resolves after some milliseconds; rejects when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: ReplayClock = {
  nowMs: () => performance.now(),
  wait: async (ms, signal) => sleep(ms, undefined, { signal }),
};

export interface ReplayOptions {
  /** Recording folders, folders of them, or single files. */
  readonly paths: readonly string[];
  /** Base address of the ingest. */
  readonly url: string;
  /** Write key. */
  readonly key: string;
  readonly forms: readonly ReplayForm[];
  /** Recorded time passes this many times faster; absent: as fast as it goes. */
  readonly speed?: number | undefined;
  /** Recordings side by side. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** Stops after the requests under way; the result is what was done until then. */
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<ReplayLimits> | undefined;
  readonly clock?: ReplayClock | undefined;
}

export interface ReplayProgress {
  /** Bytes of the recordings dealt with, and in all. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly requestsDone: number;
}

export interface ReplayResult {
  readonly recordings: number;
  /** For each form asked for. */
  readonly forms: Readonly<Partial<Record<ReplayForm, ReplayCounts>>>;
  /** Lines of the recordings that could not be read. */
  readonly brokenLines: number;
  /** Lines that are no telemetry of the forms asked for. */
  readonly leftOutLines: number;
  /** True when the signal ended it early. */
  readonly stopped: boolean;
}

/**
 * Sends what was recorded and tells what became of it. Answers that refuse a request are counted, not thrown.
 * @throws ReplayError when there is nothing to replay, an option is wrong, or no ingest answers.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const url = checkOptions(options);
  const recordings = await findRecordings(options.paths);
  // One recording that cannot go on ends the others too.
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(options.signal ? [options.signal] : [])]);
  const limits = { ...replayLimits, ...options.limits };
  const sender = createReplaySender({ url, key: options.key, signal, limits });
  const run = createRun(options, recordings, sender, signal);
  const limit = pLimit(options.concurrency ?? REPLAY_CONCURRENCY);
  const played = recordings.map((recording) =>
    limit(async () => {
      if (signal.aborted) return;
      const plan = await planRecording(recording, run.forms, limits);
      await run.play(recording, plan).catch((error: unknown) => ignoreStop(error, options.signal));
    }).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  const ends = await Promise.allSettled(played);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failure.signal.reason;
  return run.result(options.signal?.aborted ?? false);
}

interface Run {
  readonly forms: ReadonlySet<ReplayForm>;
  play(recording: Recording, plan: ReplayPlan): Promise<void>;
  result(stopped: boolean): ReplayResult;
}

function createRun(
  options: ReplayOptions,
  recordings: readonly Recording[],
  sender: ReplaySender,
  signal: AbortSignal,
): Run {
  const forms = new Set(options.forms);
  const clock = options.clock ?? systemClock;
  const bytesTotal = recordings.reduce((sum, { bytes }) => sum + bytes, 0);
  const total = { bytesDone: 0, requestsDone: 0, brokenLines: 0, leftOutLines: 0 };

  function advance(bytes: number): void {
    total.bytesDone = Math.min(bytesTotal, total.bytesDone + bytes);
    const { bytesDone, requestsDone } = total;
    options.onProgress?.({ bytesDone, bytesTotal, requestsDone });
  }

  return {
    forms,
    async play(recording, plan) {
      total.brokenLines += plan.brokenLines;
      total.leftOutLines += plan.leftOutLines;
      const sentBytes = plan.requests.reduce((sum, { recordedBytes }) => sum + recordedBytes, 0);
      advance(recording.bytes - sentBytes);
      const startedMs = clock.nowMs();
      const firstAtMs = plan.requests[0]?.atMs ?? 0;
      for (const request of plan.requests) {
        signal.throwIfAborted();
        // The gap to the recording's first request is kept, so that waits do not add up.
        const gapMs = request.atMs - firstAtMs;
        if (options.speed !== undefined)
          await waitUntil(startedMs + gapMs / options.speed, clock, signal);
        await sender.send(request);
        total.requestsDone += 1;
        advance(request.recordedBytes);
      }
    },
    result: (stopped) => ({
      recordings: recordings.length,
      forms: Object.fromEntries([...forms].map((form) => [form, sender.counts[form]])),
      brokenLines: total.brokenLines,
      leftOutLines: total.leftOutLines,
      stopped,
    }),
  };
}

async function waitUntil(dueMs: number, clock: ReplayClock, signal: AbortSignal): Promise<void> {
  for (let leftMs = dueMs - clock.nowMs(); leftMs > 0; leftMs = dueMs - clock.nowMs()) {
    await clock.wait(Math.min(leftMs, SLEEP_MS_MAX), signal);
  }
}

/** Being stopped by the caller is an end, not a failure. */
function ignoreStop(error: unknown, signal: AbortSignal | undefined): void {
  if (signal?.aborted && !(error instanceof ReplayError)) return;
  throw error;
}

/** Checks what a user can get wrong; returns the address without the slash at its end. */
function checkOptions({ url, key, speed, concurrency, forms }: ReplayOptions): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw invalid(`--url ${url} is no address: write it like http://127.0.0.1:8080.`);
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw invalid('--key is a write key: letters, digits and signs without spaces.');
  }
  if (speed !== undefined && !(Number.isFinite(speed) && speed > 0)) {
    throw invalid('--speed is a number above 0: 1 is real time, 10 ten times as fast.');
  }
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    throw invalid('--concurrency is a whole number above 0.');
  }
  if (forms.length === 0) {
    throw invalid('--form names what to send: cmcd, epas or edge.');
  }
  return url.replace(/\/+$/, '');
}

function invalid(message: string): ReplayError {
  return new ReplayError('replay_option_invalid', message);
}
