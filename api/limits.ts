/**
 * Limits of the query side, by name. Passing one answers with a stable code and is counted, never silent.
 */

export interface QueryLimits {
  /** A query that runs longer ends, ms. */
  readonly queryTimeMsMax: number;
  /** Rows that one query may give back. */
  readonly queryRowsMax: number;
  /** Memory that one query may use, bytes. */
  readonly queryMemoryBytesMax: number;
  /** Queries that run at once. */
  readonly queriesAtOnceMax: number;
  /** Queries that wait for their turn; more are asked to come back. */
  readonly queriesWaitingMax: number;
  /** Rows of one page. */
  readonly pageRowsMax: number;
  /** Rows that paging may skip: a later page needs a narrower question. */
  readonly pageOffsetMax: number;
  /** Points of one time series. */
  readonly seriesPointsMax: number;
  /** Entries of `filters[]`, and of `metric_filters[]`. */
  readonly filtersMax: number;
  /** Characters of one filter. */
  readonly filterLengthMax: number;
  /** Events of a view in one answer. */
  readonly viewEventsMax: number;
  /** Annotations of a project. */
  readonly annotationsMax: number;
  /** Exports that run at once, those of slow clients too. */
  readonly exportsAtOnceMax: number;
  /** Views that an export reads at a time: what it holds in memory. */
  readonly exportPageRowsMax: number;
  /** Views of one Parquet file, which is made in memory. */
  readonly exportParquetRowsMax: number;
  /** An export whose client takes nothing for this long is cut, ms; one that finds the queue full waits as long. */
  readonly exportStallMsMax: number;
  /** Memory of answers over finished ranges, bytes; 0 keeps none. */
  readonly answerCacheBytesMax: number;
  /** The largest answer that is kept, bytes. */
  readonly answerBytesMax: number;
  /**
   * How long a client may use such an answer without asking whether it still holds, s. Above 0 a late row is seen so much
   * later.
   */
  readonly answerFreshSecondsMax: number;
}

export const QUERY_LIMITS: QueryLimits = {
  queryTimeMsMax: 10_000,
  queryRowsMax: 100_000,
  queryMemoryBytesMax: 2_147_483_648,
  queriesAtOnceMax: 8,
  queriesWaitingMax: 64,
  pageRowsMax: 1_000,
  pageOffsetMax: 1_000_000,
  seriesPointsMax: 15_000,
  filtersMax: 100,
  filterLengthMax: 1_024,
  viewEventsMax: 1_000,
  annotationsMax: 10_000,
  exportsAtOnceMax: 4,
  exportPageRowsMax: 10_000,
  exportParquetRowsMax: 100_000,
  exportStallMsMax: 60_000,
  answerCacheBytesMax: 33_554_432,
  answerBytesMax: 1_048_576,
  answerFreshSecondsMax: 0,
};
