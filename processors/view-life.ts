/**
 * The life of a partition's views: opened by what names them, given a place in time, closed by their end or by silence,
 * let go when they cannot be opened again. Log time alone decides.
 */
import { createHash } from 'node:crypto';
import { type Deadline, type DeadlineKind, Deadlines } from './deadlines.ts';
import { ExpiringIds } from './expiring-ids.ts';
import { Intervals, pendingPlayingMs } from './intervals.ts';
import { dayOf, type EpochRows } from './rows.ts';
import type { FoldSettings } from './settings.ts';
import { STATE } from './states.ts';
import type { TupleLimits } from './tuples.ts';
import { View } from './view.ts';
import { indexOfDimension } from './view-context.ts';

const VIEWER = indexOfDimension('viewer_user_id');

/** Why a view is not opened. */
export type OpenRefusal = 'view_closed' | 'views_limit';

export interface SavedLife {
  readonly viewsOpened: number;
  readonly viewsClosed: number;
  /** Order of the next deadline. */
  readonly nextOrder: number;
  readonly tuplesCut: number;
  readonly tuplesSweepAt: number;
  /** Of views that were let go: events taken, and playing time that rows say, ms. */
  readonly goneEvents: number;
  readonly gonePlayingMs: number;
  /** Playing time that all interval rows together say, ms. */
  readonly intervalsPlayingMs: number;
}

/** The same numbers, told by the views and by what was written of them. */
export interface Audit {
  /** Events that views have taken. */
  readonly eventsInViews: number;
  /** Playing time of all views, what waits for a place in time left out, ms. */
  readonly viewsPlayingMs: number;
  /** Playing time of all interval rows, ms. */
  readonly intervalsPlayingMs: number;
}

export class ViewLife {
  settings: FoldSettings;
  readonly intervals: Intervals;
  readonly counters = { viewsOpened: 0, viewsClosed: 0 };
  #gone = { goneEvents: 0, gonePlayingMs: 0 };
  readonly #rows: EpochRows;
  readonly #views = new Map<string, View>();
  /** Ids of views that were let go, to refuse what still comes of them. */
  readonly closedIds = new ExpiringIds();
  readonly #deadlines = new Deadlines<View>();
  readonly #dirty: View[] = [];

  constructor(rows: EpochRows, settings: FoldSettings, limits?: TupleLimits) {
    this.#rows = rows;
    this.settings = settings;
    this.intervals = new Intervals(settings, limits);
  }

  /** True when nothing waits to be written: the state is that of an epoch's end. */
  get settled(): boolean {
    return this.#dirty.length === 0 && this.intervals.settled;
  }

  /** Number of views held. */
  get size(): number {
    return this.#views.size;
  }

  /** The views held, oldest first. */
  views(): Iterable<View> {
    return this.#views.values();
  }

  /** What is to be done to views, soonest first. Of a view that is not held any more it is nothing. */
  deadlines(): Iterable<Deadline<View>> {
    return this.#deadlines.inOrder();
  }

  save(): SavedLife {
    return {
      ...this.counters,
      nextOrder: this.#deadlines.nextOrder,
      tuplesCut: this.intervals.tuplesCut,
      tuplesSweepAt: this.intervals.tuples.sweepAt,
      ...this.#gone,
      intervalsPlayingMs: this.intervals.playingMs,
    };
  }

  /** What can be added up again: all that ever came is in views that are held or in those that were let go. */
  audit(): Audit {
    let { goneEvents: eventsInViews, gonePlayingMs: viewsPlayingMs } = this.#gone;
    for (const view of this.#views.values()) {
      eventsInViews += view.reportsReceived;
      viewsPlayingMs += writtenPlayingMs(view);
    }
    return { eventsInViews, viewsPlayingMs, intervalsPlayingMs: this.intervals.playingMs };
  }

  restore(saved: SavedLife): void {
    const { viewsOpened, viewsClosed, nextOrder, tuplesCut, tuplesSweepAt } = saved;
    Object.assign(this.counters, { viewsOpened, viewsClosed });
    this.#gone = { goneEvents: saved.goneEvents, gonePlayingMs: saved.gonePlayingMs };
    this.intervals.playingMs = saved.intervalsPlayingMs;
    this.#deadlines.nextOrder = nextOrder;
    this.intervals.tuplesCut = tuplesCut;
    this.intervals.tuples.sweepAt = tuplesSweepAt;
  }

  /** Puts back the next view that `views` gave. */
  restoreView(view: View): void {
    this.#views.set(view.key, view);
  }

  /** Puts back the next that `deadlines` gave. */
  restoreDeadline(deadline: Deadline<View>): void {
    this.#deadlines.restore(deadline);
  }

  setSettings(settings: FoldSettings): void {
    const waitsShorter = settings.reorderMs < this.settings.reorderMs;
    this.settings = settings;
    this.intervals.settings = settings;
    for (const view of this.#views.values()) {
      this.#scheduleTimeout(view);
      // Its wait is over sooner than was set; a view whose reports all wait is placed only after that.
      if (waitsShorter && view.reorderScheduled) this.#scheduleReorder(view);
    }
  }

  /** The view of an id, made when it is new. */
  open(project: string, id: string, nowMs: number): View | OpenRefusal {
    const key = `${project}\0${id}`;
    const existing = this.#views.get(key);
    if (existing !== undefined) return existing;
    if (this.closedIds.has(closedIdOf(key))) return 'view_closed';
    if (this.#views.size >= this.settings.viewsMax) return 'views_limit';
    const view = new View(key, project, id, nowMs);
    this.#views.set(key, view);
    this.counters.viewsOpened++;
    return view;
  }

  /** The view is to have a place in time once its clock was measured for the reorder wait. */
  placeLater(view: View, nowMs: number): void {
    this.#deadlines.set(nowMs + this.settings.reorderMs, 'place', view);
  }

  /** The view changed: it gets a row at the end of the epoch. */
  mark(view: View): void {
    if (view.dirty || view.startDay < 0) return;
    view.dirty = true;
    this.#dirty.push(view);
  }

  /** Closes the view, or opens it again. */
  turn(view: View, closed: boolean, nowMs: number): void {
    view.closed = closed;
    if (closed) {
      view.closedMs = nowMs;
      this.counters.viewsClosed++;
      this.#deadlines.set(nowMs + this.settings.reopenMs, 'forget', view);
    }
    this.intervals.gauge(view, false);
    this.mark(view);
  }

  /** Sets what log time must do to the view next. */
  schedule(view: View): void {
    if (!view.reorderScheduled) this.#scheduleReorder(view);
    if (view.closed) return;
    if (!view.silentScheduled) {
      view.silentScheduled = true;
      this.#deadlines.set(view.lastArrivalMs + this.settings.silentMs, 'silent', view);
    }
    this.#scheduleTimeout(view);
  }

  /** Lets go of every view of a viewer; what they added to sums stays. Returns how many. */
  forgetViewer(project: string, viewer: string): number {
    let forgotten = 0;
    for (const view of this.#views.values()) {
      if (view.project !== project || view.context.values[VIEWER] !== viewer) continue;
      this.intervals.gauge(view, true);
      this.#letGo(view);
      forgotten++;
    }
    return forgotten;
  }

  /** Does what log time has made due. `reorder` gives up the gaps of a view. */
  advance(nowMs: number, epoch: number, reorder: (view: View, atMs: number) => void): void {
    for (let due = this.#deadlines.takeDue(nowMs); due !== undefined; ) {
      const { atMs, kind, subject: view } = due;
      if (this.#views.get(view.key) === view) this.#doDue(kind, view, atMs, epoch, reorder);
      due = this.#deadlines.takeDue(nowMs);
    }
    this.closedIds.advance(nowMs);
  }

  /** Writes the rows of the epoch: views that changed, windows that were added to, who is watching now. */
  writeEpoch(epoch: number, logTimeMs: number): void {
    const rows = this.#rows;
    for (const view of this.#dirty) {
      view.dirty = false;
      this.intervals.settleEnd(view);
      rows.view(view, epoch);
    }
    this.#dirty.length = 0;
    this.intervals.write(rows.playback, rows.viewersNow, logTimeMs, (out) =>
      rows.endRow(out, epoch),
    );
    if (this.intervals.tuples.sweepDue) this.intervals.sweepTuples(this.#views.values());
  }

  /** Last event of the open view that was silent longest, ms; log time without one. */
  openSince(logTimeMs: number): number {
    let openSinceMs = logTimeMs;
    for (const view of this.#views.values()) {
      if (view.closed) continue;
      const { endMs } = view;
      if (Number.isFinite(endMs) && endMs < openSinceMs) openSinceMs = endMs;
    }
    return openSinceMs;
  }

  #doDue(
    kind: DeadlineKind,
    view: View,
    atMs: number,
    epoch: number,
    reorder: (view: View, atMs: number) => void,
  ): void {
    switch (kind) {
      case 'reorder':
        reorder(view, atMs);
        break;
      case 'place':
        this.place(view, epoch);
        break;
      case 'timeout':
        this.#timeOut(view, atMs);
        break;
      case 'silent':
        this.#silence(view, atMs);
        break;
      case 'forget':
        this.#forget(view, atMs);
        break;
    }
  }

  /** Fixes the view's clock: from now on it has a place in time, a row and a timeline. */
  place(view: View, epoch: number): void {
    const { clock } = view;
    if (!Number.isFinite(view.startMs)) {
      // All of it still waits, or was refused: it is placed when there is something to place, else let go.
      const soonestMs = view.soonestWaitMs(this.settings.reorderMs);
      if (soonestMs === undefined) this.#letGo(view);
      else this.#deadlines.set(soonestMs, 'place', view);
      return;
    }
    clock.fixed = clock.measured;
    if (view.startDay < 0) view.startDay = dayOf(view.startMs);
    const latestMs = view.lastArrivalMs + this.settings.futureMs;
    for (const event of view.held) this.#rows.viewEvent(view, event, latestMs, epoch);
    view.held = [];
    if (clock.fixed) this.intervals.place(view);
    this.mark(view);
  }

  #letGo(view: View): void {
    this.#views.delete(view.key);
    this.#gone.goneEvents += view.reportsReceived;
    this.#gone.gonePlayingMs += writtenPlayingMs(view);
  }

  #scheduleReorder(view: View): void {
    const soonestMs = view.soonestWaitMs(this.settings.reorderMs);
    if (soonestMs === undefined) return;
    view.reorderScheduled = true;
    this.#deadlines.set(soonestMs, 'reorder', view);
  }

  /** A view that says nothing is not counted as watching now. */
  #silence(view: View, nowMs: number): void {
    view.silentScheduled = false;
    if (view.closed) return;
    if (view.lastArrivalMs + this.settings.silentMs > nowMs) this.schedule(view);
    else this.intervals.gauge(view, true);
  }

  #timeOut(view: View, nowMs: number): void {
    // Another was set for sooner, or for later after that one: only the one that counts does anything.
    if (view.timeoutSetMs !== nowMs) return;
    view.timeoutSetMs = Number.POSITIVE_INFINITY;
    if (view.closed) return;
    if (this.#timeoutAt(view) > nowMs) this.#scheduleTimeout(view);
    else this.turn(view, true, nowMs);
  }

  /** A view that goes on playing after a pause times out sooner than was set. */
  #scheduleTimeout(view: View): void {
    const atMs = this.#timeoutAt(view);
    if (view.closed || atMs >= view.timeoutSetMs) return;
    view.timeoutSetMs = atMs;
    this.#deadlines.set(atMs, 'timeout', view);
  }

  #timeoutAt(view: View): number {
    const { pausedTimeoutMs, viewTimeoutMs } = this.settings;
    const paused = view.machine.state === STATE.paused;
    return view.lastArrivalMs + (paused ? pausedTimeoutMs : viewTimeoutMs);
  }

  /** Lets go of a closed view; its id is remembered for a while. */
  #forget(view: View, nowMs: number): void {
    if (!view.closed) return;
    const { closedMemoryMax, closedMemoryMs, reopenMs } = this.settings;
    if (view.closedMs + reopenMs > nowMs) {
      this.#deadlines.set(view.closedMs + reopenMs, 'forget', view);
      return;
    }
    this.#letGo(view);
    this.closedIds.add(closedIdOf(view.key), nowMs + closedMemoryMs, closedMemoryMax);
  }
}

/** Playing time of a view that interval rows say, ms. */
function writtenPlayingMs(view: View): number {
  return view.machine.playing.totalMs - pendingPlayingMs(view);
}

/** A view that was let go is known again, and nothing of it is kept: not even its id. */
function closedIdOf(key: string): string {
  return createHash('sha256').update(key).digest().toString('latin1', 0, 16);
}
