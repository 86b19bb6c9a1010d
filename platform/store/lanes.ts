/**
 * Connections that each do one thing at a time.
 *
 * Work waits in the order it came, and a connection is given to the next only when the work on it has settled.
 */
import pLimit, { type LimitFunction } from 'p-limit';

export class Lanes<Lane> {
  readonly #free: Lane[];
  readonly #limit: LimitFunction;
  readonly #tasks = new Set<Promise<unknown>>();

  constructor(lanes: readonly Lane[]) {
    this.#free = [...lanes];
    this.#limit = pLimit(lanes.length);
  }

  /** Work that has no connection yet. */
  get waiting(): number {
    return this.#limit.pendingCount;
  }

  /** Runs `work` on the next free connection. */
  use<Result>(work: (lane: Lane) => Promise<Result>): Promise<Result> {
    const task = this.#limit(async () => {
      const lane = this.#free.pop();
      if (lane === undefined) throw new Error('more work at once than connections');
      try {
        return await work(lane);
      } finally {
        this.#free.push(lane);
      }
    });
    this.#tasks.add(task);
    const done = () => this.#tasks.delete(task);
    task.then(done, done);
    return task;
  }

  /** Resolves when nothing runs and nothing waits. */
  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.allSettled(this.#tasks);
  }
}
