/**
 * Files that operators write, and change while the program runs.
 *
 * Guarantee: a change between a look at a file and its reading is not lost, as long as it is noted before it is read.
 */
import { readFileSync, statSync } from 'node:fs';

export interface WatchedFiles {
  /** Notes how a file is now, and watches it from then on. */
  note(path: string): void;
  /** Watches nothing, until a file is noted. */
  clear(): void;
  /** Looks from now on every so many ms; 0 never. */
  start(intervalMs: number): void;
  close(): void;
}

/** Tells once for each look that found a file changed, gone, or there again. */
export function watchFiles(onChange: () => void): WatchedFiles {
  const stamps = new Map<string, string>();
  const look = (): void => {
    if ([...stamps].some(([path, stamp]) => stampOf(path) !== stamp)) onChange();
  };
  let watcher: NodeJS.Timeout | undefined;
  return {
    note: (path) => void stamps.set(path, stampOf(path)),
    clear: () => stamps.clear(),
    start: (intervalMs) => {
      if (intervalMs > 0) watcher = setInterval(look, intervalMs).unref();
    },
    close: () => clearInterval(watcher),
  };
}

/** What changes when the file does. */
function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'missing' : [stat.mtimeNs, stat.size, stat.ino].join();
}

export type TextRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string; readonly cause: unknown };

/** The text of a file, or in a few words why there is none. */
export function readTextFile(path: string): TextRead {
  try {
    return { ok: true, text: readFileSync(path, 'utf8') };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return { ok: false, reason: `cannot be read (${code})`, cause };
  }
}
