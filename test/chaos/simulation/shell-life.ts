/** One life of the process with the real shell in it: runners, sink and checkpoints on the ports of the models. */
import pLimit from 'p-limit';
import { type Checkpoints, createCheckpoints } from '../../../processors/shell/checkpoints.ts';
import type { CheckpointStore, EpochStore } from '../../../processors/shell/epoch-store.ts';
import { type Clock, PartitionRunner, type RunnerDeps } from '../../../processors/shell/runner.ts';
import { createSink, type Sink } from '../../../processors/shell/sink.ts';
import { type CheckpointTable, connectCheckpoints } from './checkpoint-model.ts';
import type { Counters } from './counters.ts';
import type { EngineFlaws } from './engine-model.ts';
import { connectEpochStore, type EpochStoreDeps } from './epoch-store-model.ts';
import { connectForgets } from './forgets-model.ts';
import type { Incarnation } from './incarnation.ts';
import type { LogFlaws, LogModel } from './log-model.ts';
import type { Scheduler } from './scheduler.ts';

/** What is taken away from the system, to see that it is missed. */
export interface Tampering {
  readonly engine?: EngineFlaws;
  readonly log?: LogFlaws;
  readonly epochs?: (store: EpochStore) => EpochStore;
  readonly sink?: (sink: Sink, epochs: EpochStore) => Sink;
  readonly checkpoints?: (checkpoints: Checkpoints) => Checkpoints;
  readonly checkpointStore?: (store: CheckpointStore) => CheckpointStore;
}

export interface LifeDeps extends EpochStoreDeps {
  readonly log: LogModel;
  readonly checkpointTable: CheckpointTable;
  readonly settings: Readonly<Record<string, number>>;
  readonly tampering: Tampering;
  readonly trace: (line: string) => void;
  /** A partition cannot go on. */
  readonly onFailure: (error: Error) => void;
}

export class ShellLife {
  readonly process: Incarnation;
  readonly runners: readonly PartitionRunner[];
  readonly #sink: Sink;
  readonly #checkpoints: Checkpoints;
  readonly #deps: LifeDeps;

  constructor(deps: LifeDeps) {
    this.#deps = deps;
    this.process = deps.process;
    const { tampering } = deps;
    const clock = clockOf(deps.scheduler, deps.process);
    const epochs = tampered(connectEpochStore(deps), tampering.epochs);
    const real = createSink({ epochs, logger: this.#logger, sleep: clock.sleep });
    this.#sink = tampering.sink?.(real, epochs) ?? real;
    this.#checkpoints = tampered(this.#createCheckpoints(), tampering.checkpoints);
    const runnerDeps = this.#runnerDeps(clock);
    this.runners = Array.from(
      { length: deps.faults.plan.partitions },
      (_, partition) => new PartitionRunner(partition, runnerDeps),
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.stop()));
  }

  /** Adds what its parts have counted. */
  countInto(counters: Counters): void {
    const { epochsWritten, epochsInDoubt, attemptsRaised } = this.#sink.counters;
    counters.epochs += epochsWritten;
    counters.epochsInDoubt += epochsInDoubt;
    counters.attemptsRaised += attemptsRaised;
    const { written, failed, broken, dropped } = this.#checkpoints.counters;
    counters.checkpointsWritten += written;
    counters.checkpointsFailed += failed;
    counters.checkpointsBroken += broken;
    counters.checkpointsDropped += dropped;
  }

  #createCheckpoints(): Checkpoints {
    const { checkpointTable, process, scheduler, tampering } = this.#deps;
    const store = connectCheckpoints(checkpointTable, this.#deps);
    return createCheckpoints({
      store: tampered(store, tampering.checkpointStore),
      logger: this.#logger,
      pause: () => process.ask('pause', ({ resolve }) => scheduler.after(0, () => resolve())),
      turns: pLimit(1),
    });
  }

  #runnerDeps(clock: Clock): RunnerDeps {
    const { faults, log, onFailure, process, settings, trace } = this.#deps;
    const { checkpointMs, checkpointEventsMax } = faults.plan;
    return {
      log: log.connect(process),
      sink: this.#sink,
      checkpoints: this.#checkpoints,
      forgets: connectForgets(this.#deps),
      limits: { checkpointMs, checkpointEventsMax },
      settings,
      clock,
      logger: this.#logger,
      onCommit: ({ partition, epoch }) => {
        if (process.alive) trace(`committed ${partition}/${epoch}`);
      },
      onFailure: (error) => {
        if (process.alive) onFailure(error);
      },
    };
  }

  get #logger(): RunnerDeps['logger'] {
    const note = (fields: object, message: string): void => this.#note(fields, message);
    return { info: note, error: note };
  }

  #note(fields: object, message: string): void {
    const { faults, process, trace } = this.#deps;
    if (!process.alive) return;
    trace(message);
    if (!('checkpoint' in fields) || !('commit' in fields)) return;
    if (fields.checkpoint === 0) faults.counters.foldedFromStart++;
    else faults.counters.foldedFromCheckpoint++;
  }
}

function tampered<Part>(part: Part, tamper: ((part: Part) => Part) | undefined): Part {
  return tamper === undefined ? part : tamper(part);
}

/** Wall clock and waiting of one process, in virtual time. */
function clockOf(scheduler: Scheduler, process: Incarnation): Clock {
  return {
    now: () => scheduler.nowMs,
    sleep: (ms, signal) =>
      process.ask('clock.sleep', ({ resolve, reject }) => {
        const abort = (): void => {
          happening.cancel();
          reject(new Error('aborted'));
        };
        const happening = scheduler.after(ms, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        if (signal?.aborted === true) abort();
        else signal?.addEventListener('abort', abort, { once: true });
      }),
  };
}
