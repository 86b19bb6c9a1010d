/**
 * A measured process. Each variant of a stage runs in one of its own, so that neither the optimiser's knowledge nor the
 * heap of one reaches another, and a load generator's CPU time is never a server's.
 *
 * Guarantee: a subject that dies fails every call under way; `close` waits until the process is gone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { SubjectName } from './subject-main.ts';

export interface SubjectOptions {
  /** Compiled entry of subjects. */
  readonly entry: string;
  /** Folder for a V8 CPU profile; undefined for none. */
  readonly profileDir: string | undefined;
}

export interface Subject {
  /** Calls one of its methods. */
  call<Answer>(method: string, argument?: unknown): Promise<Answer>;
  close(): Promise<void>;
  /** SIGKILL: nothing of it is closed. */
  kill(): Promise<void>;
}

/** What goes to a subject, and what comes back under the same number. */
export interface SubjectRequest {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}
export interface SubjectReply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a subject; resolves when it is prepared. */
export async function openSubject(
  name: SubjectName,
  input: unknown,
  { entry, profileDir }: SubjectOptions,
): Promise<Subject> {
  const profile =
    profileDir === undefined
      ? []
      : [
          '--cpu-prof',
          `--cpu-prof-dir=${profileDir}`,
          `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`,
        ];
  const child = fork(entry, [name], {
    execArgv: ['--enable-source-maps', ...profile],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const call = callerOf(child, name);
  await call('prepare', input);
  return {
    call,
    kill: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      await call('close').catch(() => undefined);
      if (child.connected) child.disconnect();
      await gone;
    },
  };
}

function callerOf(child: ChildProcess, name: string): Subject['call'] {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  child.on('message', (message) => {
    const { id, answer, error } = message as SubjectReply;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(answer);
    else call?.reject(new Error(`${name}: ${error}`));
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${name} ended with ${signal ?? code} before it answered`));
    waiting.clear();
  });
  return <Answer>(method: string, argument?: unknown) =>
    new Promise<Answer>((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve: (answer) => resolve(answer as Answer), reject });
      const request: SubjectRequest = { id, method, argument: argument ?? null };
      child.send(request, (error) => {
        if (error !== null && waiting.delete(id)) reject(error);
      });
    });
}
