/**
 * Runs statements against the store, within the limits.
 *
 * Guarantee: at most `queriesAtOnceMax` run at once and `queriesWaitingMax` wait; every failure of the store becomes a
 * problem with a stable code; a query whose client has left is not begun, and is cancelled where the engine can.
 */
import pLimit from 'p-limit';
import type { BaseLogger } from 'pino';
import type { ProblemError } from '../platform/http/problem.ts';
import {
  type QueryOptions,
  type QueryStatistics,
  type ResultFormat,
  type Store,
  StoreError,
} from '../platform/store/store.ts';
import { refuse } from './errors.ts';
import { explain, isExplained } from './explain.ts';
import type { QueryLimits } from './limits.ts';
import type { Statement } from './planner/statement.ts';

const RETRY_AFTER_S = 2;

/** What became of queries since the start. */
export interface QueryCounters {
  done: number;
  failed: number;
  timedOut: number;
  tooLarge: number;
  unavailable: number;
  refusedFull: number;
  clientLeft: number;
}

export interface QueryRunner {
  readonly counters: Readonly<QueryCounters>;
  /** Rows of one statement. @throws ProblemError with a code of the error table. */
  run<Row>(statement: Statement, signal: AbortSignal): Promise<Row[]>;
  /** The rows as the engine writes them in a format, `rowsMax` at most. @throws ProblemError as `run`. */
  runFormat(question: FormatQuestion, signal: AbortSignal): Promise<Buffer>;
}

export interface FormatQuestion {
  readonly statement: Statement;
  readonly format: ResultFormat;
  readonly rowsMax: number;
}

export interface QueryRunnerDeps {
  readonly store: Store;
  readonly limits: QueryLimits;
  readonly logger: Pick<BaseLogger, 'error' | 'warn'>;
}

export function createQueryRunner({ store, limits, logger }: QueryRunnerDeps): QueryRunner {
  const turn = pLimit(limits.queriesAtOnceMax);
  const counters: QueryCounters = {
    done: 0,
    failed: 0,
    timedOut: 0,
    tooLarge: 0,
    unavailable: 0,
    refusedFull: 0,
    clientLeft: 0,
  };

  async function ask<Result>(
    statement: Statement,
    signal: AbortSignal,
    work: (options: QueryOptions) => Promise<Result>,
  ): Promise<Result> {
    if (signal.aborted) throw left(counters);
    const beganMs = performance.now();
    let read: QueryStatistics | undefined;
    const onStatistics = (found: QueryStatistics | undefined): void => {
      read = found;
    };
    try {
      const result = await work({
        params: statement.params,
        signal,
        timeoutMs: limits.queryTimeMsMax,
        rowsMax: limits.queryRowsMax,
        memoryBytesMax: limits.queryMemoryBytesMax,
        ...(isExplained(signal) ? { onStatistics } : {}),
      });
      counters.done++;
      explain(signal, statement, { read, elapsedMs: performance.now() - beganMs });
      return result;
    } catch (error) {
      if (signal.aborted) throw left(counters);
      const problem = problemOfStore(error, counters);
      if (problem.code === 'query_failed') logger.error({ err: error }, 'query failed');
      if (problem.code === 'store_unavailable') logger.warn({ err: error }, 'store unavailable');
      throw problem;
    }
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (turn.pendingCount >= limits.queriesWaitingMax) {
      counters.refusedFull++;
      return Promise.reject(refuse('query_queue_full', { headers: retryLater }));
    }
    return turn(work);
  }

  return {
    counters,
    run<Row>(statement: Statement, signal: AbortSignal): Promise<Row[]> {
      const work = (options: QueryOptions) => store.query<Row>(statement.sql, options);
      return inTurn(() => ask(statement, signal, work));
    },
    runFormat({ statement, format, rowsMax }: FormatQuestion, signal: AbortSignal) {
      const work = (options: QueryOptions) =>
        store.queryFormat(statement.sql, format, { ...options, rowsMax });
      return inTurn(() => ask(statement, signal, work));
    },
  };
}

const retryLater = { 'retry-after': String(RETRY_AFTER_S) };

function left(counters: QueryCounters): ProblemError {
  counters.clientLeft++;
  return refuse('client_left');
}

function problemOfStore(cause: unknown, counters: QueryCounters): ProblemError {
  switch (cause instanceof StoreError ? cause.code : undefined) {
    case 'store_unavailable':
    case 'store_closed':
      counters.unavailable++;
      return refuse('store_unavailable', { headers: retryLater, cause });
    case 'store_query_timeout':
      counters.timedOut++;
      return refuse('query_timeout', { cause });
    case 'store_query_too_large':
      counters.tooLarge++;
      return refuse('query_too_large', { cause });
    default:
      counters.failed++;
      return refuse('query_failed', { cause });
  }
}
