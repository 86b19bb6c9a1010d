/**
 * Folds the beats of one partition: finds the view of a beat, orders its reports, applies them. Every refusal is a row
 * in `rejected` or a number in `counters`.
 */
import { REFUSED_EVENT, SOURCES } from '../schemas/beat.ts';
import type { EdgeRequests } from '../schemas/records.ts';
import { BeatCursor } from './cursor.ts';
import { EdgeFold } from './edge-fold.ts';
import type { FoldRecord } from './fold-record.ts';
import type { Intervals } from './intervals.ts';
import type { Lane } from './lane.ts';
import type { Ledger } from './ledger.ts';
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
const MESSAGES = {
  record_malformed: 'The beat does not match its schema.',
  time_out_of_range:
    'The event lies too far before the time at which it came: check the device clock.',
  view_closed: 'The view ended too long ago to be opened again: use a new view id.',
  views_limit: 'The partition holds as many views as it may: raise viewsMax or add partitions.',
} as const;

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

  readonly #ledger: Ledger;

  constructor(rows: EpochRows, settings: FoldSettings, ledger: Ledger, limits?: TupleLimits) {
    this.#rows = rows;
    this.#ledger = ledger;
    this.life = new ViewLife(rows, settings, limits);
    this.edge = new EdgeFold({
      openForEdge: (project, id, nowMs) => this.#openForEdge(project, id, nowMs),
      listEdge: (view, event, nowMs) => this.#listEvent(view, event, nowMs),
    });
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
    this.life.advance(nowMs, epoch, (view, atMs) => this.#reorder(view, atMs));
  }

  /** Folds one beat, whose body begins at `start`. */
  take(record: FoldRecord, start: number, nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.#record = record;
    this.#event = -1;
    const cursor = this.#cursor;
    if (!cursor.open(record.value, start)) {
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
    view.lastArrivalMs = nowMs;
    if (!view.clock.measured) {
      view.clock.trusted = cursor.trustedClock;
      this.life.placeLater(view, nowMs);
    }
    if (!view.clock.fixed) this.#measure(view, record, start, nowMs);
    this.#takeEvents(view, record, nowMs);
    if (view.pendingCredits.length > this.settings.pendingCreditsMax) this.life.place(view, epoch);
    if (view.closed) this.life.mark(view);
    this.intervals.gauge(view, false);
    this.life.schedule(view);
  }

  /** Folds the edge requests that one record holds. */
  takeEdge(body: EdgeRequests, record: FoldRecord, nowMs: number, epoch: number): void {
    this.#epoch = epoch;
    this.#record = record;
    this.#event = -1;
    this.edge.take(body, nowMs, this.settings);
  }

  /** Refuses a beat whose view cannot be opened, with all its events. */
  #refuseBeat(code: OpenRefusal, project: string, id: string, { value }: FoldRecord): void {
    const cursor = this.#cursor;
    let events = 0;
    while (cursor.next() === 1) if (!isRefused(cursor)) events++;
    this.#ledger.recordsRejected++;
    this.#ledger.events += events;
    this.#refuse(code, project, id, value, events);
  }

  /** A view of which only edge logs tell so far lives by them; one that its player reports does not. */
  #openForEdge(project: string, id: string, nowMs: number): View | undefined {
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
      if (step === -1) this.#refuse('record_malformed', view.project, view.id, record.value, 0);
      if (step !== 1) break;
      if (!isRefused(cursor)) this.#ledger.events++;
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
      this.#countDuplicate(view);
      return;
    }
    if (!isRefused(cursor)) view.reportsReceived++;
    if (verdict === 'late') {
      view.reportsLate++;
      this.#applyAside(view, cursor, 0, nowMs, true);
    }
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
    const report: Report = { source, run, arrivedMs, intervals: this.intervals };
    const started = view.machine.started;
    const result = applyInOrder(view, cursor, report, this.settings);
    this.#list(view, cursor, report, result);
    const ended = isEnd(view.machine.state);
    if (ended !== view.closed) this.life.turn(view, ended, report.arrivedMs);
    if (started !== view.machine.started) this.life.mark(view);
  }

  #applyAside(view: View, cursor: BeatCursor, run: number, nowMs: number, late: boolean): void {
    const report = { source: cursor.source, run, arrivedMs: nowMs, intervals: this.intervals };
    this.#list(view, cursor, report, applyAside(view, cursor, report, this.settings, late));
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
    view.reorderScheduled = false;
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

  #refuse(
    code: keyof typeof MESSAGES,
    project: string,
    view: string,
    bytes: Buffer,
    events: number,
  ): void {
    this.counters.eventsRefused++;
    this.#ledger.eventsRejected += events;
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
        events,
      },
      this.#epoch,
      this.settings.rejectsPerEpochMax,
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
