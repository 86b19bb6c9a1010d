/**
 * Who owns a data directory: one process at a time.
 *
 * A pid alone does not name a process: pids come again, in a container almost at once. So an owner is a pid and the
 * moment that process started, as the kernel tells it; after `kill -9` nothing matches and the directory is free.
 * The claim itself is made inside a write transaction of LMDB, whose lock is the operating system's and goes with its
 * process, so two processes that start together cannot both win. Processes in different pid namespaces do not see
 * each other: do not share a directory between containers.
 */
import { readFileSync } from 'node:fs';

/** A process, named so that no later one can be mistaken for it. */
export interface Owner {
  readonly pid: number;
  /** Boot id and start time in ticks; empty where the kernel does not tell. */
  readonly startedAt: string;
}

export function thisProcess(): Owner {
  return { pid: process.pid, startedAt: startOf(process.pid) ?? '' };
}

/** True when this very process is still running. Without a readable start time, its pid decides. */
export function isRunning(owner: Owner): boolean {
  if (!pidExists(owner.pid)) return false;
  const startedAt = startOf(owner.pid);
  return startedAt === undefined || owner.startedAt === '' || startedAt === owner.startedAt;
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Start of a process, from proc(5); `dead` for a zombie, undefined where it cannot be read. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name and may hold spaces and brackets: count from its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return 'dead';
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${bootId}:${startTicks}`;
  } catch {
    return undefined;
  }
}
