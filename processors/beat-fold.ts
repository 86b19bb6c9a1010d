/**
 * Folds the beats of one partition: finds the view of a beat, orders its reports, applies them. Every refusal is a row
 * in `rejected` or a number in `counters`.
 *
 * Guarantee: a record on which the fold fails is a reject, `record_failed`, with what it would have brought; the books of
 * events balance, and the next record is folded.
 */
import { REFUSED_EVENT, SOURCES } from '../schemas/beat.ts';
import { type EdgeRequests, encodeEdgeRequest } from '../schemas/records.ts';
import { BeatCursor } from './cursor.ts';
import { EdgeFold } from './edge-fold.ts';
import type { RejectCode } from './fold-counters.ts';
import type { FoldRecord } from './fold-record.ts';
import type { ClosedView, Intervals } from './intervals.ts';
import type { Lane } from './lane.ts';
import type { Ledger } from './ledger.ts';
import { isTimestamp } from './log-time.ts';
import { applyAside, applyInOrder, type Refusal, type Report, rankOf } from './reports.ts';
import type { EpochRows } from './rows.ts';
import type { FoldSettings } from './settings.ts';
import { isEnd } from './states.ts';
import { LANE_EDGE, type Taken, TimelineEvent } from './timeline-event.ts';
import type { TupleLimits } from './tuples.ts';
import type { View } from './view.ts';
import { contextStamp } from './view-context.ts';
import { type OpenRefusal, type SavedLife, ViewLife } from './view-life.ts';

const NOTHING = Buffer.alloc(0);
/** Longest id of a view and of a project, bytes; ingest takes shorter ones. Each row of a timeline repeats them. */
const ID_BYTES_MAX = 1_024;
const MESSAGES: Readonly<Record<RejectCode, string>> = {
  record_malformed: 'The record does not match its schema.',
  record_unknown: 'No kept schema has this fingerprint: upgrade the program.',
  record_failed: 'The fold failed on this record, which is a defect: report it with these bytes.',
  time_out_of_range:
    'The event lies too far from the time at which it came: check the clock of the device or edge.',
  view_closed: 'The view ended too long ago to be opened again: use a new view id.',
  views_limit: 'The partition holds as many views as it may: raise viewsMax or add partitions.',
};

/** Where the record came from that the fold took last: what is refused while log time goes on is told of it. */
interface LastRecord {
  readonly offset: number;
  readonly appendTimeMs: number;
  /** Position of its last event; -1 without. */
  readonly event: number;
}

export interface SavedBeatFold {
  readonly last: LastRecord;
  readonly eventsTaken: number;
  readonly eventsRefused: number;
  readonly eventsUnlisted: number;
  readonly edge: {
    readonly requestsTaken: number;
    readonly requestsRepeated: number;
    readonly requestsRefused: number;
    readonly requestsWithoutView: number;
  };
  readonly life: SavedLife;
}

export class BeatFold {
  readonly edge: EdgeFold;
  readonly life: ViewLife;
  readonly counters = { eventsTaken: 0, eventsRefused: 0, eventsUnlisted: 0 };
  readonly #rows: EpochRows;
  readonly #cursor = new BeatCursor();
  readonly #waitingCursor = new BeatCursor();
  readonly #line = new TimelineEvent();
  #epoch = 1;
  #record: FoldRecord | undefined;
  #event = 0;
  /** What the fold failed on last, for whoever keeps a log of errors. */
  failure: unknown;

  readonly #ledger: Ledger;

  constructor(rows: EpochRows, settings: FoldSettings, ledger: Ledger, limits?: TupleLimits) {
    this.#rows = rows;
    this.#ledger = ledger;
    const duties = {
      reorder: (view: View, atMs: number) => this.#reorder(view, atMs),
      failed: (view: View | undefined, error: unknown) => this.#tellFailed(view, error),
    };
    this.life = new ViewLife(rows, settings, duties, limits);
    const edgeViews = {
      openForEdge: (project: string, id: string, nowMs: number) =>
        this.#openForEdge(project, id, nowMs),
      listEdge: (view: View, event: TimelineEvent, nowMs: number) =>
        this.#listEvent(view, event, nowMs),
      refuseEdge: (body: EdgeRequests, index: number) => this.#refuseEdge(body, index),
      delivery: this.life.delivery,
    };
    this.edge = new EdgeFold(edgeViews, rows.counters);
  }

  save(): SavedBeatFold {
    const { offset = 0, appendTimeMs = 0 } = this.#record ?? {};
    return {
      last: { offset, appendTimeMs, event: this.#event },
      ...this.counters,
      edge: this.edge.counters,
      life: this.life.save(),
    };
  }

  restore({ last, edge, life, ...counters }: SavedBeatFold): void {
    const { offset, appendTimeMs, event } = last;
    this.#record = { offset, appendTimeMs, value: NOTHING };
    this.#event = event;
    Object.assign(this.counters, counters);
    Object.assign(this.edge.counters, edge);
    this.life.restore(life);
  }

  get settings(): FoldSettings {
    return this.life.settings;
  }

  get intervals(): Intervals {
    return this.life.intervals;
  }

  /** Does what log time has made due. */
  advance(nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.life.advance(nowMs, epoch);
  }

  /** Folds one beat, whose body begins at `start`. */
  take(record: FoldRecord, start: number, nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.#record = record;
    this.#event = -1;
    const cursor = this.#cursor;
    if (!cursor.open(record.value, start) || hasLongId(cursor)) {
      this.#ledger.recordsRejected++;
      this.#refuse('record_malformed', '', '', record.value, 0);
      return;
    }
    const project = cursor.text(cursor.projectStart, cursor.projectEnd);
    const id = cursor.text(cursor.viewStart, cursor.viewEnd);
    const view = this.life.open(project, id, nowMs);
    if (typeof view === 'string') {
      this.#refuseBeat(view, project, id, record);
      return;
    }
    const { events } = this.#ledger;
    const owed = this.#ledger.eventsTaken - view.reportsReceived;
    try {
      this.#takeInto(view, record, start, nowMs);
    } catch (error) {
      this.failure = error;
      this.#rows.dropHalfRows();
      this.#cursor.open(record.value, start);
      this.#ledger.events = events + this.#countEvents();
      const lost = this.#ledger.eventsTaken - view.reportsReceived - owed;
      this.#refuse('record_failed', project, id, record.value, lost);
      this.life.schedule(view);
    }
  }

  /** Takes a beat, at which the cursor stands, into its view. */
  #takeInto(view: View, record: FoldRecord, start: number, nowMs: number): void {
    const cursor = this.#cursor;
    view.lastArrivalMs = nowMs;
    if (!view.clock.measured) {
      view.clock.trusted = cursor.trustedClock;
      this.life.placeLater(view, nowMs);
    }
    if (!view.clock.fixed) this.#measure(view, record, start, nowMs);
    this.#takeEvents(view, record, nowMs);
    const pending = view.pendingCredits.length + view.pendingRequests.length;
    if (pending > this.settings.pendingCreditsMax) {
      this.life.counts.viewsPlacedEarly++;
      this.life.place(view, this.#epoch);
    }
    if (view.closed) this.life.mark(view);
    this.intervals.gauge(view, false);
    this.life.schedule(view);
  }

  /** Folds the edge requests that one record holds. */
  takeEdge(body: EdgeRequests, record: FoldRecord, nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.#record = record;
    this.#event = -1;
    const { project, view } = body;
    if (Buffer.byteLength(view) > ID_BYTES_MAX || Buffer.byteLength(project) > ID_BYTES_MAX) {
      this.#ledger.recordsRejected++;
      this.#refuse('record_malformed', '', '', record.value, 0);
      return;
    }
    this.edge.take(body, nowMs, epoch, this.settings);
  }

  #refuseEdge({ project, view, requests }: EdgeRequests, index: number): void {
    this.#event = index;
    const request = requests[index];
    const bytes = request === undefined ? NOTHING : encodeEdgeRequest(request);
    this.#refuse('time_out_of_range', project, view, bytes, 0);
  }

  /** What was due to a view failed, or a row: no record is to blame. */
  #tellFailed(view: View | undefined, error: unknown): void {
    this.failure = error;
    this.#rows.dropHalfRows();
    this.#refuse('record_failed', view?.project ?? '', view?.id ?? '', NOTHING, 0);
  }

  /** Events that the cursor still gives, places of refused ones left out. */
  #countEvents(): number {
    const cursor = this.#cursor;
    let events = 0;
    while (cursor.next() === 1) if (!isRefused(cursor)) events++;
    return events;
  }

  /** Refuses a beat whose view cannot be opened, with all its events. */
  #refuseBeat(code: OpenRefusal, project: string, id: string, { value }: FoldRecord): void {
    const events = this.#countEvents();
    this.#ledger.recordsRejected++;
    this.#ledger.events += events;
    this.#refuse(code, project, id, value, events);
  }

  /** A view of which only edge logs tell so far lives by them; one that its player reports does not. */
  #openForEdge(project: string, id: string, nowMs: number): View | ClosedView | undefined {
    const closed = this.life.closedView(project, id);
    if (closed !== undefined) return closed;
    const view = this.life.open(project, id, nowMs);
    if (typeof view === 'string') {
      this.#ledger.recordsRejected++;
      this.#refuse(view, project, id, this.#record?.value ?? NOTHING, 0);
      return undefined;
    }
    // The row of an open view is written when it closes: edge requests alone are no reason for another.
    if (view.closed) this.life.mark(view);
    if (view.clock.measured) return view;
    if (view.edge.requestCount === 0) this.life.placeLater(view, nowMs);
    view.lastArrivalMs = nowMs;
    this.life.schedule(view);
    return view;
  }

  /** Measures the view's clock on the beat's latest timestamp before its events are placed. */
  #measure(view: View, record: FoldRecord, start: number, nowMs: number): void {
    const cursor = this.#cursor;
    let latestAt = sentAtOf(cursor);
    while (cursor.next() === 1) latestAt = laterOf(latestAt, cursor.at);
    if (Number.isFinite(latestAt)) view.clock.measure(latestAt, nowMs);
    cursor.open(record.value, start);
  }

  #takeEvents(view: View, record: FoldRecord, nowMs: number): void {
    const cursor = this.#cursor;
    let contextTaken = false;
    let latestAt = sentAtOf(cursor);
    for (;;) {
      const step = cursor.next();
      this.#event++;
      if (step === -1) this.#refuse('record_malformed', view.project, view.id, record.value, 0);
      if (step !== 1) break;
      if (!isRefused(cursor)) this.#ledger.events++;
      if (!contextTaken) this.#takeContext(view);
      contextTaken = true;
      latestAt = laterOf(latestAt, cursor.at);
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
      this.life.mark(view);
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
      this.#countDuplicate(view);
      return;
    }
    if (!isRefused(cursor)) view.reportsReceived++;
    if (verdict === 'waits') {
      lane.wait({ seq, at, arrivedMs: nowMs, bytes: copyEvent(cursor) });
      lane.giveUpBeyond(this.settings.waitingMax, nowMs);
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
    if (!isTimestamp(at)) {
      // Let through in its order, all that follows would come after it.
      if (!isRefused(cursor)) this.#refuse('time_out_of_range', view.project, view.id, bytes, 1);
      return;
    }
    const lane = view.timeLane(source, laneIndex);
    const verdict = lane.offer({ at, arrivedMs: nowMs, bytes });
    if (verdict === 'duplicate') {
      this.#countDuplicate(view);
      return;
    }
    if (!isRefused(cursor)) view.reportsReceived++;
    if (verdict === 'late') {
      view.reportsLate++;
      this.#applyAside(view, cursor, 0, nowMs, true);
    }
    for (const early of lane.takeBeyond(this.settings.waitingMax))
      this.#applyWaiting(view, source, 0, early.arrivedMs, early.bytes);
  }

  /** The place of an event that ingest refused is none, however often it comes. */
  #countDuplicate(view: View): void {
    if (isRefused(this.#cursor)) return;
    view.reportsDuplicate++;
    this.#ledger.eventsDuplicate++;
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
    const report = this.#reportOf(source, run, arrivedMs);
    const started = view.machine.started;
    const result = applyInOrder(view, cursor, report, this.settings);
    this.#list(view, cursor, report, result);
    const ended = isEnd(view.machine.state);
    if (ended !== view.closed) this.life.turn(view, ended, report.arrivedMs);
    if (started !== view.machine.started) this.life.mark(view);
  }

  #applyAside(view: View, cursor: BeatCursor, run: number, nowMs: number, late: boolean): void {
    const report = this.#reportOf(cursor.source, run, nowMs);
    this.#list(view, cursor, report, applyAside(view, cursor, report, this.settings, late));
  }

  #reportOf(source: number, run: number, arrivedMs: number): Report {
    const latestMs = this.#latestMs(arrivedMs);
    const { intervals } = this;
    const { delivery } = this.life;
    return { source, run, arrivedMs, latestMs, intervals, delivery, epoch: this.#epoch };
  }

  /** Puts the report into the view's timeline, or its refusal into the rejects. */
  #list(view: View, cursor: BeatCursor, report: Report, result: Taken | Refusal): void {
    if (isRefused(cursor)) return;
    if (result === 'time_out_of_range') {
      view.reportsReceived--;
      this.#refuse(result, view.project, view.id, copyEvent(cursor), 1);
      return;
    }
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
    const { reorderMs } = this.settings;
    for (let source = 0; source < SOURCES.length; source++) {
      const lane = view.existingLane(source, 0);
      if (lane !== undefined) this.#giveUpDue(view, source, lane, nowMs);
      for (const laneIndex of [0, 1]) {
        const due = view.existingTimeLane(source, laneIndex)?.takeDue(nowMs, reorderMs) ?? [];
        for (const { arrivedMs, bytes } of due)
          this.#applyWaiting(view, source, 0, arrivedMs, bytes);
      }
    }
    if (view.closed) this.life.mark(view);
    this.life.schedule(view);
  }

  /** Gives up the gaps that have waited long enough. */
  #giveUpDue(view: View, source: number, lane: Lane, nowMs: number): void {
    for (;;) {
      const dueMs = lane.deadlineMs(this.settings.reorderMs);
      if (dueMs === undefined || dueMs > nowMs) return;
      lane.giveUp(nowMs);
      this.#drain(view, source, lane);
    }
  }

  #refuse(code: RejectCode, project: string, view: string, bytes: Buffer, events: number): void {
    this.counters.eventsRefused++;
    this.#ledger.eventsRejected += events;
    this.#rows.refuse(
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
        events,
      },
      this.#epoch,
      this.settings,
    );
  }
}

/** Such an id would be repeated in every row of the view. */
function hasLongId(cursor: BeatCursor): boolean {
  const { projectStart, projectEnd, viewStart, viewEnd } = cursor;
  return projectEnd - projectStart > ID_BYTES_MAX || viewEnd - viewStart > ID_BYTES_MAX;
}

/** The client's clock when it sent; before all when it did not say a time. */
function sentAtOf({ sentAt }: BeatCursor): number {
  return sentAt > 0 && isTimestamp(sentAt) ? sentAt : Number.NEGATIVE_INFINITY;
}

function laterOf(latestAt: number, at: number): number {
  return at > latestAt && isTimestamp(at) ? at : latestAt;
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
