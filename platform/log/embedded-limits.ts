/**
 * Limits of the embedded log, each with its unit and default, checked once when the log opens.
 */
import { checkedLimits } from './limits-check.ts';

export interface EmbeddedLogLimits {
  /** Largest record, bytes. Beyond: `log_record_too_large`. */
  readonly recordBytesMax: number;
  /** Records waiting for their flush. Beyond: `log_overloaded`. */
  readonly queueRecordsMax: number;
  /** Bytes of records waiting for their flush. Beyond: `log_overloaded`. */
  readonly queueBytesMax: number;
  /** Records that one transaction takes. */
  readonly transactionRecordsMax: number;
  /** Bytes of records that one transaction takes; one record always fits. */
  readonly transactionBytesMax: number;
  /**
   * How long the first append after a quiet time waits for company, ms. 0: until the next turn of the event loop.
   * Under load appends gather while the flush before them runs, so that waiting brought no throughput, only latency;
   * it saves flushes on a disk that is slow or counts them.
   */
  readonly gatherMs: number;
  /** A transaction not flushed after so long fails its appends, ms: a stuck disk must not hold callers for ever. */
  readonly flushTimeoutMs: number;
  /** Records in one batch of a reader. */
  readonly batchRecordsMax: number;
  /** Bytes in one batch of a reader; one record always fits. */
  readonly batchBytesMax: number;
  /** Age at which a record is removed, ms by the log's clock. */
  readonly retentionMs: number;
  /** Size of all records, with key and time, from which the oldest are removed, bytes. The file can be half as large again. */
  readonly retentionBytesMax: number;
  /** Records that one transaction of retention removes: large mixed deletes are what lmdb has reports about. */
  readonly retentionTransactionRecordsMax: number;
  /** Bytes that one transaction of retention removes; one record always fits. */
  readonly retentionTransactionBytesMax: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const DAY_MS = 24 * 60 * 60 * 1000;

export const embeddedLogLimits: EmbeddedLogLimits = {
  recordBytesMax: MIB,
  queueRecordsMax: 20_000,
  queueBytesMax: 64 * MIB,
  transactionRecordsMax: 2_000,
  transactionBytesMax: 8 * MIB,
  gatherMs: 0,
  flushTimeoutMs: 30_000,
  batchRecordsMax: 1_000,
  batchBytesMax: 4 * MIB,
  retentionMs: 30 * DAY_MS,
  retentionBytesMax: 20 * 1024 * MIB,
  retentionTransactionRecordsMax: 500,
  retentionTransactionBytesMax: 16 * MIB,
};

/** The defaults with what was given, checked. @throws RangeError when a limit makes no sense. */
export function resolveLimits(given: Partial<EmbeddedLogLimits> = {}): EmbeddedLogLimits {
  return checkedLimits({ ...embeddedLogLimits, ...given });
}
