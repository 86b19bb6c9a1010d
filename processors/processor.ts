/**
 * The processor of a process: every partition of the log, with the store that keeps what is concluded.
 * Wires the parts of the shell; the parts know only what they are given.
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
  /** Called after an epoch is committed. */
  readonly onCommit?: (epoch: SealedEpoch) => void;
  /** Called once for each partition that cannot go on. */
  readonly onFailure?: (error: Error) => void;
}

const systemClock: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
};

export class Processor {
  readonly partitions: readonly PartitionRunner[];
  readonly sink: Sink;
  readonly checkpoints: Checkpoints;
  #failure: Error | undefined;

  constructor(options: ProcessorOptions) {
    const { log, store, clock = systemClock, limits = runnerLimits, logger } = options;
    const owner = randomUUID();
    const engine = { store, topic: log.topic, owner };
    const { sleep } = clock;
    this.sink = createSink({ epochs: createEpochStore(engine), logger, sleep });
    this.checkpoints = createCheckpoints({
      store: createCheckpointStore(engine),
      logger,
      pause,
      turns: pLimit(1),
    });
    const deps: RunnerDeps = {
      ...options,
      clock,
      limits,
      sink: this.sink,
      checkpoints: this.checkpoints,
      forgets: createForgets({ store, sleep, logger }),
      onFailure: (error) => {
        this.#failure ??= error;
        options.onFailure?.(error);
      },
    };
    this.partitions = Array.from(
      { length: log.partitions },
      (_, partition) => new PartitionRunner(partition, deps),
    );
  }

  /** Why a partition stopped for good; undefined while all go on. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** True once every partition has folded what the log held at the start. */
  get caughtUp(): boolean {
    return this.partitions.every(({ caughtUp }) => caughtUp);
  }

  async start(): Promise<void> {
    await Promise.all(this.partitions.map((runner) => runner.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.partitions.map((runner) => runner.stop()));
  }
}
