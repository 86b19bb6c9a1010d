/**
 * The order of one view's reports from one source, by sequence number (METRICS "A view", rule 8).
 *
 * Only a gap waits, at most `reorderMs` of log time or until the buffer is full; then the missing numbers are lost.
 * What comes after that is late. A number that falls back with a timestamp later than all before begins a new run
 * (players restart at 0 when a channel is joined again); losses are counted within runs.
 */
import { FoldCounters } from './fold-counters.ts';
import { countCommonHoles, type Hole, Holes, type SavedHoles } from './holes.ts';
import { firstDeadlineMs } from './time-lane.ts';

/** A report that waits behind a gap. */
export interface Waiting {
  readonly seq: number;
  readonly at: number;
  /** Log time at which it came, ms. */
  readonly arrivedMs: number;
  /** The event's bytes, kept apart from the record's. */
  readonly bytes: Buffer;
}

/**
 * next: in order, apply it. waits: keep it with `wait`. duplicate: drop it. late: its place was given up.
 * newRun: drain what waits, call `beginRun`, offer it again.
 */
export type Verdict = 'next' | 'waits' | 'duplicate' | 'late' | 'newRun';

export interface SavedRun {
  readonly number: number;
  readonly firstSeq: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly next: number;
  readonly holes: SavedHoles;
}

/** What is saved of a lane; its peer and whether it is ordered follow from its place in the view. */
export interface SavedLane {
  readonly run: SavedRun | null;
  readonly previous: SavedRun | null;
  readonly waiting: readonly Waiting[];
  readonly lostBefore: number;
  readonly apart: boolean;
  readonly together: boolean;
}

class Run {
  readonly number: number;
  /** Lowest number seen, and its timestamp: what is older belongs to the run before. */
  firstSeq: number;
  firstAt: number;
  /** Largest timestamp seen. */
  lastAt: number;
  /** Next number in order; all below were received or are in `holes`. */
  next = 0;
  readonly holes: Holes;

  constructor(number: number, seq: number, at: number, holes = new Holes()) {
    this.number = number;
    this.firstSeq = seq;
    this.firstAt = at;
    this.lastAt = at;
    this.holes = holes;
  }

  static load({ number, firstSeq, firstAt, lastAt, next, holes }: SavedRun): Run {
    const run = new Run(number, firstSeq, firstAt, Holes.load(holes));
    run.lastAt = lastAt;
    run.next = next;
    return run;
  }

  see(seq: number, at: number): void {
    if (seq < this.firstSeq) {
      this.firstSeq = seq;
      this.firstAt = at;
    }
    if (at > this.lastAt) this.lastAt = at;
  }
}

export class Lane {
  run: Run | undefined;
  previous: Run | undefined;
  waiting: Waiting[] = [];
  /** Numbers lost in runs before `previous`. */
  lostBefore = 0;
  /** The other lane of the same source, which may be numbered together with this one. */
  peer: Lane | undefined;
  /** Both lanes have used the same number: they are numbered apart. */
  apart = false;
  /** A gap was waited for in vain, and the other lane has its numbers: they are numbered together. */
  together = false;
  /** False: reports are applied as they come and a gap only counts. */
  readonly ordered: boolean;
  readonly #counters: FoldCounters;

  constructor(ordered: boolean, counters = new FoldCounters()) {
    this.ordered = ordered;
    this.#counters = counters;
  }

  save(): SavedLane {
    const { run = null, previous = null, waiting, lostBefore, apart, together } = this;
    return { run, previous, waiting, lostBefore, apart, together };
  }

  /** Takes over what was saved of a lane in the same place. */
  restore({ run, previous, waiting, lostBefore, apart, together }: SavedLane): void {
    this.run = run === null ? undefined : Run.load(run);
    this.previous = previous === null ? undefined : Run.load(previous);
    this.waiting = [...waiting];
    this.lostBefore = lostBefore;
    this.apart = apart;
    this.together = together;
  }

  /** Number of the run that reports belong to now. */
  get runNumber(): number {
    return this.run?.number ?? 0;
  }

  offer(seq: number, at: number, reorderMs: number, nowMs: number): Verdict {
    const run = this.run;
    if (run === undefined) return this.#first(seq, at, nowMs);
    if (this.previous !== undefined && at < run.firstAt && seq >= run.firstSeq) {
      return this.#fillBehind(this.previous, seq);
    }
    if (this.has(seq) || (seq < run.next && run.holes.has(seq) && at > run.lastAt)) {
      return at > run.lastAt ? 'newRun' : 'duplicate';
    }
    this.#noticePeer(seq);
    run.see(seq, at);
    if (seq < run.next) return this.#fill(run, seq, reorderMs, nowMs);
    this.#skipPeers(run, seq);
    if (seq === run.next || !this.ordered) return this.#advance(run, seq, nowMs);
    return 'waits';
  }

  /** Keeps a report that came before its turn. */
  wait(item: Waiting): void {
    let index = this.waiting.length;
    while (index > 0 && (this.waiting[index - 1]?.seq ?? 0) > item.seq) index--;
    this.waiting.splice(index, 0, item);
  }

  /** The waiting report whose turn it is, taken out; undefined when there is none. */
  takeNext(): Waiting | undefined {
    const head = this.waiting[0];
    const run = this.run;
    if (head === undefined || run === undefined) return undefined;
    this.#skipPeers(run, head.seq);
    if (head.seq !== run.next) return undefined;
    run.next = head.seq + 1;
    this.waiting.shift();
    return head;
  }

  /** Gives up the first gap when more waits behind it than may. */
  giveUpBeyond(waitingMax: number, nowMs: number): void {
    if (this.waiting.length <= waitingMax) return;
    this.#counters.gapsGivenUpEarly++;
    this.giveUp(nowMs);
  }

  /** Gives up the first gap: what is missing before the first waiting report is lost. */
  giveUp(nowMs: number): void {
    const head = this.waiting[0];
    if (head === undefined || this.run === undefined) return;
    this.#noticeTogether(this.run, head.seq);
    this.#skipPeers(this.run, head.seq);
    this.#openHole(this.run, head.seq - 1, nowMs);
    this.run.next = head.seq;
  }

  /** When the first gap must be given up, log time in ms; undefined when nothing waits. */
  deadlineMs(reorderMs: number): number | undefined {
    return firstDeadlineMs(this.waiting, reorderMs);
  }

  /** Begins a new run with this report. Nothing may be waiting. */
  beginRun(seq: number, at: number): void {
    this.lostBefore += this.previous?.holes.count ?? 0;
    this.previous = this.run;
    this.run = new Run(this.runNumber + 1, seq, at);
  }

  #first(seq: number, at: number, nowMs: number): Verdict {
    const run = new Run(0, seq, at);
    this.run = run;
    this.#noticePeer(seq);
    return seq === 0 || !this.ordered ? this.#advance(run, seq, nowMs) : 'waits';
  }

  #advance(run: Run, seq: number, nowMs: number): Verdict {
    this.#openHole(run, seq - 1, nowMs);
    run.next = seq + 1;
    return 'next';
  }

  /** What lies between the next number in order and the last missing one has not come. */
  #openHole(run: Run, to: number, nowMs: number): void {
    run.holes.open(run.next, to, nowMs);
    this.#closeHoles(run);
  }

  /** Numbered together, what the other lane has is not lost with a hole that is closed. */
  #closeHoles(run: Run): void {
    const closed = run.holes.closeBeyond();
    if (closed === undefined) return;
    this.#counters.holesClosed++;
    const received = this.peer?.countReceived(run.number, closed) ?? 0;
    run.holes.closedLost += closed.to - closed.from + 1 - received;
  }

  /** How many numbers of another lane's hole this one has in its run, those of its own closed holes included. */
  countReceived(runNumber: number, { from, to }: Hole): number {
    const run = [this.run, this.previous].find((entry) => entry?.number === runNumber);
    if (run === undefined) return 0;
    const last = Math.min(to, run.next - 1);
    const passed = last < from ? 0 : last - from + 1 - run.holes.countWithin({ from, to: last });
    if (run !== this.run) return passed;
    return passed + this.waiting.filter(({ seq }) => seq >= from && seq <= to).length;
  }

  #fill(run: Run, seq: number, reorderMs: number, nowMs: number): Verdict {
    const openedMs = run.holes.fill(seq) ?? 0;
    // Taken out of the middle of a hole, it leaves two.
    this.#closeHoles(run);
    return !this.ordered && nowMs - openedMs < reorderMs ? 'next' : 'late';
  }

  /** True when the number was received in the run that is under way. */
  has(seq: number): boolean {
    const run = this.run;
    if (run === undefined) return false;
    if (seq < run.next) return !run.holes.has(seq);
    return this.waiting.some((item) => item.seq === seq);
  }

  #noticePeer(seq: number): void {
    const peer = this.peer;
    if (this.apart || peer === undefined || peer.runNumber !== this.runNumber) return;
    // Of what lies below a closed hole nobody knows any more whether it came.
    if (seq > (peer.run?.holes.closedTo ?? -1) && peer.has(seq)) {
      this.apart = true;
      peer.apart = true;
      this.together = false;
      peer.together = false;
    }
  }

  /** Numbered apart, both lanes would have a number 0; numbered together, the other has what is missing here. */
  #noticeTogether(run: Run, until: number): void {
    const peer = this.peer;
    if (this.apart || peer?.runNumber !== run.number || peer.has(0) === this.has(0)) return;
    if (peer.firstMissing(run.next) >= until) this.together = true;
  }

  /** Numbers that the other lane received are no gap here when the lanes are numbered together. */
  #skipPeers(run: Run, until: number): void {
    const peer = this.peer;
    if (!this.together || peer === undefined || peer.runNumber !== run.number) return;
    if (run.next < until) run.next = Math.min(until, peer.firstMissing(run.next));
  }

  /** The first number from `seq` on that was not received in the run under way. Never looked for one by one. */
  firstMissing(seq: number): number {
    const run = this.run;
    if (run === undefined) return seq;
    let missing = seq < run.next ? (run.holes.firstFrom(seq) ?? run.next) : seq;
    if (missing < run.next) return missing;
    for (const item of this.waiting) if (item.seq === missing) missing++;
    return missing;
  }

  #fillBehind(run: Run, seq: number): Verdict {
    if (run.holes.fill(seq) === undefined) {
      if (seq < run.next) return 'duplicate';
      this.#openHole(run, seq - 1, 0);
      run.next = seq + 1;
    }
    this.#closeHoles(run);
    return 'late';
  }
}

/** Numbers lost in both lanes of a source. */
export function countLost(main: Lane | undefined, response: Lane | undefined): number {
  if (main === undefined || response === undefined || main.apart) {
    return lostAlone(main) + lostAlone(response);
  }
  let lost = main.lostBefore + response.lostBefore;
  for (const [left, right] of [
    [main.run, response.run],
    [main.previous, response.previous],
  ]) {
    if (left === undefined || right === undefined || left.number !== right.number) {
      lost += (left?.holes.count ?? 0) + (right?.holes.count ?? 0);
    } else {
      lost += countCommonHoles(
        { holes: left.holes, last: left.next - 1 },
        { holes: right.holes, last: right.next - 1 },
      );
      lost += left.holes.closedLost + right.holes.closedLost;
    }
  }
  return lost;
}

function lostAlone(lane: Lane | undefined): number {
  if (lane === undefined) return 0;
  return lane.lostBefore + (lane.run?.holes.count ?? 0) + (lane.previous?.holes.count ?? 0);
}
