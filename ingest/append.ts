/**
 * Appends planned records and waits until every one is durable.
 *
 * Guarantee: no error means that all are durable. After one some may be; the client sends the body again, and
 * the fold counts what is doubled once.
 */
import { type Log, LogError } from '../platform/log/log.ts';
import type { PlannedRecord } from './records.ts';

/** Appends all, in order. The result is why the log could not take them now, or nothing. */
export async function appendRecords(
  log: Pick<Log, 'append'>,
  records: readonly PlannedRecord[],
): Promise<LogError | undefined> {
  // Every append is waited for, also after a failure: nothing of a request outlives its answer.
  const outcomes = await Promise.allSettled(
    records.map(({ partition, value }) => log.append(partition, value)),
  );
  let away: LogError | undefined;
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    if (!isLogAway(outcome.reason)) throw outcome.reason;
    away = outcome.reason;
  }
  return away;
}

/** The log is full, away or closing: the client's next try may succeed. */
export function isLogAway(reason: unknown): reason is LogError {
  return (
    reason instanceof LogError &&
    ['log_overloaded', 'log_unavailable', 'log_closed'].includes(reason.code)
  );
}
