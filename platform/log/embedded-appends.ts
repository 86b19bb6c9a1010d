/**
 * Group commit: appends wait in a bounded queue, and one transaction takes many.
 *
 * Guarantees: appends are committed in the order of the calls; each promise settles once, after its transaction; the
 * queue, with what is under way, never holds more than its limits. A failed transaction fails its own appends only.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EmbeddedLogLimits } from './embedded-limits.ts';
import { storedFrom } from './embedded-store.ts';
import { type AppendResult, LogError } from './log.ts';

/** An append in the queue. */
export interface PendingAppend {
  readonly partition: number;
  /** Room for the append time, then the record. */
  readonly stored: Buffer;
  readonly valueBytes: number;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
}

export interface AppendQueueDeps {
  readonly limits: EmbeddedLogLimits;
  readonly counters: { overloaded: number };
  /** Commits a batch and gives its results, in its order, once they are durable. */
  commit(batch: readonly PendingAppend[]): Promise<readonly AppendResult[]>;
}

export class AppendQueue {
  readonly #deps: AppendQueueDeps;
  #waiting: PendingAppend[] = [];
  /** What waits and what is under way. */
  #records = 0;
  #bytes = 0;
  #pump: Promise<void> | undefined;
  #endGather: (() => void) | undefined;

  constructor(deps: AppendQueueDeps) {
    this.#deps = deps;
  }

  /** Queues a copy of the record. Rejects with `log_overloaded` when there is no room. */
  push(partition: number, value: Uint8Array): Promise<AppendResult> {
    const { limits, counters } = this.#deps;
    const valueBytes = value.byteLength;
    const full =
      this.#records >= limits.queueRecordsMax || this.#bytes + valueBytes > limits.queueBytesMax;
    if (full) {
      counters.overloaded += 1;
      return Promise.reject(this.#overloaded());
    }
    return new Promise((resolve, reject) => {
      this.#records += 1;
      this.#bytes += valueBytes;
      this.#waiting.push({ partition, stored: storedFrom(value), valueBytes, resolve, reject });
      this.#pump ??= this.#run();
      if (this.#waiting.length >= limits.transactionRecordsMax) this.#endGather?.();
    });
  }

  /** Resolves when everything queued has settled. Does not wait for company. */
  async drain(): Promise<void> {
    this.#endGather?.();
    await this.#pump;
  }

  async #run(): Promise<void> {
    await this.#gather();
    while (this.#waiting.length > 0) {
      await this.#commit(this.#take());
      // Callers answered just now come back within this turn: one transaction takes them all.
      await nextTurn();
    }
    this.#pump = undefined;
  }

  #gather(): Promise<void> {
    const { gatherMs } = this.#deps.limits;
    if (gatherMs === 0) return nextTurn();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endGather = undefined;
        resolve();
      };
      const timer = setTimeout(end, gatherMs);
      this.#endGather = end;
    });
  }

  #take(): PendingAppend[] {
    const { transactionRecordsMax, transactionBytesMax } = this.#deps.limits;
    let bytes = 0;
    let count = 0;
    for (const { valueBytes } of this.#waiting) {
      bytes += valueBytes;
      if (count >= transactionRecordsMax || (count > 0 && bytes > transactionBytesMax)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(batch: readonly PendingAppend[]): Promise<void> {
    try {
      const results = await this.#deps.commit(batch);
      this.#leave(batch);
      for (const [index, append] of batch.entries()) append.resolve(results[index] as AppendResult);
    } catch (error) {
      this.#leave(batch);
      for (const append of batch) append.reject(error);
    }
  }

  /** Room is made before callers are answered, so that their next append finds it. */
  #leave(batch: readonly PendingAppend[]): void {
    for (const { valueBytes } of batch) this.#bytes -= valueBytes;
    this.#records -= batch.length;
  }

  #overloaded(): LogError {
    const { queueRecordsMax, queueBytesMax } = this.#deps.limits;
    const message =
      `The log's queue is full (${this.#records} of ${queueRecordsMax} records, ` +
      `${this.#bytes} of ${queueBytesMax} bytes): try again later`;
    return new LogError('log_overloaded', message);
  }
}
