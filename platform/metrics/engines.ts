/** What the two engines count, and whether they answer. */
import type { ReadyCheck } from '../http/operators.ts';
import type { Log } from '../log/log.ts';
import type { Store } from '../store/store.ts';
import { exportCounters, exportNumbers, type Registry } from './registry.ts';

/** An engine that counts what it does, by name. */
interface Counting {
  readonly counters: object;
}

export function exportLogMetrics(registry: Registry, { counters }: Counting): void {
  exportCounters(registry, { prefix: 'streamgauge_log', about: 'The log' }, counters);
}

export function exportStoreMetrics(
  registry: Registry,
  store: Counting & { readonly readsWaiting: number },
): void {
  const named = { prefix: 'streamgauge_store', about: 'The store' };
  exportCounters(registry, named, store.counters);
  exportNumbers(registry, {
    ...{ ...named, kind: 'gauge', names: ['readsWaiting'] },
    read: () => [{ values: { readsWaiting: store.readsWaiting } }],
  });
}

/** The log tells where it ends. */
export function logAnswers(log: Pick<Log, 'latest'>): ReadyCheck {
  return async () => {
    await log.latest(0);
    return undefined;
  };
}

/** The store answers a query. */
export function storeAnswers(store: Pick<Store, 'query'>): ReadyCheck {
  return async () => {
    await store.query('SELECT 1 AS ready', { timeoutMs: STORE_ANSWER_MS_MAX });
    return undefined;
  };
}

const STORE_ANSWER_MS_MAX = 1_500;
