/**
 * Settings that change results. They are announced in the log and in force from the next epoch, so that a replay
 * uses what held at that place.
 */

/** Version of the fold's results. Raised with every change after which the same log gives other rows. */
export const FOLD_VERSION = 2;

export interface FoldSettings {
  /** Length of an epoch in log time, ms. */
  readonly epochMs: number;
  /** An epoch also ends after this many records. */
  readonly epochRecordsMax: number;
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
  /** What a view waits to credit until it has a place in time; beyond, it is placed at once. */
  readonly pendingCreditsMax: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const defaultFoldSettings: FoldSettings = {
  epochMs: 2_000,
  epochRecordsMax: 10_000,
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
  pendingCreditsMax: 2_000,
};

/** The settings with those of a `settings` record laid over; unknown names and bad values are ignored. */
export function withAnnounced(
  settings: FoldSettings,
  values: Readonly<Record<string, number>>,
): FoldSettings {
  const known = Object.keys(settings).filter((name) => {
    const value = values[name];
    return value !== undefined && Number.isSafeInteger(value) && value >= 0;
  });
  return { ...settings, ...Object.fromEntries(known.map((name) => [name, values[name]])) };
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
