/**
 * One writer at a time: each transaction begins when the one before is flushed or has failed.
 *
 * Guarantee: a turn ends within `flushTimeoutMs`, even when the disk never answers. Until a transaction that was given
 * up has ended after all, every further turn fails at once, because nothing can be said of the state it would build on.
 */
import { LogError } from './log.ts';

export class WriteTurns {
  readonly #timeoutMs: number;
  #last: Promise<unknown> = Promise.resolve();
  #stuck = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** True while a transaction that was given up has not ended. */
  get stuck(): boolean {
    return this.#stuck;
  }

  /** Runs `work` after all turns asked for before. @throws LogError `log_unavailable` when it takes too long. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#limited(work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stuck) {
      throw new LogError('log_unavailable', 'The disk has not answered an earlier write: check it');
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#stuck = true;
        const message = `The disk has not flushed a write in ${this.#timeoutMs} ms: check it`;
        reject(new LogError('log_unavailable', message));
      }, this.#timeoutMs);
      work()
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          this.#stuck = false;
        });
    });
  }
}
