/**
 * The embedded log: LMDB in this process, for one machine.
 *
 * Guarantees, beside those of every log:
 * - One owner: a directory that a living process has open is refused (`log_in_use`), one that a killed process left is not.
 * - Offsets go on after reopening, and are never used again, whatever retention removed. A failed transaction leaves a gap.
 * - A reader that retention overtakes gets `log_offset_out_of_range`, never a silent hole.
 * - Retention removes the oldest first, in small transactions, and always keeps the newest record of a partition.
 * - Records handed out are copies: they stay valid.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppendQueue, type PendingAppend } from './embedded-appends.ts';
import { type EmbeddedLogLimits, resolveLimits } from './embedded-limits.ts';
import { Retention, type RetentionResult } from './embedded-retention.ts';
import {
  type EmbeddedStore,
  openEmbeddedStore,
  type PartitionState,
  RECORD_OVERHEAD_BYTES,
} from './embedded-store.ts';
import { WriteTurns } from './embedded-turns.ts';
import { type AppendResult, type Log, LogError, type LogRecord, type ReadOptions } from './log.ts';

export interface EmbeddedLogOptions {
  /** Made when missing. Belongs to one log, and to one process at a time. */
  readonly directory: string;
  readonly topic: string;
  /** Fixed when the log is made; another count is refused with `log_partitions_changed`. */
  readonly partitions: number;
  /** Clock of append times, ms since 1970, read once for each transaction. Any clock will do: it may step back. */
  readonly now?: () => number;
  readonly limits?: Partial<EmbeddedLogLimits>;
  /** Enforces retention this often, ms. Without it only `enforceRetention` does. */
  readonly retentionIntervalMs?: number;
  /** Told of every failed transaction and of retention that failed on its timer. */
  readonly onError?: (error: unknown) => void;
}

/** Since the log was opened. Bytes are those of the records themselves. */
export interface EmbeddedLogCounters {
  appendedRecords: number;
  appendedBytes: number;
  /** Appends refused because the queue was full. */
  overloaded: number;
  /** Transactions, of appends or of retention, that failed. */
  failedTransactions: number;
  removedRecords: number;
  removedBytes: number;
}

export interface EmbeddedLog extends Log {
  readonly counters: Readonly<EmbeddedLogCounters>;
  /** Removes what is too old or too much. Calls under way are shared. @throws LogError `log_unavailable`, `log_closed`. */
  enforceRetention(): Promise<RetentionResult>;
}

/**
 * Opens the log in a directory, or makes it.
 * @throws LogError `log_in_use`, `log_partitions_changed`, `log_topic_changed`, `log_format_unknown`, or
 * `log_unavailable` with the engine's error as its cause.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const limits = resolveLimits(options.limits);
  if (!Number.isInteger(options.partitions) || options.partitions < 1) {
    throw new RangeError(`partitions is ${options.partitions}: give a whole number from 1`);
  }
  try {
    return new LmdbLog(await openEmbeddedStore(options), options, limits);
  } catch (error) {
    if (error instanceof LogError) throw error;
    const message = `The log in ${options.directory} cannot be opened: check its permissions and the disk`;
    throw new LogError('log_unavailable', message, { cause: error });
  }
}

class LmdbLog implements EmbeddedLog {
  readonly topic: string;
  readonly partitions: number;
  readonly counters: EmbeddedLogCounters = {
    appendedRecords: 0,
    appendedBytes: 0,
    overloaded: 0,
    failedTransactions: 0,
    removedRecords: 0,
    removedBytes: 0,
  };
  readonly #store: EmbeddedStore;
  readonly #limits: EmbeddedLogLimits;
  readonly #now: () => number;
  readonly #onError: (error: unknown) => void;
  /** Durable state by partition; changes only in a turn. */
  readonly #states: PartitionState[];
  /** Next offset to give, by partition. Runs ahead of the state, and does not come back when a transaction fails. */
  readonly #nextOffsets: number[];
  readonly #turns: WriteTurns;
  readonly #appends: AppendQueue;
  readonly #retention: Retention;
  /** Readers that wait for their partition to grow. */
  readonly #waiters = new Set<() => void>();
  readonly #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(store: EmbeddedStore, options: EmbeddedLogOptions, limits: EmbeddedLogLimits) {
    this.topic = options.topic;
    this.partitions = options.partitions;
    this.#store = store;
    this.#limits = limits;
    this.#now = options.now ?? Date.now;
    this.#onError = options.onError ?? (() => undefined);
    this.#states = store.states();
    this.#nextOffsets = this.#states.map(({ nextOffset }) => nextOffset);
    this.#turns = new WriteTurns(limits.flushTimeoutMs);
    this.#appends = new AppendQueue({
      limits,
      counters: this.counters,
      commit: (batch) => this.#write(() => this.#commit(batch)),
    });
    this.#retention = new Retention({
      store,
      states: this.#states,
      limits,
      counters: this.counters,
      now: this.#now,
      write: (work) => this.#write(work),
    });
    this.#timer = this.#startTimer(options.retentionIntervalMs);
  }

  async append(partition: number, value: Uint8Array): Promise<AppendResult> {
    this.#stateOf(partition);
    const { recordBytesMax } = this.#limits;
    if (value.byteLength > recordBytesMax) {
      const message = `A record has ${value.byteLength} bytes, more than ${recordBytesMax}: split it`;
      throw new LogError('log_record_too_large', message);
    }
    return this.#appends.push(partition, value);
  }

  async *read(partition: number, options: ReadOptions): AsyncGenerator<readonly LogRecord[]> {
    const { follow, signal } = options;
    let next = options.fromOffset;
    for (;;) {
      if (signal?.aborted) return;
      const batch = this.#batch(partition, next, options.batchRecordsMax);
      next = (batch.at(-1)?.offset ?? next - 1) + 1;
      if (batch.length > 0) {
        yield batch;
        // A reader that is never slow must not keep the event loop from writers.
        await nextTurn();
      } else if (follow) {
        await this.#grown(signal);
      } else {
        return;
      }
      if (follow && this.#closed !== undefined) return;
    }
  }

  async earliest(partition: number): Promise<number> {
    const { startOffset, nextOffset } = this.#stateOf(partition);
    const most = { records: 1, bytes: 0 };
    const [first] = this.#slice(partition, startOffset, nextOffset, most);
    return first?.offset ?? nextOffset;
  }

  async latest(partition: number): Promise<number> {
    return this.#stateOf(partition).nextOffset;
  }

  async enforceRetention(): Promise<RetentionResult> {
    this.#refuseClosed();
    return this.#retention.enforce();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    for (const wake of this.#waiters) wake();
    await this.#appends.drain();
    await this.#retention.stop();
    // Closing would wait for the write that hangs, and with it this whole process.
    if (!this.#turns.stuck) await this.#store.close();
  }

  /** Runs in a turn: nothing else changes states meanwhile. */
  async #commit(batch: readonly PendingAppend[]): Promise<AppendResult[]> {
    const appendTimeMs = this.#now();
    const changes = new Map<number, PartitionState>();
    let bytes = 0;
    const records = batch.map(({ partition, stored, valueBytes }) => {
      const offset = this.#nextOffsets[partition] as number;
      this.#nextOffsets[partition] = offset + 1;
      const state = changes.get(partition) ?? this.#stateAt(partition);
      const grown = state.bytes + valueBytes + RECORD_OVERHEAD_BYTES;
      changes.set(partition, { ...state, nextOffset: offset + 1, bytes: grown });
      bytes += valueBytes;
      return { partition, offset, stored };
    });
    await this.#store.append(records, appendTimeMs, changes);
    for (const [partition, state] of changes) this.#states[partition] = state;
    this.counters.appendedRecords += batch.length;
    this.counters.appendedBytes += bytes;
    for (const wake of this.#waiters) wake();
    return records.map(({ offset }) => ({ offset, appendTimeMs }));
  }

  /** A turn whose failure is counted, told, and given the log's own error. */
  async #write<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.run(work);
    } catch (error) {
      this.counters.failedTransactions += 1;
      const message = 'The log could not be written: check the disk, its space, and the cause';
      const failure =
        error instanceof LogError
          ? error
          : new LogError('log_unavailable', message, { cause: error });
      this.#onError(failure);
      throw failure;
    }
  }

  #batch(partition: number, fromOffset: number, recordsMax = Number.POSITIVE_INFINITY) {
    const { startOffset, nextOffset } = this.#stateOf(partition);
    const known = Number.isSafeInteger(fromOffset);
    if (!known || fromOffset < startOffset || fromOffset > nextOffset) {
      const message =
        `Partition ${partition} of ${this.topic} has no offset ${fromOffset}, ` +
        `only ${startOffset} to ${nextOffset}: what is before was removed, what is after is not there yet`;
      throw new LogError('log_offset_out_of_range', message);
    }
    if (fromOffset === nextOffset) return [];
    const { batchRecordsMax, batchBytesMax } = this.#limits;
    const records = Math.max(1, Math.min(recordsMax, batchRecordsMax));
    return this.#slice(partition, fromOffset, nextOffset, { records, bytes: batchBytesMax });
  }

  #slice(...wanted: Parameters<EmbeddedStore['slice']>): LogRecord[] {
    try {
      return this.#store.slice(...wanted);
    } catch (error) {
      const message = 'The log could not be read: check the disk and the cause';
      throw new LogError('log_unavailable', message, { cause: error });
    }
  }

  #grown(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal?.addEventListener('abort', wake);
    });
  }

  #stateOf(partition: number): PartitionState {
    this.#refuseClosed();
    return this.#stateAt(partition);
  }

  #stateAt(partition: number): PartitionState {
    const state = this.#states[partition];
    if (state === undefined) {
      const message = `${this.topic} has partitions 0 to ${this.partitions - 1}, not ${partition}`;
      throw new LogError('log_partition_unknown', message);
    }
    return state;
  }

  #refuseClosed(): void {
    if (this.#closed !== undefined)
      throw new LogError('log_closed', `The log ${this.topic} is closed`);
  }

  #startTimer(intervalMs: number | undefined): NodeJS.Timeout | undefined {
    if (intervalMs === undefined) return undefined;
    const enforce = () => {
      // A failed transaction was told already; the next round tries again.
      this.enforceRetention().catch(() => undefined);
    };
    return setInterval(enforce, intervalMs).unref();
  }
}
