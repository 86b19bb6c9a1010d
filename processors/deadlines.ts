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
  /** Order of the next entry that is set. */
  nextOrder = 0;

  get size(): number {
    return this.#heap.length;
  }

  set(atMs: number, kind: DeadlineKind, subject: Subject): void {
    this.restore({ atMs, order: this.nextOrder++, kind, subject });
  }

  /** All entries, soonest first. They stay; nothing may be set or taken before the last was read. */
  *inOrder(): Generator<Deadline<Subject>> {
    const left = new Deadlines<Subject>();
    left.#heap = this.#heap.slice();
    for (;;) {
      const entry = left.takeDue(Number.POSITIVE_INFINITY);
      if (entry === undefined) return;
      yield entry;
    }
  }

  /** Puts back an entry that `inOrder` gave, with the order that it had. */
  restore(entry: Deadline<Subject>): void {
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
