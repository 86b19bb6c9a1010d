/**
 * Asking an engine until it answers: what is away comes back, and nothing is skipped meanwhile. What is not an engine's
 * passing failure is thrown as it is.
 */
import { LogError } from '../../platform/log/log.ts';
import { StoreError } from '../../platform/store/store.ts';

/** First wait before an engine is asked again, and the longest, ms. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

export interface PersistDeps {
  readonly logger: { error(fields: object, message: string): void };
  /** Waits; rejects when the signal is aborted. Nothing is asked once it is. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Called for each failure that is waited out. */
  readonly onRetry?: () => void;
}

/** Asks until there is an answer; `retried` says that an earlier attempt may have done some of it. */
export type Persist = <Result>(
  /** Fields for the log that say what is asked. */
  what: object,
  signal: AbortSignal | undefined,
  ask: (retried: boolean) => Promise<Result>,
) => Promise<Result>;

export function createPersist({ logger, sleep, onRetry }: PersistDeps): Persist {
  return async (what, signal, ask) => {
    for (let waitMs = RETRY_MS_MIN, failures = 0; ; ) {
      signal?.throwIfAborted();
      try {
        return await ask(failures > 0);
      } catch (error) {
        if (!isPassing(error)) throw error;
        onRetry?.();
        failures++;
        // An outage is told when it begins, and then ever more rarely.
        if (Number.isInteger(Math.log2(failures)))
          logger.error({ ...what, failures, error }, 'an engine failed; it is asked again');
      }
      await sleep(waitMs, signal);
      waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
    }
  };
}

/** True for a failure of an engine that may be over by the next time. */
function isPassing(error: unknown): boolean {
  if (error instanceof StoreError) return error.code !== 'store_closed';
  return error instanceof LogError && error.code === 'log_unavailable';
}
