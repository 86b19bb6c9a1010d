/**
 * One view: all that the fold holds of it. Reached through the partition, never kept beyond its beat.
 *
 * A view is a deterministic function of the set of records that carry its id: duplicates change nothing, arrival order
 * changes nothing within the reorder wait, and what is missing is counted.
 */
import type { DeliveredRequest } from './delivery/request.ts';
import type { Said } from './delivery/said-keys.ts';
import { EdgeFigures } from './edge-figures.ts';
import { FoldCounters } from './fold-counters.ts';
import type { EndedCell, PendingCredit } from './intervals.ts';
import { Lane } from './lane.ts';
import { PlayClock } from './play-clock.ts';
import { StateMachine } from './states.ts';
import { Subviews } from './subviews.ts';
import { TimeLane } from './time-lane.ts';
import type { TimelineEvent } from './timeline-event.ts';
import { Track } from './track.ts';
import { ViewClock } from './view-clock.ts';
import { ViewContext } from './view-context.ts';
import type { GaugePlace } from './viewers-gauge.ts';

/** Reports about requests come late, batched by the player: values are kept so long to be weighed in order, ms. */
const VALUES_KEPT_MS = 60_000;

/** Values that hold from one report to the next. */
export type TrackName = 'shown' | 'selected' | 'scale' | 'latency';

export class View {
  readonly key: string;
  readonly project: string;
  readonly id: string;
  readonly context = new ViewContext();
  readonly clock = new ViewClock();
  readonly #counters: FoldCounters;
  machine: StateMachine;

  /** Source whose reports are the view's states; -1 before any report in order. */
  driver = -1;
  driverHasStates = false;
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #timeLanes: (TimeLane | undefined)[] = [];
  /** Run that was applied last, by lane. */
  readonly runsSeen: number[] = [];

  shown: Track | undefined;
  selected: Track | undefined;
  scale: Track | undefined;
  latency: Track | undefined;
  sourceWidth = 0;
  sourceHeight = 0;
  playerWidth = 0;
  playerHeight = 0;
  droppedFrames = -1;
  shownFrames = -1;
  pageLoadMs = -1;
  playerStartupMs = -1;
  drmMs = -1;

  requestCount = 0;
  requestFailedCount = 0;
  mediaTtfbSumMs = 0;
  mediaTtfbCount = 0;
  mediaTtfbMaxMs = 0;
  mediaBytes = 0;
  mediaTimeMs = 0;

  /** What the player says of itself (`player-claims.ts`), ms; -1 and infinite before it does. */
  startDelayMs = -1;
  startDelayAt = Number.POSITIVE_INFINITY;
  starvedMainMs = -1;
  starvedResponseMs = -1;
  starvedTotalMs = -1;
  hopDelaySumMs = 0;
  hopDelayCount = 0;

  errorCount = 0;
  /** Weight of the error remembered: fatal 2, of unknown fatality 1, not fatal 0, none -1. */
  errorWeight = -1;
  errorCode = '';
  errorBusiness = false;
  /** An error of unknown fatality came and nothing has played since. */
  errorPending = false;

  adAttempts = 0;
  adImpressions = 0;
  adBreaks = 0;
  adErrors = 0;
  adWaiting = false;

  reportsReceived = 0;
  reportsLate = 0;
  reportsDuplicate = 0;
  reportsShadowed = 0;

  /** Log time at which something came last, ms. */
  lastArrivalMs: number;
  /** First place on the line of a report that makes no states; the start of a view that has nothing else. */
  asideLineMs = Number.POSITIVE_INFINITY;
  closed = false;
  closedMs = 0;
  /** Day of the first row, days since 1970; -1 before. */
  startDay = -1;
  dirty = false;
  listed = 0;
  /** Lines of the timeline that wait for the view's place in time. */
  held: TimelineEvent[] = [];
  /** What each row of its timeline begins with, once it has a place. */
  rowHead: Buffer | undefined;
  /** Log time at which its gaps, and its timeout, are looked at; infinite when none is set. */
  reorderSetMs = Number.POSITIVE_INFINITY;
  timeoutSetMs = Number.POSITIVE_INFINITY;
  /** It is to be placed, and let go, at a log time that is set. */
  placeScheduled = false;
  forgetScheduled = false;

  /** Bitrate shown, and live latency, as reported last; -1 unknown. What time is credited with in interval rows. */
  bitrateNow = -1;
  latencyNow = -1;
  /** Tuple of its interval dimensions; -1 when it must be looked up. */
  tuple = -1;
  /** Windows in which it was counted last, and in which it began to play; -1 before. */
  viewerWindow = -1;
  startingWindow = -1;
  startedWindow = -1;
  /** Moment up to which its time was credited to windows, on the log's clock, ms. */
  viewedToMs = 0;
  endedCell: EndedCell | undefined;
  readonly gaugePlace: GaugePlace = { tuple: -1, state: -1 };
  silentScheduled = false;
  /** What waits for the view's place in time. */
  pendingCredits: PendingCredit[] = [];

  /** Requests that its player reported and that wait for its place in time. */
  pendingRequests: DeliveredRequest[] = [];
  /** Requests that edges told of before its player did, and the tuple under which they are counted; -1 without. */
  heldRequests: DeliveredRequest[] = [];
  heldTuple = -1;
  /** What a request of it said last: it only saves work. */
  saidLast: Said | undefined;

  /** Renditions, modes and positions; none while nothing was said of them. */
  subviews: Subviews | undefined;
  /** Playing time when it sought last, ms. */
  soughtPlayedMs = 0;

  /** What edge logs say of it. */
  readonly edge = new EdgeFigures();

  constructor(
    key: string,
    project: string,
    id: string,
    nowMs: number,
    counters = new FoldCounters(),
  ) {
    this.key = key;
    this.project = project;
    this.id = id;
    this.lastArrivalMs = nowMs;
    this.#counters = counters;
    this.machine = new StateMachine(new PlayClock(counters));
  }

  /** The order of one source's reports; `lane` 0 is main, 1 is about requests. */
  lane(source: number, lane: number): Lane {
    const index = source * 2 + lane;
    const existing = this.#lanes[index];
    if (existing !== undefined) return existing;
    const created = new Lane(lane === 0, this.#counters);
    this.#lanes[index] = created;
    const peer = this.#lanes[index ^ 1];
    if (peer !== undefined) {
      created.peer = peer;
      peer.peer = created;
    }
    return created;
  }

  timeLane(source: number, lane: number): TimeLane {
    const index = source * 2 + lane;
    this.#timeLanes[index] ??= new TimeLane(this.#counters);
    return this.#timeLanes[index];
  }

  /** Lanes that exist, by source and lane. */
  existingLane(source: number, lane: number): Lane | undefined {
    return this.#lanes[source * 2 + lane];
  }

  existingTimeLane(source: number, lane: number): TimeLane | undefined {
    return this.#timeLanes[source * 2 + lane];
  }

  /** Reports that wait for their turn. */
  get waitingCount(): number {
    let waiting = 0;
    for (const lane of this.#lanes) waiting += lane?.waiting.length ?? 0;
    for (const lane of this.#timeLanes) waiting += lane?.waiting.length ?? 0;
    return waiting;
  }

  /** When the first of its waits is over, log time in ms; undefined when nothing waits. */
  soonestWaitMs(reorderMs: number): number | undefined {
    let soonest: number | undefined;
    for (const lane of [...this.#lanes, ...this.#timeLanes]) {
      const wait = lane?.deadlineMs(reorderMs);
      if (wait !== undefined && (soonest === undefined || wait < soonest)) soonest = wait;
    }
    return soonest;
  }

  /** A value track. Native reports are one sequence: nothing of theirs has to be kept. */
  track(name: TrackName, source: number): Track {
    this[name] ??= new Track(source === 0 ? 0 : VALUES_KEPT_MS, this.#counters);
    return this[name];
  }

  /** What is kept of renditions, modes and positions, of which something is said. */
  get said(): Subviews {
    this.subviews ??= new Subviews(this.#counters);
    return this.subviews;
  }

  /** A value that nothing can have counts as not said. */
  believed(value: number, max: number, unknown = -1): number {
    if (value <= max) return value;
    this.#counters.valuesIgnored++;
    return unknown;
  }

  /** Another source takes over before anything has played: its reports alone make the states. */
  takeOver(source: number): void {
    this.driver = source;
    this.driverHasStates = true;
    this.machine = new StateMachine(new PlayClock(this.#counters));
    this.clock.lastAt = Number.NaN;
    this.shown = undefined;
    this.selected = undefined;
    this.scale = undefined;
    this.latency = undefined;
    this.bitrateNow = -1;
    this.latencyNow = -1;
    this.subviews = undefined;
    this.soughtPlayedMs = 0;
  }

  /** Where the view starts, on the log's clock, ms. */
  get startMs(): number {
    const { clock, edge, machine, asideLineMs } = this;
    if (machine.touched) return clock.placeLine(machine.startLineMs);
    return Number.isFinite(asideLineMs) ? clock.placeLine(asideLineMs) : edge.firstMs;
  }

  /** Where it ends, or what was heard of it last, ms. */
  get endMs(): number {
    if (this.machine.touched) return this.clock.placeLine(this.machine.endLineMs);
    return this.isEdgeOnly ? this.edge.lastMs : this.startMs;
  }

  /** Nothing but edge logs tells of it. */
  get isEdgeOnly(): boolean {
    return this.edge.requestCount > 0 && !this.clock.measured;
  }
}
