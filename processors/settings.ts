/**
 * Settings that change results. They are announced in the log and in force from the next epoch, so that a replay
 * uses what held at that place.
 */

/** Version of the fold's results. Raised with every change after which the same log gives other rows. */
export const FOLD_VERSION = 6;

export interface FoldSettings {
  /** Length of an epoch in log time, ms. */
  readonly epochMs: number;
  /** An epoch also ends after this many records. */
  readonly epochRecordsMax: number;
  /** And when its rows, those still to be written included, have about this many bytes. */
  readonly epochBytesMax: number;
  /** How long a gap in sequence numbers waits, ms of log time. Also how long a view's clock is measured. */
  readonly reorderMs: number;
  /** A view from which nothing came for so long has ended, ms of log time. */
  readonly viewTimeoutMs: number;
  /** The same for a paused view. */
  readonly pausedTimeoutMs: number;
  /** A longer silence between two events counts so much to the state held and the rest to unknown, ms. */
  readonly gapMs: number;
  /** How long a closed view can be reopened, ms of log time. */
  readonly reopenMs: number;
  /** How long the id of a view is remembered after that, to refuse what comes, ms of log time. */
  readonly closedMemoryMs: number;
  /** What lies longer before its append time is refused, ms; for trusted clocks `retentionMs`. */
  readonly pastMs: number;
  readonly retentionMs: number;
  /** A clock that jumps to more than this after the append time is set anew, ms. */
  readonly futureMs: number;
  /** Events that wait behind a gap, for each view and lane; beyond, the gap is given up. */
  readonly waitingMax: number;
  /** Views held by one partition; beyond, new ones are refused. */
  readonly viewsMax: number;
  /** Tuples of one window of interval rows; beyond, video_id and then asn become `(other)`. */
  readonly intervalTuplesMax: number;
  /** A view silent for longer is not counted as watching now, ms of log time. */
  readonly silentMs: number;
  /** How long an edge request is remembered to know its repeats, ms of log time. */
  readonly edgeDedupMs: number;
  /** Edge requests remembered by one partition; beyond, the oldest is forgotten. */
  readonly edgeDedupMax: number;
  /** Closed ids remembered by one partition; beyond, the oldest is forgotten. */
  readonly closedMemoryMax: number;
  /** Events of one view that go into its timeline; beyond, they count but are not listed. */
  readonly eventsPerViewMax: number;
  /** Rows of `rejected` in one epoch; beyond, one row for each project, way and reason stands for the rest. */
  readonly rejectsPerEpochMax: number;
  /** Bytes that rows of `rejected` may take in one epoch; beyond, rows come without the original bytes. */
  readonly rejectBytesPerEpochMax: number;
  /** Renditions of one view that are told apart; what is said of others counts as `(other)`. */
  readonly renditionsPerViewMax: number;
  /** Parts of its content that a view keeps as played; beyond, the two nearest become one. */
  readonly contentRangesMax: number;
  /** Places in the content where a view met trouble; trouble at others has no place. */
  readonly troublesPerViewMax: number;
  /** What a view waits to credit until it has a place in time; beyond, it is placed at once. */
  readonly pendingCreditsMax: number;
  /** Cells of delivery that one epoch tells apart; beyond, video, network and edge become `(other)`, then all. */
  readonly deliveryCellsMax: number;
  /** Edge requests that one view, and one partition, hold until the view's player tells of it. */
  readonly heldRequestsPerViewMax: number;
  readonly heldRequestsMax: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 86_400_000;
const MIB = 1_048_576;

export const defaultFoldSettings: FoldSettings = {
  epochMs: 2_000,
  epochRecordsMax: 10_000,
  epochBytesMax: 64 * MIB,
  reorderMs: 5_000,
  viewTimeoutMs: 2 * MINUTE_MS,
  pausedTimeoutMs: 60 * MINUTE_MS,
  gapMs: MINUTE_MS,
  reopenMs: 30 * MINUTE_MS,
  closedMemoryMs: DAY_MS,
  pastMs: 35 * DAY_MS,
  retentionMs: 30 * DAY_MS,
  futureMs: 10 * MINUTE_MS,
  waitingMax: 256,
  viewsMax: 500_000,
  intervalTuplesMax: 5_000,
  silentMs: 45_000,
  edgeDedupMs: 15 * MINUTE_MS,
  edgeDedupMax: 500_000,
  closedMemoryMax: 200_000,
  eventsPerViewMax: 10_000,
  rejectsPerEpochMax: 1_000,
  rejectBytesPerEpochMax: 16 * MIB,
  renditionsPerViewMax: 32,
  contentRangesMax: 64,
  troublesPerViewMax: 64,
  pendingCreditsMax: 2_000,
  deliveryCellsMax: 20_000,
  heldRequestsPerViewMax: 256,
  heldRequestsMax: 100_000,
};

/**
 * What the log may announce: the least and the most of each. Wider than what an operator may want, and narrow enough that
 * no record can hold up a partition (an epoch of no length never ends) or let its state grow beyond a machine.
 */
const RANGES: Readonly<Record<keyof FoldSettings, readonly [least: number, most: number]>> = {
  epochMs: [10, HOUR_MS],
  epochRecordsMax: [1, 10_000_000],
  epochBytesMax: [MIB, 256 * MIB],
  reorderMs: [0, HOUR_MS],
  viewTimeoutMs: [1, 7 * DAY_MS],
  pausedTimeoutMs: [1, 7 * DAY_MS],
  gapMs: [1, DAY_MS],
  reopenMs: [0, 35 * DAY_MS],
  closedMemoryMs: [0, 365 * DAY_MS],
  pastMs: [MINUTE_MS, 3_650 * DAY_MS],
  retentionMs: [MINUTE_MS, 3_650 * DAY_MS],
  futureMs: [0, DAY_MS],
  waitingMax: [0, 100_000],
  viewsMax: [1, 10_000_000],
  intervalTuplesMax: [1, 100_000],
  silentMs: [0, DAY_MS],
  edgeDedupMs: [0, 7 * DAY_MS],
  edgeDedupMax: [0, 50_000_000],
  closedMemoryMax: [0, 50_000_000],
  eventsPerViewMax: [0, 1_000_000],
  rejectsPerEpochMax: [0, 100_000],
  rejectBytesPerEpochMax: [0, 256 * MIB],
  renditionsPerViewMax: [0, 1_000],
  contentRangesMax: [1, 1_000],
  troublesPerViewMax: [0, 1_000],
  pendingCreditsMax: [0, 100_000],
  deliveryCellsMax: [1, 100_000],
  heldRequestsPerViewMax: [0, 10_000],
  heldRequestsMax: [0, 10_000_000],
};

function isUsable(name: string, value: number | undefined): boolean {
  if (value === undefined || !Number.isSafeInteger(value) || !Object.hasOwn(RANGES, name)) {
    return false;
  }
  const [least, most] = RANGES[name as keyof FoldSettings];
  return value >= least && value <= most;
}

/** The settings with those of a `settings` record laid over; unknown names and bad values are ignored. */
export function withAnnounced(
  settings: FoldSettings,
  values: Readonly<Record<string, number>>,
): FoldSettings {
  const known = Object.keys(settings).filter((name) => isUsable(name, values[name]));
  return { ...settings, ...Object.fromEntries(known.map((name) => [name, values[name]])) };
}

/** How many of the values `withAnnounced` ignores. */
export function countIgnored(values: Readonly<Record<string, number>>): number {
  return Object.keys(values).filter((name) => !isUsable(name, values[name])).length;
}

/** The wanted settings that differ from those in force: what a `settings` record must announce. */
export function toAnnounce(
  inForce: FoldSettings,
  wanted: Readonly<Record<string, number>>,
): Record<string, number> | undefined {
  const laid = withAnnounced(inForce, wanted);
  const names = Object.keys(laid) as (keyof FoldSettings)[];
  const changed = names.filter((name) => laid[name] !== inForce[name]);
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((name) => [name, laid[name]]));
}
