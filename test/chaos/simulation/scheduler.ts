/**
 * Virtual time: what is to happen lies in one queue, ordered by time; the seed decides among equal times.
 *
 * Between two happenings everything that can go on without another one does: the microtask queue is empty when the next
 * is taken. Node runs a `nextTick` callback that a microtask asked for only once no microtask is left, however long
 * their chains are, so this is exact and needs no count of turns. After an injected failure one turn of the event loop
 * is taken instead, because only there Node tells of rejections that nobody handles.
 */
import type { Random } from './random.ts';

export interface Happening {
  /** Takes it back; nothing happens when it has happened. */
  cancel(): void;
}

interface Entry {
  readonly atMs: number;
  readonly tie: number;
  action: (() => void) | undefined;
}

/** A run with more has lost its way. */
const HAPPENINGS_MAX = 400_000;

export class Scheduler {
  nowMs: number;
  happenings = 0;
  readonly #random: Random;
  readonly #heap: Entry[] = [];
  #turnDue = false;

  constructor(startMs: number, random: Random) {
    this.nowMs = startMs;
    this.#random = random;
  }

  after(delayMs: number, action: () => void): Happening {
    const atMs = this.nowMs + Math.max(0, Math.round(delayMs));
    const entry: Entry = { atMs, tie: this.#random.fraction(), action };
    this.#push(entry);
    return {
      cancel: () => {
        entry.action = undefined;
      },
    };
  }

  /** Something was rejected: the next step is a turn of the event loop. */
  noteRejection(): void {
    this.#turnDue = true;
  }

  /** Lets things happen until the condition holds while nothing moves. */
  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.#quiet();
      if (isOver()) return;
      const entry = this.#pop();
      if (entry === undefined) throw new Error('nothing is left to happen');
      this.nowMs = entry.atMs;
      if (++this.happenings > HAPPENINGS_MAX) throw new Error('the run does not end');
      entry.action?.();
    }
  }

  #quiet(): Promise<void> {
    const turn = this.#turnDue;
    this.#turnDue = false;
    return new Promise((resolve) => {
      if (turn) setImmediate(resolve);
      else process.nextTick(resolve);
    });
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const head = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    return head;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const smaller = other !== undefined && isBefore(other, one) ? left + 1 : left;
      const child = heap[smaller];
      if (child === undefined || isBefore(entry, child)) break;
      heap[index] = child;
      index = smaller;
    }
    heap[index] = entry;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.tie < other.tie);
}
