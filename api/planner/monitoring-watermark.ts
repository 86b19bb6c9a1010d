/**
 * How far the interval figures have come: log time of the newest epoch of each partition, the smallest of them.
 *
 * Only the topic that was written last counts: an older generation is drained before the next begins.
 */
import type { Statement } from './statement.ts';

/** The topic that was written last, as SQL. */
export const NEWEST_TOPIC = '(SELECT argMax(topic, log_time) FROM epochs)';

export interface IntervalWatermark {
  /** Smallest log time over partitions, ms since 1970; undefined before the first epoch. */
  readonly newestMs: number | undefined;
  /** Log time from which on every partition has epochs, ms since 1970. */
  readonly firstMs: number;
}

export interface WatermarkRow {
  readonly newest: number;
  readonly first: number;
  readonly partitions: number;
}

export function planIntervalWatermark(): Statement {
  return {
    sql: `SELECT toUnixTimestamp64Milli(min(last)) AS newest, toUnixTimestamp64Milli(max(begun)) AS first,
  count() AS partitions
FROM (SELECT argMax(log_time, _epoch) AS last, min(log_time) AS begun
  FROM epochs WHERE topic = ${NEWEST_TOPIC} GROUP BY _partition)`,
    params: {},
  };
}

export function intervalWatermark([row]: readonly WatermarkRow[]): IntervalWatermark {
  if (row === undefined || row.partitions === 0) return { newestMs: undefined, firstMs: 0 };
  return { newestMs: row.newest, firstMs: row.first };
}
