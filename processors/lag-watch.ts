/** How far the partitions of a process are behind the log: asked of the log in a steady rhythm, not by whoever looks. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../platform/log/log.ts';
import type { Processor } from './processor.ts';
import type { PartitionRunner } from './shell/runner.ts';

const LOOK_MS = 2_000;

export interface Lag {
  /** Offsets to go; records at most, because offsets may have gaps. */
  readonly records: number;
  /** Age of log time while there is something to go, ms; 0 when there is nothing. */
  readonly ms: number;
  /** Age of what readers of the store see, ms. */
  readonly freshnessMs: number;
}

export class LagWatch {
  readonly #processor: Processor;
  readonly #log: Log;
  readonly #ends = new Map<number, number>();
  readonly #closed = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(processor: Processor, log: Log) {
    this.#processor = processor;
    this.#log = log;
  }

  start(): void {
    this.#watching = this.#watch();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#watching;
  }

  /** What is known of a partition, at a moment of wall time. */
  of(runner: PartitionRunner, nowMs: number): Lag {
    const records = Math.max(0, (this.#ends.get(runner.partition) ?? 0) - runner.foldedTo);
    const { logTimeMs } = runner.fold;
    const ms = records === 0 || logTimeMs === 0 ? 0 : Math.max(0, nowMs - logTimeMs);
    const seenMs = runner.committedLogTimeMs || logTimeMs;
    return { records, ms, freshnessMs: seenMs === 0 ? 0 : Math.max(0, nowMs - seenMs) };
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await Promise.all(this.#processor.partitions.map(({ partition }) => this.#look(partition)));
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** While the log does not answer, what was known stays. */
  async #look(partition: number): Promise<void> {
    const end = await this.#log.latest(partition).catch(() => undefined);
    if (end !== undefined) this.#ends.set(partition, end);
  }
}
