/**
 * The order of reports that carry no sequence numbers: by timestamp, each waiting `reorderMs` of log time so that an
 * earlier one can still come. Of more than `waitingMax` the earliest pass at once. Identity is a hash of the event's bytes,
 * remembered for the last `IDENTITIES_MAX`.
 */
import { FoldCounters } from './fold-counters.ts';

export const IDENTITIES_MAX = 1_024;

export interface TimedReport {
  readonly at: number;
  readonly arrivedMs: number;
  readonly bytes: Buffer;
}

export interface SavedTimeLane {
  readonly waiting: readonly TimedReport[];
  /** Oldest first. */
  readonly identities: readonly number[];
  readonly passedAt: number;
}

export class TimeLane {
  waiting: TimedReport[] = [];
  #identities = new Set<number>();
  /** Timestamp of the latest report that was let through. */
  passedAt = Number.NEGATIVE_INFINITY;
  readonly #counters: FoldCounters;

  constructor(counters = new FoldCounters()) {
    this.#counters = counters;
  }

  /** Takes over what was saved of a lane in the same place. */
  restore({ waiting, identities, passedAt }: SavedTimeLane): void {
    this.waiting = [...waiting];
    this.#identities = new Set(identities);
    this.passedAt = passedAt;
  }

  save(): SavedTimeLane {
    return {
      waiting: this.waiting,
      identities: [...this.#identities],
      passedAt: this.passedAt,
    };
  }

  /** duplicate: seen before. late: a later one was let through already. waits: kept. */
  offer(report: TimedReport): 'waits' | 'duplicate' | 'late' {
    const identity = hash53(report.bytes);
    if (this.#identities.has(identity)) return 'duplicate';
    this.#identities.add(identity);
    if (this.#identities.size > IDENTITIES_MAX) this.#forgetOldest();
    if (report.at < this.passedAt) return 'late';
    this.#insert(report);
    return 'waits';
  }

  deadlineMs(reorderMs: number): number | undefined {
    return firstDeadlineMs(this.waiting, reorderMs);
  }

  /** Reports whose wait is over, and all with earlier timestamps, in order. */
  takeDue(nowMs: number, reorderMs: number): TimedReport[] {
    let count = 0;
    this.waiting.forEach((report, index) => {
      if (report.arrivedMs + reorderMs <= nowMs) count = index + 1;
    });
    return this.#pass(count);
  }

  /** Those beyond what may wait: the earliest, in order. */
  takeBeyond(waitingMax: number): TimedReport[] {
    const count = Math.max(0, this.waiting.length - waitingMax);
    this.#counters.timedPassedEarly += count;
    return this.#pass(count);
  }

  #pass(count: number): TimedReport[] {
    const due = this.waiting.splice(0, count);
    for (const { at } of due) this.passedAt = Math.max(this.passedAt, at);
    return due;
  }

  /** Sorted by timestamp; equal timestamps by bytes, so that arrival order does not matter. */
  #insert(report: TimedReport): void {
    let index = this.waiting.length;
    while (index > 0 && isAfter(this.waiting[index - 1], report)) index--;
    this.waiting.splice(index, 0, report);
  }

  #forgetOldest(): void {
    this.#counters.timedIdentitiesForgotten++;
    for (const identity of this.#identities) {
      this.#identities.delete(identity);
      return;
    }
  }
}

/** When the wait of the first that came is over, log time in ms; undefined when nothing waits. */
export function firstDeadlineMs(
  waiting: readonly { readonly arrivedMs: number }[],
  reorderMs: number,
): number | undefined {
  if (waiting.length === 0) return undefined;
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const { arrivedMs } of waiting) earliestMs = Math.min(earliestMs, arrivedMs);
  return earliestMs + reorderMs;
}

function isAfter(one: TimedReport | undefined, other: TimedReport): boolean {
  if (one === undefined || one.at !== other.at) return one !== undefined && one.at > other.at;
  return Buffer.compare(one.bytes, other.bytes) > 0;
}

/** Two FNV-1a hashes joined into 53 bits. */
function hash53(bytes: Buffer): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x85ebca6b);
  }
  return (high >>> 11) * 0x100000000 + (low >>> 0);
}
