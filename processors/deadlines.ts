/**
 * Things to do when log time gets there, soonest first; at the same time, in the order they were set.
 * A binary heap: a partition holds one or two entries for each view.
 */

export type DeadlineKind = 'reorder' | 'place' | 'timeout' | 'silent' | 'forget';

export interface Deadline<Subject> {
  readonly atMs: number;
  readonly order: number;
  readonly kind: DeadlineKind;
  readonly subject: Subject;
}

export class Deadlines<Subject> {
  #heap: Deadline<Subject>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  set(atMs: number, kind: DeadlineKind, subject: Subject): void {
    const heap = this.#heap;
    const entry = { atMs, order: this.#order++, kind, subject };
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

  /** The soonest entry that is due, taken out; undefined when none is. */
  takeDue(nowMs: number): Deadline<Subject> | undefined {
    const heap = this.#heap;
    const head = heap[0];
    if (head === undefined || head.atMs > nowMs) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return head;
  }

  #sink(entry: Deadline<Subject>): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      const left = heap[2 * index + 1];
      const right = heap[2 * index + 2];
      const smaller =
        right !== undefined && left !== undefined && isBefore(right, left) ? right : left;
      if (smaller === undefined || isBefore(entry, smaller)) break;
      heap[index] = smaller;
      index = smaller === left ? 2 * index + 1 : 2 * index + 2;
    }
    heap[index] = entry;
  }
}

function isBefore(one: Deadline<unknown>, other: Deadline<unknown>): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
