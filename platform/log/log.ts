/**
 * The log: what happened, in order, by partition.
 *
 * Guarantees every implementation gives, checked by one contract suite:
 * - `append` resolves only when the record is durable (Kafka: acks=all; embedded: flushed to disk).
 * - A reader sees a record only once it is durable, in offset order, without gaps in time order of a partition.
 * - Offsets of a partition grow. They may have gaps: the next offset is never computed by adding one to a count.
 */

/** A record as a reader gets it. */
export interface LogRecord {
  /** Position in its partition. Grows; may have gaps. */
  readonly offset: number;
  /** When the log took the record, ms since 1970, by the log's clock (Kafka: LogAppendTime). May step back. */
  readonly appendTimeMs: number;
  /** The record's bytes. Valid until the next batch is asked for. */
  readonly value: Buffer;
}

/** Where an append landed. */
export interface AppendResult {
  readonly offset: number;
  readonly appendTimeMs: number;
}

export interface ReadOptions {
  /**
   * First offset wanted. An offset that retention removed is a
   * `log_offset_out_of_range` error, and so is one beyond `latest`.
   */
  readonly fromOffset: number;
  /** Ends the stream, cleanly, at the next turn. */
  readonly signal?: AbortSignal;
  /** At most this many records in one batch. */
  readonly batchRecordsMax?: number;
  /** True: the stream waits for new records at the end. False: it ends when it has caught up. */
  readonly follow: boolean;
}

/** The log of one topic: a fixed number of partitions, each an ordered sequence of records. */
export interface Log {
  /** Name of the topic, with its generation. */
  readonly topic: string;
  /** Number of partitions; fixed when the topic is made. */
  readonly partitions: number;
  /**
   * Appends one record to a partition. Resolves when it is durable. Calls keep their order inside a partition.
   * The bytes are copied: the caller may use them again at once.
   * @throws LogError `log_overloaded` when the bounded queue is full, `log_unavailable` when the log cannot take it
   * (its outcome is then unknown: the record may be there), `log_record_too_large`, `log_partition_unknown`, `log_closed`.
   */
  append(partition: number, value: Uint8Array): Promise<AppendResult>;
  /**
   * Reads a partition, in batches, never an empty batch. Errors come with the first, or a later, batch.
   * An abort ends the stream cleanly. Closing the log ends a following stream cleanly, and fails one that does not
   * follow with `log_closed`, because its end would mean that it has caught up.
   * @throws LogError `log_offset_out_of_range`, `log_partition_unknown`, `log_closed`; `log_format_unknown` for bytes
   * that are damaged or not known; `log_unavailable` when the log does not answer, which one that follows waits out.
   */
  read(partition: number, options: ReadOptions): AsyncIterable<readonly LogRecord[]>;
  /** Offset of the oldest record kept; equal to `latest` when the partition is empty. */
  earliest(partition: number): Promise<number>;
  /** Offset that the next record will have at least: one past the newest durable record. */
  latest(partition: number): Promise<number>;
  /** Waits for appends under way, then closes. */
  close(): Promise<void>;
}

export type LogErrorCode =
  | 'log_overloaded'
  | 'log_unavailable'
  | 'log_offset_out_of_range'
  | 'log_record_too_large'
  | 'log_partition_unknown'
  | 'log_partitions_changed'
  | 'log_topic_changed'
  | 'log_topic_missing'
  | 'log_format_unknown'
  | 'log_damaged'
  | 'log_in_use'
  | 'log_closed';

/** An error of the log, with a stable code. */
export class LogError extends Error {
  readonly code: LogErrorCode;
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogError';
    this.code = code;
  }
}
