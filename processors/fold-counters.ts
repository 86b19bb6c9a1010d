/**
 * How often a limit was passed, or something was said that cannot be: each goes on in a way that keeps totals right, and
 * is counted here. Part of the state, so that a fold that is loaded goes on counting where it was.
 */
export class FoldCounters {
  /** Rejects of the fold, by code. */
  rejectsRecordMalformed = 0;
  rejectsRecordUnknown = 0;
  rejectsRecordFailed = 0;
  rejectsTimeOutOfRange = 0;
  rejectsViewClosed = 0;
  rejectsViewsLimit = 0;

  /** `waitingMax`: gaps given up, and reports without numbers let through, before their time. */
  gapsGivenUpEarly = 0;
  timedPassedEarly = 0;
  /** `pendingCreditsMax`: views placed before their time. */
  viewsPlacedEarly = 0;
  /** Bounds of one view: spans of playing and points of a value summed early, holes closed, identities forgotten. */
  spansForgotten = 0;
  pointsSummedEarly = 0;
  holesClosed = 0;
  timedIdentitiesForgotten = 0;
  /** `closedMemoryMax`, `edgeDedupMax`: ids forgotten before their time. */
  closedIdsForgotten = 0;
  edgeIdsForgotten = 0;
  /** `renditionsPerViewMax`, `contentRangesMax`, `troublesPerViewMax`: what a view's subviews had no room for. */
  renditionsMerged = 0;
  contentGapsClosed = 0;
  troublesUnplaced = 0;
  /** Edge requests that came after their view was let go: they count as delivered, not in the view's row. */
  edgeRequestsLate = 0;
  /** `heldRequestsPerViewMax`, `heldRequestsMax`: requests that stay under what was known when they came. */
  requestsNotHeld = 0;
  /** `deliveryCellsMax`: requests of which values became `(other)`. */
  deliveryCellsCut = 0;
  /** Views whose combination of dimensions became `(other)` because the partition holds as many as it may. */
  tuplesLimited = 0;
  /** `rejectBytesPerEpochMax`: rows of `rejected` without their bytes. */
  rejectBytesCut = 0;
  /** `epochBytesMax`: epochs that ended for their size. */
  epochsCut = 0;

  /** Values beyond what anything can be, which count as not said. */
  valuesIgnored = 0;
  /** Positions beyond the longest content, as players of live streams say them. */
  positionsIgnored = 0;
  /** Settings in the log that are unknown or out of range. */
  settingsIgnored = 0;
  /** Append times that are none. */
  appendTimesCorrected = 0;
  /** Defects of the fold: what was due to a view, and rows, that failed. */
  deadlinesFailed = 0;
  rowsFailed = 0;
}

/** Codes of what the fold refuses, with the counter of each. */
export const REJECT_COUNTERS = {
  record_malformed: 'rejectsRecordMalformed',
  record_unknown: 'rejectsRecordUnknown',
  record_failed: 'rejectsRecordFailed',
  time_out_of_range: 'rejectsTimeOutOfRange',
  view_closed: 'rejectsViewClosed',
  views_limit: 'rejectsViewsLimit',
} as const;

/** Why the fold refuses something. */
export type RejectCode = keyof typeof REJECT_COUNTERS;
