/**
 * One life of the processor's process. Every call that it makes of a model goes through `ask` and has a number; a plan
 * may let it die at any of them, before the call is on its way or after. A dead process hears nothing any more, and what
 * it still calls goes nowhere.
 */
import type { Scheduler } from './scheduler.ts';

/** before: the call never leaves. after: it is on its way, and whoever made it never hears. */
export type CrashMoment = 'before' | 'after';

export interface PortCall {
  readonly name: string;
  /** Number of the call in this life, from 1. */
  readonly number: number;
}

/** When a process dies; asked once for each call. */
export type CrashPlan = (call: PortCall) => CrashMoment | undefined;

export interface Answer<Result> {
  resolve(result: Result): void;
  reject(error: Error): void;
}

export interface IncarnationDeps {
  readonly scheduler: Scheduler;
  readonly plan: CrashPlan;
  /** Called once, with the call at which it died; without one it was killed. */
  readonly onCrash: (call: PortCall | undefined) => void;
}

export class Incarnation {
  alive = true;
  calls = 0;
  /** True while `start` has not returned: it recovers. */
  starting = true;
  readonly #deps: IncarnationDeps;

  constructor(deps: IncarnationDeps) {
    this.#deps = deps;
  }

  /** One call of a model. `start` begins it and answers when it likes. */
  ask<Result>(name: string, start: (answer: Answer<Result>) => void): Promise<Result> {
    if (!this.alive) return never();
    const call: PortCall = { name, number: ++this.calls };
    const moment = this.#deps.plan(call);
    if (moment === 'before') this.#die(call);
    if (!this.alive) return never();
    const promise = new Promise<Result>((resolve, reject) => {
      start({
        resolve: (result) => {
          if (this.alive) resolve(result);
        },
        reject: (error) => {
          if (!this.alive) return;
          this.#deps.scheduler.noteRejection();
          reject(error);
        },
      });
    });
    if (moment === 'after') this.#die(call);
    return promise;
  }

  /** Ends it from outside. */
  kill(): void {
    if (this.alive) this.#die(undefined);
  }

  /** It has ended by itself, cleanly. */
  leave(): void {
    this.alive = false;
  }

  #die(call: PortCall | undefined): void {
    this.alive = false;
    this.#deps.onCrash(call);
  }
}

function never<Result>(): Promise<Result> {
  return new Promise(() => undefined);
}
