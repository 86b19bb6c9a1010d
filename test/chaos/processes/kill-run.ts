/** Starts the program and ends it again and again, as the plan says, while clients go on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../ingest/clients/simulation/random.ts';
import { until } from '../../support/running.ts';
import type { Comparison } from './comparison.ts';
import { type Deed, killsOf, planDeeds } from './kill-plan.ts';
import type { Program, ProgramEnd } from './program.ts';
import type { Site } from './site.ts';

export interface KillCounters {
  starts: number;
  /** SIGKILLs. */
  kills: number;
  /** Those that came before the program listened. */
  killsStarting: number;
  /** SIGTERMs. */
  terminations: number;
  /** From start to listening, of each start that got so far, ms. */
  readonly readyMs: number[];
}

export interface KillRunOptions {
  readonly site: Site;
  readonly seed: number;
  /** SIGKILLs after which it is enough. */
  readonly killsMax: number;
  /** When it is enough, by `performance.now()`. */
  readonly untilMs: number;
  readonly comparison: Comparison;
  /** Aborted when something has gone wrong. */
  readonly signal: AbortSignal;
  /** Called whenever the program listens; nothing is done to it before this resolves. */
  readonly onReady: () => Promise<void>;
}

/** What comes after the store's folder is there, at least, ms: until a start has been seen. */
const AFTER_STORE_MS_GUESS = 500;
const RUNNING_MS_MAX = 3_000;
const READY_KILL_MS_MAX = 120;
const MIGRATING_MS_MAX = 250;
const PLAN_STREAM = 0x517e;
const MOMENTS_STREAM = 0x303e;

export class KillRun {
  readonly counters: KillCounters = {
    starts: 0,
    kills: 0,
    killsStarting: 0,
    terminations: 0,
    readyMs: [],
  };
  readonly #options: KillRunOptions;
  /** Moments; the plan has a stream of its own, so that the same seed plans the same deeds. */
  readonly #random: Random;
  #readyMsGuess = 2_000;

  constructor(options: KillRunOptions) {
    this.#options = options;
    this.#random = new Random(options.seed, MOMENTS_STREAM);
  }

  /** Does what is planned until it is enough; then starts the program once more and leaves it running. */
  async run(): Promise<Program> {
    const { seed, killsMax, untilMs } = this.#options;
    for (const deed of planDeeds(new Random(seed, PLAN_STREAM))) {
      if (this.counters.kills + killsOf(deed) > killsMax || performance.now() > untilMs) break;
      await this.#do(deed);
    }
    return this.startReady();
  }

  /** Starts it and waits until it listens. */
  async startReady(): Promise<Program> {
    const program = this.#start();
    await this.#untilReady(program);
    return program;
  }

  #start(): Program {
    const { site, signal } = this.#options;
    signal.throwIfAborted();
    this.counters.starts++;
    return site.start();
  }

  async #untilReady(program: Program): Promise<void> {
    await program.ready;
    this.counters.readyMs.push(program.readyMs ?? 0);
    await this.#options.onReady();
  }

  async #do(deed: Deed): Promise<void> {
    const random = this.#random;
    const program = this.#start();
    switch (deed) {
      case 'kill_migrating':
        await this.#untilStore(program);
        await this.#kill(program, random.between(0, MIGRATING_MS_MAX));
        break;
      case 'kill_starting':
        await this.#kill(program, random.between(0.2, 1) * this.#usualReadyMs());
        break;
      case 'kill_running':
      case 'kill_ready':
        await this.#untilReady(program);
        await this.#kill(
          program,
          random.between(0, deed === 'kill_ready' ? READY_KILL_MS_MAX : RUNNING_MS_MAX),
        );
        break;
      case 'terminate':
      case 'interrupt':
        await this.#untilReady(program);
        await sleep(random.between(0, RUNNING_MS_MAX));
        await this.#terminate(program, deed === 'interrupt');
        break;
    }
  }

  /** Waits until the store's folder is there: from then on tables are made. */
  async #untilStore(program: Program): Promise<void> {
    const folder = join(this.#options.site.dataDirectory, 'store', 'metadata');
    const startedMs = performance.now();
    const ended = program.ended.then(() => true);
    await until(
      async () => existsSync(folder) || (await Promise.race([ended, sleep(5, false)])),
      (seen) => seen,
    );
    this.#readyMsGuess = performance.now() - startedMs + AFTER_STORE_MS_GUESS;
  }

  /** The moment is what is tried out here, so it is drawn, not waited for. */
  async #kill(program: Program, afterMs: number): Promise<void> {
    await sleep(afterMs);
    // A start that was quicker than usual is a start all the same.
    if (program.readyMs === undefined) this.counters.killsStarting++;
    this.counters.kills++;
    await program.end('SIGKILL');
  }

  async #terminate(program: Program, again: boolean): Promise<void> {
    const random = this.#random;
    const { comparison } = this.#options;
    this.counters.terminations++;
    program.signal('SIGTERM');
    if (again) {
      await sleep(random.between(0, 150));
      program.signal(random.chance(0.5) ? 'SIGTERM' : 'SIGINT');
    }
    const end = describeEnd(await program.ended, again);
    comparison.equal(
      `end after SIGTERM${again ? ' and a second signal' : ''}`,
      'as it should',
      end,
    );
  }

  #usualReadyMs(): number {
    return median(this.counters.readyMs) ?? this.#readyMsGuess;
  }
}

/** After one signal the program ends well; after a second one it may say that it was cut short, or be gone at once. */
export function describeEnd({ code, signal }: ProgramEnd, interrupted = false): string {
  const isCutShort = interrupted && (signal === 'SIGTERM' || signal === 'SIGINT');
  if (code === 0 || isCutShort) return 'as it should';
  return signal ?? `exit code ${code}`;
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
