/**
 * The views of one partition: finds the view of a beat, orders its reports, applies them, and lets log time close what
 * fell silent. Every refusal is a row in `rejected` or a number in `counters`.
 */
import { REFUSED_EVENT } from '../schemas/beat.ts';
import type { EdgeRequests } from '../schemas/records.ts';
import { BeatCursor } from './cursor.ts';
import { Deadlines } from './deadlines.ts';
import { EdgeFold } from './edge-fold.ts';
import { ExpiringIds } from './expiring-ids.ts';
import type { FoldRecord } from './fold-record.ts';
import { Intervals } from './intervals.ts';
import type { Lane } from './lane.ts';
import { applyAside, applyInOrder, type Refusal, type Report, rankOf } from './reports.ts';
import { dayOf, type EpochRows } from './rows.ts';
import type { FoldSettings } from './settings.ts';
import { isEnd, STATE } from './states.ts';
import { LANE_EDGE, type Taken, TimelineEvent } from './timeline-event.ts';
import { View } from './view.ts';
import { contextStamp } from './view-context.ts';

const MESSAGES = {
  record_malformed: 'The beat does not match its schema.',
  time_out_of_range:
    'The event lies too far before the time at which it came: check the device clock.',
  view_closed: 'The view ended too long ago to be opened again: use a new view id.',
  views_limit: 'The partition holds as many views as it may: raise viewsMax or add partitions.',
} as const;

export class BeatFold {
  settings: FoldSettings;
  readonly intervals: Intervals;
  readonly edge: EdgeFold;
  readonly #rows: EpochRows;
  readonly #views = new Map<string, View>();
  readonly #closedIds = new ExpiringIds();
  readonly #deadlines = new Deadlines<View>();
  readonly #cursor = new BeatCursor();
  readonly #waitingCursor = new BeatCursor();
  readonly #line = new TimelineEvent();
  readonly #dirty: View[] = [];
  #epoch = 1;
  #record: FoldRecord | undefined;
  #event = 0;
  readonly counters = {
    eventsTaken: 0,
    eventsRefused: 0,
    eventsUnlisted: 0,
    viewsOpened: 0,
    viewsClosed: 0,
  };

  constructor(rows: EpochRows, settings: FoldSettings) {
    this.#rows = rows;
    this.settings = settings;
    this.intervals = new Intervals(settings);
    this.edge = new EdgeFold({
      openForEdge: (project, id, nowMs) => this.#openForEdge(project, id, nowMs),
      listEdge: (view, event, nowMs) => this.#listEvent(view, event, nowMs),
    });
  }

  setSettings(settings: FoldSettings): void {
    this.settings = settings;
    this.intervals.settings = settings;
    // Timeouts set before hold no longer; a later look finds nothing due.
    for (const view of this.#views.values()) {
      if (!view.closed) this.#deadlines.set(this.#timeoutAt(view), 'timeout', view);
    }
  }

  /** Views held, closed ones that can still be reopened included. */
  get viewCount(): number {
    return this.#views.size;
  }

  /** Does what log time has made due. */
  advance(nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    for (;;) {
      const due = this.#deadlines.takeDue(nowMs);
      if (due === undefined) break;
      const view = due.subject;
      if (due.kind === 'reorder') this.#reorder(view, due.atMs);
      else if (due.kind === 'place') this.#place(view);
      else if (due.kind === 'timeout') this.#timeOut(view, due.atMs);
      else if (due.kind === 'silent') this.#silence(view, due.atMs);
      else this.#forget(view, due.atMs);
    }
    this.#closedIds.advance(nowMs);
  }

  /** Folds one beat, whose body begins at `start`. */
  take(record: FoldRecord, start: number, nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.#record = record;
    this.#event = -1;
    const cursor = this.#cursor;
    if (!cursor.open(record.value, start)) {
      this.#refuse('record_malformed', '', '', record.value);
      return;
    }
    const project = cursor.text(cursor.projectStart, cursor.projectEnd);
    const id = cursor.text(cursor.viewStart, cursor.viewEnd);
    const view = this.#open(project, id, nowMs);
    if (view === undefined) return;
    view.lastArrivalMs = nowMs;
    if (!view.clock.measured) {
      view.clock.trusted = cursor.trustedClock;
      this.#deadlines.set(nowMs + this.settings.reorderMs, 'place', view);
    }
    if (!view.clock.fixed) this.#measure(view, record, start, nowMs);
    this.#takeEvents(view, record, nowMs);
    if (view.closed) this.#mark(view);
    this.intervals.gauge(view, false);
    this.#schedule(view);
  }

  /** Folds the edge requests that one record holds. */
  takeEdge(body: EdgeRequests, record: FoldRecord, nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.#record = record;
    this.#event = -1;
    this.edge.take(body, nowMs, this.settings);
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
  }

  /** Last event of the open view that was silent longest, ms; log time without one. */
  openSince(logTimeMs: number): number {
    let openSinceMs = logTimeMs;
    for (const view of this.#views.values()) {
      if (!view.closed && Number.isFinite(view.endMs) && view.endMs < openSinceMs)
        openSinceMs = view.endMs;
    }
    return openSinceMs;
  }

  #open(project: string, id: string, nowMs: number): View | undefined {
    const key = `${project}\0${id}`;
    const existing = this.#views.get(key);
    if (existing !== undefined) return existing;
    const code = this.#closedIds.has(key)
      ? 'view_closed'
      : this.#views.size >= this.settings.viewsMax
        ? 'views_limit'
        : undefined;
    if (code !== undefined) {
      this.#refuse(code, project, id, this.#record?.value ?? Buffer.alloc(0));
      return undefined;
    }
    const view = new View(key, project, id, nowMs);
    this.#views.set(key, view);
    this.counters.viewsOpened++;
    return view;
  }

  /** A view of which only edge logs tell so far lives by them; one that its player reports does not. */
  #openForEdge(project: string, id: string, nowMs: number): View | undefined {
    const view = this.#open(project, id, nowMs);
    if (view === undefined || view.clock.measured) {
      if (view !== undefined) this.#mark(view);
      return view;
    }
    if (view.edge.requestCount === 0) {
      this.#deadlines.set(nowMs + this.settings.reorderMs, 'place', view);
    }
    view.lastArrivalMs = nowMs;
    this.#mark(view);
    this.#schedule(view);
    return view;
  }

  /** Measures the view's clock on the beat's latest timestamp before its events are placed. */
  #measure(view: View, record: FoldRecord, start: number, nowMs: number): void {
    const cursor = this.#cursor;
    let latestAt = cursor.sentAt > 0 ? cursor.sentAt : Number.NEGATIVE_INFINITY;
    while (cursor.next() === 1) if (cursor.at > latestAt) latestAt = cursor.at;
    if (Number.isFinite(latestAt)) view.clock.measure(latestAt, nowMs);
    cursor.open(record.value, start);
  }

  #takeEvents(view: View, record: FoldRecord, nowMs: number): void {
    const cursor = this.#cursor;
    let contextTaken = false;
    let latestAt = cursor.sentAt > 0 ? cursor.sentAt : Number.NEGATIVE_INFINITY;
    for (;;) {
      const step = cursor.next();
      this.#event++;
      if (step === -1) this.#refuse('record_malformed', view.project, view.id, record.value);
      if (step !== 1) break;
      if (!contextTaken) this.#takeContext(view);
      contextTaken = true;
      if (cursor.at > latestAt) latestAt = cursor.at;
      this.#offer(view, nowMs);
    }
    if (!contextTaken) this.#takeContext(view);
    if (Number.isFinite(latestAt)) view.clock.measure(latestAt, nowMs);
  }

  /** The beat's context counts as said with its first event. */
  #takeContext(view: View): void {
    const cursor = this.#cursor;
    const run = view.existingLane(cursor.source, cursor.lane)?.runNumber ?? 0;
    const stamp = contextStamp(rankOf(cursor.source, cursor.lane), run, cursor.seq);
    if (view.context.take(cursor, cursor.contextStart, cursor.contextEnd, stamp)) {
      view.tuple = -1;
      this.#mark(view);
    }
  }

  #offer(view: View, nowMs: number): void {
    const cursor = this.#cursor;
    const { source, lane: laneIndex, seq, at } = cursor;
    if (seq < 0) {
      this.#offerTimed(view, nowMs);
      return;
    }
    const lane = view.lane(source, laneIndex);
    let verdict = lane.offer(seq, at, this.settings.reorderMs, nowMs);
    if (verdict === 'newRun') {
      this.#drainAll(view, source, lane, nowMs);
      lane.beginRun(seq, at);
      verdict = lane.offer(seq, at, this.settings.reorderMs, nowMs);
    }
    if (verdict === 'duplicate') {
      view.reportsDuplicate++;
      return;
    }
    view.reportsReceived++;
    if (verdict === 'waits') {
      lane.wait({ seq, at, arrivedMs: nowMs, bytes: copyEvent(cursor) });
      if (lane.waiting.length > this.settings.waitingMax) lane.giveUp(nowMs);
    } else if (verdict === 'late' || laneIndex === 1) {
      if (verdict === 'late') view.reportsLate++;
      this.#applyAside(view, cursor, lane.runNumber, nowMs, verdict === 'late');
    } else {
      this.#applyInOrder(view, cursor, source, lane.runNumber, nowMs);
    }
    this.#drain(view, source, lane);
    const peer = lane.peer;
    if (peer?.ordered) this.#drain(view, source, peer);
  }

  #offerTimed(view: View, nowMs: number): void {
    const cursor = this.#cursor;
    const { source, lane: laneIndex, at } = cursor;
    const bytes = copyEvent(cursor);
    const verdict = view.timeLane(source, laneIndex).offer({ at, arrivedMs: nowMs, bytes });
    if (verdict === 'duplicate') {
      view.reportsDuplicate++;
      return;
    }
    view.reportsReceived++;
    if (verdict === 'late') {
      view.reportsLate++;
      this.#applyAside(view, cursor, 0, nowMs, true);
    }
  }

  /** Applies what waited and whose turn has come. */
  #drain(view: View, source: number, lane: Lane): void {
    for (;;) {
      const item = lane.takeNext();
      if (item === undefined) return;
      this.#applyWaiting(view, source, lane.runNumber, item.arrivedMs, item.bytes);
    }
  }

  #drainAll(view: View, source: number, lane: Lane, nowMs: number): void {
    while (lane.waiting.length > 0) {
      lane.giveUp(nowMs);
      this.#drain(view, source, lane);
    }
  }

  #applyWaiting(view: View, source: number, run: number, arrivedMs: number, bytes: Buffer): void {
    const cursor = this.#waitingCursor;
    if (!cursor.openEvent(bytes)) return;
    cursor.source = source;
    if (cursor.lane === 1) this.#applyAside(view, cursor, run, arrivedMs, false);
    else this.#applyInOrder(view, cursor, source, run, arrivedMs);
  }

  #applyInOrder(
    view: View,
    cursor: BeatCursor,
    source: number,
    run: number,
    arrivedMs: number,
  ): void {
    const report: Report = { source, run, arrivedMs, intervals: this.intervals };
    const started = view.machine.started;
    const result = applyInOrder(view, cursor, report, this.settings);
    this.#list(view, cursor, report, result);
    const ended = isEnd(view.machine.state);
    if (ended !== view.closed) this.#turn(view, ended, report.arrivedMs);
    if (started !== view.machine.started) this.#mark(view);
  }

  #applyAside(view: View, cursor: BeatCursor, run: number, nowMs: number, late: boolean): void {
    const report = { source: cursor.source, run, arrivedMs: nowMs, intervals: this.intervals };
    this.#list(view, cursor, report, applyAside(view, cursor, report, this.settings, late));
  }

  /** Puts the report into the view's timeline, or its refusal into the rejects. */
  #list(view: View, cursor: BeatCursor, report: Report, result: Taken | Refusal): void {
    if (result === 'time_out_of_range') {
      this.#refuse(result, view.project, view.id, copyEvent(cursor));
      return;
    }
    if (isRefused(cursor)) return;
    this.counters.eventsTaken++;
    const inOrder = cursor.lane === 0 && result === 'yes';
    const event = this.#line;
    event.lineMs = inOrder ? view.clock.lineMs : view.clock.lineAt(cursor.at);
    event.clientAt = cursor.at;
    event.source = report.source;
    event.lane = cursor.lane;
    event.run = report.run;
    event.seq = cursor.seq;
    event.state = view.machine.state;
    event.taken = result;
    event.setTotals(view);
    event.nameBytes = cursor.bytes;
    event.nameStart = cursor.nameStart;
    event.nameEnd = cursor.nameEnd;
    event.bytes = cursor.bytes;
    event.partsStart = cursor.partsStart;
    event.partsEnd = cursor.eventEnd;
    this.#listEvent(view, event, report.arrivedMs);
  }

  /** Puts an event into the timeline, or keeps it until the view has a place in time. */
  #listEvent(view: View, event: TimelineEvent, nowMs: number): void {
    if (++view.listed > this.settings.eventsPerViewMax) {
      this.counters.eventsUnlisted++;
      return;
    }
    const placed = view.clock.fixed || (event.lane === LANE_EDGE && view.startDay >= 0);
    if (placed) this.#rows.viewEvent(view, event, this.#latestMs(nowMs), this.#epoch);
    else view.held.push(event.held());
  }

  /** The latest moment that a timeline may show. */
  #latestMs(arrivedMs: number): number {
    return arrivedMs + this.settings.futureMs;
  }

  #reorder(view: View, nowMs: number): void {
    view.reorderScheduled = false;
    const { reorderMs } = this.settings;
    for (let source = 0; source <= 2; source++) {
      const lane = view.existingLane(source, 0);
      while (
        lane !== undefined &&
        (lane.deadlineMs(reorderMs) ?? Number.POSITIVE_INFINITY) <= nowMs
      ) {
        lane.giveUp(nowMs);
        this.#drain(view, source, lane);
      }
      for (const laneIndex of [0, 1]) {
        const due = view.existingTimeLane(source, laneIndex)?.takeDue(nowMs, reorderMs) ?? [];
        for (const { arrivedMs, bytes } of due)
          this.#applyWaiting(view, source, 0, arrivedMs, bytes);
      }
    }
    if (view.closed) this.#mark(view);
    this.#schedule(view);
  }

  /** Fixes the view's clock: from now on it has a place in time, a row and a timeline. */
  #place(view: View): void {
    const { clock } = view;
    if (!Number.isFinite(view.startMs)) {
      // All of it still waits, or was refused: it is placed when there is something to place, else let go.
      const soonestMs = soonestWait(view, this.settings.reorderMs);
      if (soonestMs === undefined) this.#views.delete(view.key);
      else this.#deadlines.set(soonestMs, 'place', view);
      return;
    }
    clock.fixed = clock.measured;
    if (view.startDay < 0) view.startDay = dayOf(view.startMs);
    const latestMs = this.#latestMs(view.lastArrivalMs);
    for (const event of view.held) this.#rows.viewEvent(view, event, latestMs, this.#epoch);
    view.held = [];
    if (clock.fixed) this.intervals.place(view);
    this.#mark(view);
  }

  /** Closes the view, or opens it again. */
  #turn(view: View, closed: boolean, nowMs: number): void {
    view.closed = closed;
    view.timedOut = false;
    if (closed) {
      view.closedMs = nowMs;
      this.counters.viewsClosed++;
      this.#deadlines.set(nowMs + this.settings.reopenMs, 'forget', view);
    }
    this.intervals.gauge(view, false);
    this.#mark(view);
  }

  /** A view that says nothing is not counted as watching now. */
  #silence(view: View, nowMs: number): void {
    view.silentScheduled = false;
    if (this.#views.get(view.key) !== view || view.closed) return;
    if (view.lastArrivalMs + this.settings.silentMs > nowMs) this.#schedule(view);
    else this.intervals.gauge(view, true);
  }

  #timeOut(view: View, nowMs: number): void {
    view.timeoutScheduled = false;
    if (view.closed || this.#views.get(view.key) !== view) return;
    if (this.#timeoutAt(view) > nowMs) this.#schedule(view);
    else {
      this.#turn(view, true, nowMs);
      view.timedOut = true;
    }
  }

  #timeoutAt(view: View): number {
    const { pausedTimeoutMs, viewTimeoutMs } = this.settings;
    const paused = view.machine.state === STATE.paused;
    return view.lastArrivalMs + (paused ? pausedTimeoutMs : viewTimeoutMs);
  }

  /** Lets go of a closed view; its id is remembered for a while. */
  #forget(view: View, nowMs: number): void {
    if (!view.closed || view.closedMs + this.settings.reopenMs > nowMs) return;
    this.#views.delete(view.key);
    const { closedMemoryMs, closedMemoryMax } = this.settings;
    this.#closedIds.add(view.key, nowMs + closedMemoryMs, closedMemoryMax);
  }

  #mark(view: View): void {
    if (view.dirty || view.startDay < 0) return;
    view.dirty = true;
    this.#dirty.push(view);
  }

  #schedule(view: View): void {
    const { reorderMs } = this.settings;
    if (!view.reorderScheduled) {
      const soonest = soonestWait(view, reorderMs);
      if (soonest !== undefined) {
        view.reorderScheduled = true;
        this.#deadlines.set(soonest, 'reorder', view);
      }
    }
    if (!view.silentScheduled && !view.closed) {
      view.silentScheduled = true;
      this.#deadlines.set(view.lastArrivalMs + this.settings.silentMs, 'silent', view);
    }
    if (!view.timeoutScheduled && !view.closed) {
      view.timeoutScheduled = true;
      this.#deadlines.set(this.#timeoutAt(view), 'timeout', view);
    }
  }

  #refuse(code: keyof typeof MESSAGES, project: string, view: string, bytes: Buffer): void {
    this.counters.eventsRefused++;
    this.#rows.reject(
      {
        project,
        atMs: this.#record?.appendTimeMs ?? 0,
        offset: this.#record?.offset ?? 0,
        event: this.#event,
        view,
        route: 'fold',
        code,
        message: MESSAGES[code],
        bytes,
      },
      this.#epoch,
    );
  }
}

const REFUSED = Buffer.from(REFUSED_EVENT);

/** The event only keeps the place of one that ingest refused. */
function isRefused({ bytes, nameStart, nameEnd }: BeatCursor): boolean {
  if (nameEnd - nameStart !== REFUSED.length) return false;
  return bytes.compare(REFUSED, 0, REFUSED.length, nameStart, nameEnd) === 0;
}

function copyEvent(cursor: BeatCursor): Buffer {
  return Buffer.from(cursor.bytes.subarray(cursor.eventStart, cursor.eventEnd));
}

function soonestWait(view: View, reorderMs: number): number | undefined {
  let soonest: number | undefined;
  for (let source = 0; source <= 2; source++) {
    const waits = [
      view.existingLane(source, 0)?.deadlineMs(reorderMs),
      view.existingTimeLane(source, 0)?.deadlineMs(reorderMs),
      view.existingTimeLane(source, 1)?.deadlineMs(reorderMs),
    ];
    for (const wait of waits) {
      if (wait !== undefined && (soonest === undefined || wait < soonest)) soonest = wait;
    }
  }
  return soonest;
}
