/** ClickHouse as a process of its own: to be killed, stopped, and started again on its port and directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClickHouseOptions } from './front.ts';

export type ProcessOptions = Omit<ClickHouseOptions, 'beforeRun' | 'beforeAnswer'>;

export interface ClickHouseProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Lets queries end, then exits. */
  stop(): Promise<void>;
  /** Dies at once, as in a crash. */
  kill(): Promise<void>;
  /** Freezes it: connections stay, nothing is answered. `resume` lets it go on. */
  freeze(): void;
  resume(): void;
}

const MAIN = join(import.meta.dirname, 'main.ts');
const CONNECTIONS = 8;
/** One for each connection, and some for files. */
const THREADS = 16;

/** @throws Error with what it printed when it does not come up. */
export async function startClickHouseProcess(options: ProcessOptions): Promise<ClickHouseProcess> {
  const settings = JSON.stringify({ connections: CONNECTIONS, ...options });
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, settings], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(THREADS) },
  });
  const exited = once(child, 'exit');
  const { url, port } = await addressOf(child);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return {
    url,
    port,
    pid: child.pid ?? -1,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
  };
}

async function addressOf(child: ChildProcess): Promise<{ url: string; port: number }> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the process has no output');
  let told = '';
  stderr.on('data', (chunk) => {
    told += chunk;
  });
  for await (const line of createInterface({ input: stdout })) {
    stdout.resume();
    return JSON.parse(line);
  }
  throw new Error(`ClickHouse did not come up: ${told}`);
}
