/**
 * Processes that are started together and end together.
 *
 * Guarantee: none outlives this process, and none is started once the group has ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export type Stdio = readonly ('ignore' | 'pipe' | 'inherit' | number)[];

export class Children {
  readonly #living = new Set<ChildProcess>();
  #ended = false;

  /** Starts a process from the root of the tree. */
  spawn([command, ...args]: readonly string[], stdio: Stdio): ChildProcess {
    if (this.#ended) throw new Error('what these processes are for is over');
    const child = spawn(command as string, args, { cwd: ROOT, stdio: [...stdio] });
    for (const set of [living, this.#living]) {
      set.add(child);
      child.once('exit', () => set.delete(child));
    }
    return child;
  }

  /** Ends them all at once; resolves when they are gone. */
  async end(): Promise<void> {
    this.#ended = true;
    const gone = [...this.#living].map((child) => once(child, 'exit'));
    for (const child of this.#living) child.kill('SIGKILL');
    await Promise.all(gone);
  }
}
