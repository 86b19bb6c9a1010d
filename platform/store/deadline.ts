/**
 * The end of a query: its time limit or its caller's signal, whichever comes first.
 *
 * The caller is answered at once. The connection is not: an engine that cannot cancel stays busy until it is done.
 */
import { performance } from 'node:perf_hooks';
import { type QueryOptions, StoreError } from './store.ts';

export class Deadline {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number | undefined;
  readonly #endMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #caller: AbortSignal | undefined;
  readonly #onCaller = () => this.#end(givenUp(this.#caller?.reason));

  constructor({ timeoutMs, signal }: Pick<QueryOptions, 'timeoutMs' | 'signal'>) {
    this.#timeoutMs = timeoutMs;
    this.#endMs = performance.now() + (timeoutMs ?? 0);
    this.#caller = signal;
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#end(tookLonger(timeoutMs)), timeoutMs);
    }
    if (signal?.aborted) this.#onCaller();
    else signal?.addEventListener('abort', this.#onCaller, { once: true });
  }

  /** Aborts, with a StoreError as its reason, when the query is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Time left, ms, at least 1; undefined without a limit. */
  remainingMs(): number | undefined {
    if (this.#timeoutMs === undefined) return undefined;
    return Math.max(1, Math.ceil(this.#endMs - performance.now()));
  }

  /** The outcome of `task`, unless the query ends first. */
  async settle<Result>(task: Promise<Result>): Promise<Result> {
    const { signal } = this;
    let onEnd: (() => void) | undefined;
    const over = new Promise<never>((_resolve, reject) => {
      onEnd = () => reject(signal.reason);
      if (signal.aborted) onEnd();
      else signal.addEventListener('abort', onEnd, { once: true });
    });
    try {
      return await Promise.race([task, over]);
    } finally {
      if (onEnd !== undefined) signal.removeEventListener('abort', onEnd);
      clearTimeout(this.#timer);
      this.#caller?.removeEventListener('abort', this.#onCaller);
    }
  }

  #end(reason: StoreError): void {
    this.#controller.abort(reason);
  }
}

function givenUp(cause: unknown): StoreError {
  return new StoreError('store_query_failed', 'the query was given up by its caller', { cause });
}

function tookLonger(timeoutMs: number): StoreError {
  return new StoreError(
    'store_query_timeout',
    `the query took longer than ${timeoutMs} ms; ask for less or allow more time`,
  );
}
