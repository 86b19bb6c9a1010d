/**
 * Times that the fold believes. A log's append time is the broker's, a timestamp is a client's or an edge's: either may be
 * any number, and every column must still hold what is concluded from it.
 */
import type { FoldRecord } from './fold-record.ts';

/** Append times beyond, the year 2100, count as this: dates and windows of the columns end soon after. */
export const APPEND_TIME_MAX_MS = 4_102_444_800_000;
/** Timestamps beyond, in either direction, are no times: sums and differences of such stay exact below. */
const TIMESTAMP_MAX_MS = 2 ** 51;

/** The record with an append time that is one: whole, not before 1970, not after 2100. Mostly the record itself. */
export function withAppendTime(record: FoldRecord): FoldRecord {
  const { appendTimeMs } = record;
  const soundMs = soundTime(appendTimeMs);
  return soundMs === appendTimeMs ? record : { ...record, appendTimeMs: soundMs };
}

/** An append time as the fold takes it. What is no number is 0, which leaves log time where it is. */
export function soundTime(appendTimeMs: number): number {
  if (!(appendTimeMs > 0)) return 0;
  return Math.min(APPEND_TIME_MAX_MS, Math.floor(appendTimeMs));
}

/** True for what a clock can say, however wrong it is. */
export function isTimestamp(at: number): boolean {
  return at >= -TIMESTAMP_MAX_MS && at <= TIMESTAMP_MAX_MS;
}
