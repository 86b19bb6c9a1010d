/**
 * The engine's errors as errors of the store: a stable code, a sentence that says what to do, the engine's own as cause.
 *
 * Numbers are ClickHouse's error codes, `system.errors`; they do not change between versions.
 */
import { ClickHouseError } from '@clickhouse/client';
import { StoreError, type StoreErrorCode } from './store.ts';

const TIMEOUT = new Set([
  '159', // TIMEOUT_EXCEEDED
  '160', // TOO_SLOW
]);

const TOO_LARGE = new Set([
  '158', // TOO_MANY_ROWS
  '241', // MEMORY_LIMIT_EXCEEDED
  '307', // TOO_MANY_BYTES
  '396', // TOO_MANY_ROWS_OR_BYTES
]);

const UNAVAILABLE = new Set([
  '194', // REQUIRED_PASSWORD
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '236', // ABORTED, also by an engine that shuts down
  '279', // ALL_CONNECTION_TRIES_FAILED
  '516', // AUTHENTICATION_FAILED
  '745', // SERVER_OVERLOADED
  '999', // KEEPER_EXCEPTION
]);

const MESSAGE_LENGTH_MAX = 600;

/** What failed: a query or statement, or an insert, whose limits are not its caller's. */
export type Attempt = 'query' | 'insert';

/** Maps what a client or an engine threw. What no engine answered is `store_unavailable`. */
export function storeErrorOf(cause: unknown, attempt: Attempt): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = codeOf(cause, attempt);
  return new StoreError(code, `${SENTENCES[code]}: ${messageOf(cause)}`, { cause });
}

function codeOf(cause: unknown, attempt: Attempt): keyof typeof SENTENCES {
  if (isMistake(cause)) return attempt === 'insert' ? 'store_insert_failed' : 'store_query_failed';
  if (!(cause instanceof ClickHouseError)) return 'store_unavailable';
  if (UNAVAILABLE.has(cause.code)) return 'store_unavailable';
  if (attempt === 'insert') return 'store_insert_failed';
  if (TIMEOUT.has(cause.code)) return 'store_query_timeout';
  if (TOO_LARGE.has(cause.code)) return 'store_query_too_large';
  return 'store_query_failed';
}

/** An error that asking again would not cure, and that no engine had a part in. */
function isMistake(cause: unknown): boolean {
  return cause instanceof TypeError || cause instanceof RangeError || cause instanceof SyntaxError;
}

const SENTENCES = {
  store_unavailable: 'ClickHouse cannot be reached or does not take work; check that it runs',
  store_insert_failed: 'the insert was refused',
  store_query_timeout: 'the query took too long; ask for less or allow more time',
  store_query_too_large: 'the query needs more rows or memory than it may; ask for less',
  store_query_failed: 'the query failed',
} satisfies Partial<Record<StoreErrorCode, string>>;

function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  return text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX)}…` : text;
}
