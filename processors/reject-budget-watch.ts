/** Looks at the budget of the table `rejected` in a steady rhythm. Processors share the table: partition 0's owner does it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Processor } from './processor.ts';
import type { EnforceRejectBudget, RejectBudgetCounters } from './shell/reject-budget.ts';

const LOOK_MS = 60_000;

export interface RejectBudgetWatchDeps {
  readonly enforce: EnforceRejectBudget;
  readonly processor: Pick<Processor, 'partitions'>;
  readonly logger: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  readonly lookMs?: number;
}

export class RejectBudgetWatch {
  readonly counters: RejectBudgetCounters = { evictedRows: 0, evictedBytes: 0, evictionsFailed: 0 };
  readonly #deps: RejectBudgetWatchDeps;
  readonly #closed = new AbortController();
  #watching: Promise<void> | undefined;
  #told = false;

  constructor(deps: RejectBudgetWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#watching = this.#watch();
  }

  /** Waits for a removal that is under way. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closed;
    const { processor, lookMs = LOOK_MS } = this.#deps;
    while (!signal.aborted) {
      // One that has not caught up knows no more than its predecessor, which may still go on.
      const isOwner = processor.partitions.some(
        ({ partition, caughtUp }) => partition === 0 && caughtUp,
      );
      if (isOwner) await this.#look();
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { enforce, logger } = this.#deps;
    try {
      const eviction = await enforce();
      if (eviction === undefined) return;
      this.counters.evictedRows += eviction.rows;
      this.counters.evictedBytes += eviction.bytes;
      // The first tells that the budget is too small for what is refused; the counter tells the rest.
      if (!this.#told) logger.warn(eviction, 'rejects are beyond their budget: the oldest went');
      this.#told = true;
    } catch (error) {
      this.counters.evictionsFailed++;
      logger.error({ error }, 'the oldest rejects were not removed; the next look does it');
    }
  }
}
