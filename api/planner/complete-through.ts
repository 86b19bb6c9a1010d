/**
 * How far the view figures are complete: every view that ended before this time is in them.
 *
 * The smallest `open_since` over the newest epoch of each partition. Only the topic that was written last counts: an
 * older generation is drained before the next begins, and would hold the time back for ever.
 */
import type { Statement } from './statement.ts';

export interface CompleteThroughRow {
  /** ms since 1970; of no meaning when `partitions` is 0. */
  readonly through: number;
  readonly partitions: number;
}

export function planCompleteThrough(): Statement {
  return {
    sql: `SELECT toUnixTimestamp64Milli(min(newest)) AS through, count() AS partitions FROM (
  SELECT argMax(open_since, _epoch) AS newest FROM epochs
  WHERE topic = (SELECT argMax(topic, log_time) FROM epochs)
  GROUP BY _partition)`,
    params: {},
  };
}

/** ISO time, or null before the first epoch. */
export function completeThrough(rows: readonly CompleteThroughRow[]): string | null {
  const row = rows[0];
  if (row === undefined || row.partitions === 0) return null;
  return new Date(row.through).toISOString();
}
