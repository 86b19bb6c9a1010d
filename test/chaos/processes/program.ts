/**
 * The real program in a process of its own, started as a user starts it.
 *
 * Guarantee: whoever starts one knows how it ended, and is told at once when it ended without being asked to.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Children } from './children.ts';

const MAIN = join(import.meta.dirname, '../../../main.ts');
/** Time in which a start must end, ms: only what hangs takes so long, on a machine however busy. */
const READY_MS_MAX = 120_000;

/** Arguments of node that run the command line from its source. */
const PROGRAM = ['--import', 'tsx', MAIN] as const;

export interface ProgramOptions {
  readonly children: Children;
  readonly dataDirectory: string;
  readonly port: number;
  /** What of the program it is; everything, if left out. */
  readonly role?: string;
  readonly flags: readonly string[];
  /** Its stderr is added to this file. */
  readonly logFile: string;
  /** Words before node's own, such as a shell that sets a limit and becomes node. */
  readonly launcher?: readonly string[];
  /** Told when it ends by itself. */
  readonly onSelfEnded?: (error: Error) => void;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Program {
  /** Where it listens. Rejects when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<ProgramEnd>;
  /** From start to listening, ms; undefined until then. */
  readyMs: number | undefined;
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  #asked = false;

  constructor(options: ProgramOptions) {
    const { children, dataDirectory, port, flags, logFile, launcher = [], onSelfEnded } = options;
    const role = options.role === undefined ? [] : [options.role];
    const log = openSync(logFile, 'a');
    const where = ['--port', String(port), '--data-dir', dataDirectory];
    const words = [...launcher, process.execPath, ...PROGRAM, ...role, ...where, ...flags];
    this.#child = children.spawn(words, ['ignore', 'pipe', log]);
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.ready = this.#readUrl(logFile);
    // Who kills it while it starts does not wait for it.
    this.ready.catch(() => undefined);
    void this.ended.then((end) => {
      if (!this.#asked) onSelfEnded?.(new Error(`the program ended by itself: ${said(end)}`));
    });
  }

  /** Sends a signal; what ends it from now on is no surprise. */
  signal(name: NodeJS.Signals): void {
    this.#asked = true;
    this.#child.kill(name);
  }

  /** Keeps it from doing anything; its connections stay. */
  suspend(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Sends a signal and waits for the end. */
  async end(name: NodeJS.Signals): Promise<ProgramEnd> {
    this.signal(name);
    return this.ended;
  }

  #readUrl(logFile: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`not ready after ${READY_MS_MAX} ms: see ${logFile}`));
      }, READY_MS_MAX);
      let text = '';
      this.#child.stdout?.on('data', (chunk: Buffer) => {
        text += String(chunk);
        const [url] = /http:\S+/.exec(text) ?? [];
        if (url === undefined) return;
        clearTimeout(timer);
        this.readyMs ??= performance.now() - this.#startedMs;
        resolve(url);
      });
      void this.ended.then((end) => {
        clearTimeout(timer);
        reject(new Error(`it ended before it was ready: ${said(end)}, see ${logFile}`));
      });
    });
  }
}

function said({ code, signal }: ProgramEnd): string {
  return signal === null ? `exit code ${code}` : `${signal}`;
}

export interface CommandResult extends ProgramEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program, `verify` for one, to its end. */
export async function runProgram(
  children: Children,
  args: readonly string[],
): Promise<CommandResult> {
  const child = children.spawn([process.execPath, ...PROGRAM, ...args], ['ignore', 'pipe', 'pipe']);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
  });
  const end = await new Promise<ProgramEnd>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { ...end, stdout, stderr };
}
