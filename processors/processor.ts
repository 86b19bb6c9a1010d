/**
 * The processor of a process: the partitions of the log that are its own, with the store that keeps what is concluded.
 * Wires the parts of the shell; the parts know only what they are given.
 *
 * A process alone has every partition (`start`). One of a group is told which to take and which to give up, and when: a
 * partition that is given up in time leaves a checkpoint, from which its next owner goes on.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate as pause, setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import { type Checkpoints, createCheckpoints } from './shell/checkpoints.ts';
import { createCheckpointStore } from './shell/clickhouse-checkpoints.ts';
import { createEpochStore } from './shell/clickhouse-epochs.ts';
import type { SealedEpoch } from './shell/epoch-store.ts';
import { createForgets } from './shell/forgets.ts';
import {
  type Clock,
  PartitionRunner,
  type RunnerDeps,
  type RunnerLimits,
  runnerLimits,
} from './shell/runner.ts';
import { createSink, type Sink } from './shell/sink.ts';

export interface ProcessorOptions {
  readonly log: Log;
  readonly store: Store;
  /** Result-changing settings that the operator wants; announced in the log where they differ. */
  readonly settings: Readonly<Record<string, number>>;
  readonly limits?: RunnerLimits;
  readonly clock?: Clock;
  readonly logger: RunnerDeps['logger'];
  /** Called after an epoch is committed, with how long that took, ms. */
  readonly onCommit?: (epoch: SealedEpoch, tookMs: number) => void;
  /** Called once for each partition that cannot go on. */
  readonly onFailure?: (error: Error) => void;
  /** True when others may have taken partitions over meanwhile. */
  readonly mayBeTaken?: () => boolean;
}

const systemClock: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
};

export class Processor {
  readonly sink: Sink;
  readonly checkpoints: Checkpoints;
  readonly #runners = new Map<number, PartitionRunner>();
  readonly #log: Log;
  readonly #deps: RunnerDeps;

  constructor(options: ProcessorOptions) {
    const { log, store, clock = systemClock, limits = runnerLimits, logger } = options;
    const engine = { store, topic: log.topic, owner: randomUUID() };
    const { sleep } = clock;
    this.#log = log;
    this.sink = createSink({ epochs: createEpochStore(engine), logger, sleep });
    this.checkpoints = createCheckpoints({
      store: createCheckpointStore(engine),
      logger,
      pause,
      turns: pLimit(1),
    });
    this.#deps = {
      ...options,
      clock,
      limits,
      sink: this.sink,
      checkpoints: this.checkpoints,
      forgets: createForgets({ store, sleep, logger }),
    };
  }

  /** What it has now, by partition. */
  get partitions(): readonly PartitionRunner[] {
    return [...this.#runners.values()];
  }

  /** Why a partition stopped for good; undefined while all go on. */
  get failure(): Error | undefined {
    return this.partitions.find(({ failure }) => failure !== undefined)?.failure;
  }

  /** True once every partition it has has folded what the log held when it was taken. */
  get caughtUp(): boolean {
    return this.partitions.every(({ caughtUp }) => caughtUp);
  }

  /** Takes every partition of the log. @throws RunnerError when one cannot be taken. */
  async start(): Promise<void> {
    const all = Array.from({ length: this.#log.partitions }, (_, partition) => partition);
    await Promise.all(all.map((partition) => this.#create(partition).start()));
  }

  /** Takes partitions; each recovers by itself, and what keeps it from that is its `failure`. */
  take(partitions: readonly number[]): void {
    for (const partition of partitions) this.#create(partition).begin();
  }

  /** Gives partitions up: in order, with a checkpoint, or at once, because they are another's already. */
  async release(partitions: readonly number[], why: 'moved' | 'lost'): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        const runner = this.#runners.get(partition);
        await (why === 'lost' ? runner?.abandon() : runner?.stop());
        this.#runners.delete(partition);
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.partitions.map((runner) => runner.stop()));
  }

  #create(partition: number): PartitionRunner {
    const runner = new PartitionRunner(partition, this.#deps);
    this.#runners.set(partition, runner);
    return runner;
  }
}
