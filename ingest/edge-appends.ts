/**
 * Appends while a body is still being read, a bounded number and bytes of them at once.
 *
 * Guarantee: calls keep their order inside a partition. After the first that fails nothing more is appended, and
 * `settled` tells why once every append has its outcome: nothing of a request outlives its answer.
 */
import type { Log, LogError } from '../platform/log/log.ts';
import { isLogAway } from './append.ts';
import type { PlannedRecord } from './records.ts';

export interface AppendWindowLimits {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

export class AppendWindow {
  readonly #log: Pick<Log, 'append'>;
  readonly #limits: AppendWindowLimits;
  #records = 0;
  #bytes = 0;
  #failure: { readonly reason: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(log: Pick<Log, 'append'>, limits: AppendWindowLimits) {
    this.#log = log;
    this.#limits = limits;
  }

  /** Whether an append failed. */
  hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether the next append should wait for `room`. A window that is empty takes any record. */
  isFull(): boolean {
    const { recordsMax, bytesMax } = this.#limits;
    return this.#records >= recordsMax || this.#bytes >= bytesMax;
  }

  /** Appends, or does nothing after a failure. `done` is called once, when the record is durable or never will be. */
  append({ partition, value }: PlannedRecord, done: (durable: boolean) => void): void {
    if (this.#failure !== undefined) {
      done(false);
      return;
    }
    this.#records++;
    this.#bytes += value.length;
    void this.#log
      .append(partition, value)
      .then(
        () => true,
        (reason: unknown) => {
          this.#failure ??= { reason };
          return false;
        },
      )
      .then((durable) => {
        this.#records--;
        this.#bytes -= value.length;
        done(durable);
        this.#wake?.();
      });
  }

  /** Waits until the window is not full, or an append failed. */
  async room(): Promise<void> {
    while (this.isFull() && this.#failure === undefined) await this.#nextOutcome();
  }

  /** Waits for all. The result is why the log could not take them now, or nothing. Throws any other failure. */
  async settled(): Promise<LogError | undefined> {
    while (this.#records > 0) await this.#nextOutcome();
    if (this.#failure === undefined) return undefined;
    const { reason } = this.#failure;
    if (!isLogAway(reason)) throw reason;
    return reason;
  }

  #nextOutcome(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
