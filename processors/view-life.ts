/**
 * The life of a partition's views: opened by what names them, given a place in time, closed by their end or by silence,
 * let go when they cannot be opened again. Log time alone decides.
 *
 * Guarantee: a view has at most a few entries among what is to be done, whatever is said of it, and one on which the fold
 * fails is let go, so that it fails once.
 */
import { createHash } from 'node:crypto';
import type { RowWriter } from '../platform/store/row-binary.ts';
import { type Deadline, type DeadlineKind, Deadlines } from './deadlines.ts';
import { Delivery } from './delivery/delivery.ts';
import { ExpiringIds } from './expiring-ids.ts';
import type { FoldCounters } from './fold-counters.ts';
import { type ClosedView, Intervals, pendingPlayingMs } from './intervals.ts';
import { dayOf, type EpochRows } from './rows.ts';
import type { FoldSettings } from './settings.ts';
import { STATE } from './states.ts';
import type { TupleLimits } from './tuples.ts';
import { View } from './view.ts';
import { indexOfDimension } from './view-context.ts';

const VIEWER = indexOfDimension('viewer_user_id');
/** A paused view is looked at so often until its timeout at least, so that one that plays on needs no entry of its own. */
const PAUSED_LOOKS = 64;
/** About what a row of a view takes beside its texts, what a character of those may, and what a cell does, bytes. */
const VIEW_ROW_BYTES = 1_200;
const CHAR_BYTES = 3;
const CELL_ROW_BYTES = 400;

/** What is done to a view by those that hold its reports. */
export interface ViewDuties {
  /** Gives up gaps of a view that have waited long enough. */
  reorder(view: View, atMs: number): void;
  /** The fold failed on a view, or on a row of none: it is told, and goes on. */
  failed(view: View | undefined, error: unknown): void;
}

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
  readonly delivery: Delivery;
  readonly counters = { viewsOpened: 0, viewsClosed: 0 };
  #gone = { goneEvents: 0, gonePlayingMs: 0 };
  readonly #rows: EpochRows;
  readonly #views = new Map<string, View>();
  /** Ids of views that were let go, to refuse what still comes of them. */
  readonly closedIds = new ExpiringIds<ClosedView>();
  readonly #deadlines = new Deadlines<View>();
  readonly #dirty: View[] = [];
  /** About what the rows of those will take, bytes. */
  #dirtyBytes = 0;
  readonly #duties: ViewDuties;

  constructor(rows: EpochRows, settings: FoldSettings, duties: ViewDuties, limits?: TupleLimits) {
    this.#rows = rows;
    this.settings = settings;
    this.#duties = duties;
    this.intervals = new Intervals(settings, rows.counters, limits);
    this.delivery = new Delivery(this.intervals, rows);
  }

  get counts(): FoldCounters {
    return this.#rows.counters;
  }

  /** Views held, and entries of what is to be done to views. */
  get viewCount(): number {
    return this.#views.size;
  }

  get deadlineCount(): number {
    return this.#deadlines.size;
  }

  /** About what the epoch's rows take, those still to be written included, bytes. */
  get epochBytes(): number {
    const cells = this.intervals.cellCount + this.delivery.cellCount;
    return this.#rows.bytes + this.#dirtyBytes + CELL_ROW_BYTES * cells;
  }

  /** True when nothing waits to be written: the state is that of an epoch's end. */
  get settled(): boolean {
    return this.#dirty.length === 0 && this.intervals.settled && this.delivery.cellCount === 0;
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
    this.delivery.restore(view);
  }

  /** What is remembered of a view that was let go; undefined when nothing is. */
  closedView(project: string, id: string): ClosedView | undefined {
    return this.closedIds.get(closedIdOf(`${project}\0${id}`));
  }

  /** Puts back the next that `deadlines` gave. */
  restoreDeadline(deadline: Deadline<View>): void {
    this.#deadlines.restore(deadline);
  }

  setSettings(settings: FoldSettings, nowMs: number): void {
    const waitsShorter = settings.reorderMs < this.settings.reorderMs;
    this.settings = settings;
    this.intervals.settings = settings;
    for (const view of this.#views.values()) {
      this.#scheduleTimeout(view, Math.max(nowMs, view.lastArrivalMs));
      // Its wait is over sooner than was set; a view whose reports all wait is placed only after that.
      if (waitsShorter) this.#scheduleReorder(view);
    }
  }

  /** The view of an id, made when it is new. */
  open(project: string, id: string, nowMs: number): View | OpenRefusal {
    const key = `${project}\0${id}`;
    const existing = this.#views.get(key);
    if (existing !== undefined) return existing;
    if (this.closedIds.has(closedIdOf(key))) return 'view_closed';
    if (this.#views.size >= this.settings.viewsMax) return 'views_limit';
    const view = new View(key, project, id, nowMs, this.counts);
    this.#views.set(key, view);
    this.counters.viewsOpened++;
    return view;
  }

  /** The view is to have a place in time once its clock was measured for the reorder wait. */
  placeLater(view: View, nowMs: number): void {
    this.#placeAt(view, nowMs + this.settings.reorderMs);
  }

  #placeAt(view: View, atMs: number): void {
    if (view.placeScheduled) return;
    view.placeScheduled = true;
    this.#deadlines.set(atMs, 'place', view);
  }

  /** The view changed: it gets a row at the end of the epoch. */
  mark(view: View): void {
    if (view.dirty || view.startDay < 0) return;
    view.dirty = true;
    this.#dirty.push(view);
    const { context, subviews } = view;
    this.#dirtyBytes += VIEW_ROW_BYTES + CHAR_BYTES * context.chars + (subviews?.rowBytes ?? 0);
  }

  /** Closes the view, or opens it again. */
  turn(view: View, closed: boolean, nowMs: number): void {
    view.closed = closed;
    if (closed) {
      view.closedMs = nowMs;
      this.counters.viewsClosed++;
      this.#forgetAt(view, nowMs + this.settings.reopenMs);
    }
    this.intervals.gauge(view, false);
    this.mark(view);
  }

  /** Sets what log time must do to the view next. */
  schedule(view: View): void {
    if (!Number.isFinite(view.reorderSetMs)) this.#scheduleReorder(view);
    if (view.closed) return;
    if (!view.silentScheduled) {
      view.silentScheduled = true;
      this.#deadlines.set(view.lastArrivalMs + this.settings.silentMs, 'silent', view);
    }
    this.#scheduleTimeout(view, view.lastArrivalMs);
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

  /** Does what log time has made due, or as much of it as an epoch has room for: the next record does the rest. */
  advance(nowMs: number, epoch: number): void {
    while (this.epochBytes < this.settings.epochBytesMax) {
      const due = this.#deadlines.takeDue(nowMs);
      if (due === undefined) break;
      const { atMs, kind, subject: view } = due;
      if (this.#views.get(view.key) !== view) continue;
      try {
        this.#doDue(kind, view, atMs, epoch);
      } catch (error) {
        this.#abandon(view, nowMs, error);
      }
    }
    this.closedIds.advance(nowMs);
  }

  #abandon(view: View, nowMs: number, error: unknown): void {
    this.counts.deadlinesFailed++;
    this.#duties.failed(view, error);
    this.#letGo(view);
    this.#rememberClosed(view, nowMs);
    this.intervals.gauges.move(view.gaugePlace, view.gaugePlace.tuple, -1);
  }

  /** Writes the rows of the epoch: views that changed, windows that were added to, who is watching now. */
  writeEpoch(epoch: number, logTimeMs: number): void {
    const rows = this.#rows;
    for (const view of this.#dirty) {
      view.dirty = false;
      try {
        this.intervals.settleEnd(view);
        rows.view(view, epoch);
      } catch (error) {
        this.#rowFailed(view, error);
      }
    }
    this.#dirty.length = 0;
    this.#dirtyBytes = 0;
    const ends = {
      end: (out: RowWriter) => rows.endRow(out, epoch),
      failed: (error: unknown) => this.#rowFailed(undefined, error),
    };
    this.intervals.write(rows.playback, rows.viewersNow, logTimeMs, ends);
    this.delivery.settleAll(this.#views.values());
    this.delivery.write(rows.delivery, ends);
    if (!this.intervals.tuples.sweepDue) return;
    this.intervals.sweepTuples(this.#views.values(), this.closedIds);
    this.delivery.forgetTuples();
  }

  #rowFailed(view: View | undefined, error: unknown): void {
    this.counts.rowsFailed++;
    this.#duties.failed(view, error);
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

  #doDue(kind: DeadlineKind, view: View, atMs: number, epoch: number): void {
    switch (kind) {
      case 'reorder':
        // Another was set for sooner.
        if (view.reorderSetMs !== atMs) break;
        view.reorderSetMs = Number.POSITIVE_INFINITY;
        this.#duties.reorder(view, atMs);
        break;
      case 'place':
        view.placeScheduled = false;
        this.place(view, epoch);
        break;
      case 'timeout':
        this.#timeOut(view, atMs);
        break;
      case 'silent':
        this.#silence(view, atMs);
        break;
      case 'forget':
        this.#forget(view, atMs, epoch);
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
      else this.#placeAt(view, soonestMs);
      return;
    }
    clock.fixed = clock.measured;
    if (view.startDay < 0) view.startDay = dayOf(view.startMs);
    const latestMs = view.lastArrivalMs + this.settings.futureMs;
    const { held } = view;
    view.held = [];
    for (const event of held) {
      try {
        this.#rows.viewEvent(view, event, latestMs, epoch);
      } catch (error) {
        this.#rowFailed(view, error);
      }
    }
    if (clock.fixed) {
      this.intervals.place(view);
      this.delivery.place(view, epoch);
    }
    this.mark(view);
  }

  #letGo(view: View): void {
    this.#views.delete(view.key);
    this.delivery.letGo(view);
    this.#gone.goneEvents += view.reportsReceived;
    this.#gone.gonePlayingMs += writtenPlayingMs(view);
  }

  #scheduleReorder(view: View): void {
    const soonestMs = view.soonestWaitMs(this.settings.reorderMs);
    if (soonestMs === undefined || soonestMs >= view.reorderSetMs) return;
    view.reorderSetMs = soonestMs;
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
    if (this.#timeoutAt(view) > nowMs) this.#scheduleTimeout(view, nowMs);
    else this.turn(view, true, nowMs);
  }

  /** A view that goes on playing after a pause times out sooner: it is looked at before its timeout may come. */
  #scheduleTimeout(view: View, fromMs: number): void {
    const { pausedTimeoutMs, viewTimeoutMs } = this.settings;
    const lookMs = Math.max(viewTimeoutMs, Math.ceil(pausedTimeoutMs / PAUSED_LOOKS));
    const atMs = Math.min(this.#timeoutAt(view), fromMs + lookMs);
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
  #forget(view: View, nowMs: number, epoch: number): void {
    view.forgetScheduled = false;
    if (!view.closed) return;
    const forgetMs = view.closedMs + this.settings.reopenMs;
    if (forgetMs > nowMs) {
      this.#forgetAt(view, forgetMs);
      return;
    }
    // Its time came before the wait was over that settings asked for: what it has to tell is told first.
    if (view.startDay < 0 && Number.isFinite(view.startMs)) this.place(view, epoch);
    this.#letGo(view);
    this.#rememberClosed(view, nowMs);
  }

  /** One entry is enough however often it closes: when it is due, the view is looked at again. */
  #forgetAt(view: View, atMs: number): void {
    if (view.forgetScheduled) return;
    view.forgetScheduled = true;
    this.#deadlines.set(atMs, 'forget', view);
  }

  #rememberClosed(view: View, nowMs: number): void {
    const { closedMemoryMax, closedMemoryMs } = this.settings;
    const id = closedIdOf(view.key);
    this.counts.closedIdsForgotten += this.closedIds.add(
      id,
      { untilMs: nowMs + closedMemoryMs, tuple: this.intervals.tupleOf(view) },
      closedMemoryMax,
    );
  }
}

/** Playing time of a view that interval rows say, ms. */
function writtenPlayingMs(view: View): number {
  return view.machine.playing.totalMs - pendingPlayingMs(view);
}

/** A view that was let go is known again by a hash of its id, which is not kept itself. */
function closedIdOf(key: string): string {
  return createHash('sha256').update(key).digest().toString('latin1', 0, 16);
}
