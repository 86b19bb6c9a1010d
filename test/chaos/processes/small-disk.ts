/**
 * A place for data that fills up, and can be given room again: a small file system of its own where this process may
 * mount one, and a limit on the size of files anywhere.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  /** What kind of place it is, in words. */
  readonly name: string;
  readonly directory: string;
  /** Words before the program's own. */
  readonly launcher: readonly string[];
  /** Gives it room. False: only a program that is started again, without the launcher, has it. */
  makeRoom(): Promise<boolean>;
  remove(): Promise<void>;
}

const MIB = 1_048_576;
const ROOM_MIB = 1_024;

/** Undefined where mounting is not allowed. */
export async function mountSmallDisk(mib: number): Promise<SmallDisk | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgauge-disk-'));
  const option = (size: number): string => `size=${size}m`;
  try {
    await run('mount', ['-t', 'tmpfs', '-o', option(mib), 'tmpfs', directory]);
  } catch {
    await rm(directory, { recursive: true });
    return undefined;
  }
  const unmount = (): void => {
    execFileSync('umount', ['--lazy', directory]);
  };
  process.once('exit', unmount);
  return {
    name: `a file system of ${mib} MiB`,
    directory,
    launcher: [],
    makeRoom: async () => {
      await run('mount', ['-o', `remount,${option(ROOM_MIB)}`, directory]);
      return true;
    },
    remove: async () => {
      process.off('exit', unmount);
      unmount();
      await rm(directory, { recursive: true });
    },
  };
}

/** No file may grow beyond the limit: the log's is the one that wants to. */
export async function limitFileSize(mib: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgauge-disk-'));
  // The shell counts in blocks of 1,024 bytes, and becomes the program.
  const script = `ulimit -f ${(mib * MIB) / 1_024}; exec "$@"`;
  return {
    name: `files of at most ${mib} MiB`,
    directory,
    launcher: ['bash', '-c', script, 'program'],
    makeRoom: async () => false,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
