/**
 * What a partition's fold tells of itself, for whoever exports it: counters only grow, and go on after a restart with the
 * state that was loaded; gauges say what is held now, each with the setting that bounds it.
 */
import type { BeatFold } from './beat-fold.ts';
import type { FoldCounters } from './fold-counters.ts';

export interface FoldCounts extends Readonly<FoldCounters> {
  readonly viewsOpened: number;
  readonly viewsClosed: number;
  readonly eventsTaken: number;
  /** Rejects of the fold, also of what is no event. */
  readonly eventsRefused: number;
  /** `eventsPerViewMax`: events that count in every figure and are not in the timeline. */
  readonly eventsUnlisted: number;
  readonly edgeRequestsTaken: number;
  readonly edgeRequestsRepeated: number;
  readonly edgeRequestsRefused: number;
  readonly edgeRequestsWithoutView: number;
  /** `intervalTuplesMax`: times that a window had no room for a combination, so that values became `(other)`. */
  readonly tuplesCut: number;
  /** `rejectsPerEpochMax`: rejects that have no row of their own. */
  readonly rejectsSummed: number;
}

export interface FoldGauges {
  /** `viewsMax`. */
  readonly views: number;
  /** Reports that wait for their turn; of each view and lane at most `waitingMax`. */
  readonly waitingReports: number;
  /** Timeline lines and credits of views without a place in time; `eventsPerViewMax`, `pendingCreditsMax` of each view. */
  readonly heldEvents: number;
  readonly pendingCredits: number;
  /** Entries of what is to be done when log time gets there: a few of each view. */
  readonly deadlines: number;
  readonly tuples: number;
  /** Windows of which the tuples are remembered. */
  readonly windows: number;
  /** `heldRequestsMax`. */
  readonly heldRequests: number;
  /** `closedMemoryMax`, `edgeDedupMax`. */
  readonly closedIds: number;
  readonly edgeIds: number;
  /** About what the rows of the epoch under way take, bytes; `epochBytesMax`. */
  readonly epochBytes: number;
}

export function countsOf(
  { counters, edge, intervals, life }: BeatFold,
  rejectsSummed: number,
): FoldCounts {
  return {
    ...life.counts,
    ...life.counters,
    ...counters,
    edgeRequestsTaken: edge.counters.requestsTaken,
    edgeRequestsRepeated: edge.counters.requestsRepeated,
    edgeRequestsRefused: edge.counters.requestsRefused,
    edgeRequestsWithoutView: edge.counters.requestsWithoutView,
    tuplesCut: intervals.tuplesCut,
    rejectsSummed,
  };
}

/** Looks at every view: as often as somebody asks, not with every record. */
export function gaugesOf({ edge, intervals, life }: BeatFold): FoldGauges {
  let waitingReports = 0;
  let heldEvents = 0;
  let pendingCredits = 0;
  for (const view of life.views()) {
    waitingReports += view.waitingCount;
    heldEvents += view.held.length;
    pendingCredits += view.pendingCredits.length;
  }
  return {
    views: life.viewCount,
    waitingReports,
    heldEvents,
    pendingCredits,
    deadlines: life.deadlineCount,
    tuples: intervals.tuples.size,
    windows: intervals.windowCount,
    heldRequests: life.delivery.heldCount,
    closedIds: life.closedIds.size,
    edgeIds: edge.identities.size,
    epochBytes: life.epochBytes,
  };
}
