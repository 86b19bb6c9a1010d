/**
 * Reads recorded telemetry from disk and turns it into the requests that a replay sends.
 *
 * Guarantees: the requests of a recording are in the order of their recorded times; bodies are the recorded ones,
 * unchanged; what is not sent (preflights, other vendors' beacons, forms not asked for, broken lines) is counted.
 *
 * A recording is a folder with `posts.ndjson` (what players posted, one request a line) and `access.ndjson` (what the
 * edge logged, one request a line), or with one of them, or a single file of either kind.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { planAccessLog } from './replay-access-log.ts';
import {
  type EdgeBatchLimits,
  parseLine,
  ReplayError,
  type ReplayForm,
  type ReplayPlan,
} from './replay-plan.ts';
import { planPosts } from './replay-posts.ts';

/** The files of one recording. */
export interface Recording {
  readonly files: readonly string[];
  readonly bytes: number;
}

const RECORDING_FILES: readonly string[] = ['posts.ndjson', 'access.ndjson'];

/**
 * The recordings under some paths, in the order of the paths, then of their names. Folders are searched to any depth;
 * symbolic links inside them are not followed. Files of one folder are one recording.
 * @throws ReplayError `replay_path_missing`, `replay_nothing_found`.
 */
export async function findRecordings(paths: readonly string[]): Promise<Recording[]> {
  const filesByFolder = new Map<string, Set<string>>();
  for (const path of paths) {
    for (const file of await recordedFiles(resolve(path))) {
      const folder = dirname(file);
      filesByFolder.set(folder, (filesByFolder.get(folder) ?? new Set()).add(file));
    }
  }
  if (filesByFolder.size === 0) {
    throw new ReplayError(
      'replay_nothing_found',
      `No recording in ${paths.join(', ')}: name a folder that holds posts.ndjson or access.ndjson, at any depth, or such a file.`,
    );
  }
  return Promise.all([...filesByFolder.values()].map(measured));
}

/** Reads a recording whole; @throws ReplayError `replay_recording_too_large` above `bytesMax`. */
export async function planRecording(
  recording: Recording,
  forms: ReadonlySet<ReplayForm>,
  limits: EdgeBatchLimits & { readonly recordingBytesMax: number },
): Promise<ReplayPlan> {
  if (recording.bytes > limits.recordingBytesMax) {
    throw new ReplayError(
      'replay_recording_too_large',
      `The recording ${recording.files.join(', ')} has ${recording.bytes} bytes, more than the ${limits.recordingBytesMax} that are read at once: split it into folders.`,
    );
  }
  const plans: ReplayPlan[] = [];
  for (const file of recording.files) {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
    plans.push(
      isAccessLog(file, lines) ? planAccessLog(lines, forms, limits) : planPosts(lines, forms),
    );
  }
  return {
    // The sort is stable: what was recorded in the same millisecond stays in the order of its file.
    requests: plans.flatMap((plan) => plan.requests).sort((a, b) => a.atMs - b.atMs),
    brokenLines: plans.reduce((sum, plan) => sum + plan.brokenLines, 0),
    leftOutLines: plans.reduce((sum, plan) => sum + plan.leftOutLines, 0),
  };
}

async function measured(files: ReadonlySet<string>): Promise<Recording> {
  const sizes = await Promise.all([...files].map(async (file) => (await stat(file)).size));
  return { files: [...files], bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

async function recordedFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new ReplayError('replay_path_missing', `There is no file or folder ${path}.`, { cause });
  });
  return found.isDirectory() ? filesBelow(path) : [path];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = new Set(entries.filter((entry) => entry.isFile()).map((entry) => entry.name));
  const files = RECORDING_FILES.filter((name) => names.has(name)).map((name) => join(folder, name));
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const name of folders.sort()) {
    files.push(...(await filesBelow(join(folder, name))));
  }
  return files;
}

/** A file's kind is in its name, or, where the name is free, in its first readable line. */
function isAccessLog(file: string, lines: readonly string[]): boolean {
  if (basename(file).startsWith('access')) return true;
  if (basename(file).startsWith('posts')) return false;
  for (const line of lines) {
    const parsed = parseLine(line);
    if (parsed !== undefined) return 'request_uri' in parsed;
  }
  return false;
}
