/**
 * The holes in a run of sequence numbers: ranges that have not come. Sorted, disjoint, bounded in number: beyond
 * `HOLES_MAX` the lowest is closed, which means that its numbers stay lost whatever comes.
 */

export const HOLES_MAX = 64;

export interface Hole {
  from: number;
  /** Inclusive. */
  to: number;
  /** Log time at which it opened, ms. */
  openedMs: number;
}

export interface SavedHoles {
  readonly ranges: readonly Hole[];
  readonly count: number;
  readonly closedLost: number;
  readonly closedTo: number;
}

export class Holes {
  readonly ranges: Hole[] = [];
  /** Numbers in the holes, those of closed ones too. */
  count = 0;
  /** Those of closed holes that the other lane of the source did not have either when they were closed. */
  closedLost = 0;

  /** The highest number of a closed hole; -1 without. */
  closedTo = -1;

  static load({ ranges, count, closedLost, closedTo }: SavedHoles): Holes {
    const holes = new Holes();
    holes.ranges.push(...ranges);
    holes.count = count;
    holes.closedLost = closedLost;
    holes.closedTo = closedTo;
    return holes;
  }

  open(from: number, to: number, openedMs: number): void {
    if (to < from) return;
    this.ranges.push({ from, to, openedMs });
    this.count += to - from + 1;
  }

  /** Closes the lowest hole when there are too many: it is given back, once. */
  closeBeyond(): Hole | undefined {
    if (this.ranges.length <= HOLES_MAX) return undefined;
    const closed = this.ranges.shift();
    this.closedTo = closed?.to ?? this.closedTo;
    return closed;
  }

  /** The first number from `seq` on that lies in a hole; undefined when there is none. */
  firstFrom(seq: number): number | undefined {
    for (const { from, to } of this.ranges) if (to >= seq) return Math.max(from, seq);
    return undefined;
  }

  /** How many numbers of a range lie in holes. */
  countWithin({ from, to }: Pick<Hole, 'from' | 'to'>): number {
    let within = 0;
    for (const hole of this.ranges) {
      within += Math.max(0, Math.min(to, hole.to) - Math.max(from, hole.from) + 1);
    }
    return within;
  }

  has(seq: number): boolean {
    return this.#indexOf(seq) >= 0;
  }

  /** Takes a number out of its hole; returns when the hole opened, or undefined when it is in none. */
  fill(seq: number): number | undefined {
    const index = this.#indexOf(seq);
    const hole = this.ranges[index];
    if (hole === undefined) return undefined;
    this.count--;
    if (hole.from === hole.to) this.ranges.splice(index, 1);
    else if (seq === hole.from) hole.from++;
    else if (seq === hole.to) hole.to--;
    else {
      this.ranges.splice(index + 1, 0, { ...hole, from: seq + 1 });
      hole.to = seq - 1;
    }
    return hole.openedMs;
  }

  #indexOf(seq: number): number {
    for (let index = this.ranges.length - 1; index >= 0; index--) {
      const hole = this.ranges[index];
      if (hole === undefined || hole.to < seq) return -1;
      if (hole.from <= seq) return index;
    }
    return -1;
  }
}

/** How many numbers lie in holes of both, each list taken to go on as a hole up to `end` after its own last number. */
export function countCommonHoles(
  left: { holes: Holes; last: number },
  right: { holes: Holes; last: number },
): number {
  const end = Math.max(left.last, right.last);
  const ours = extended(left, end);
  const theirs = extended(right, end);
  let common = 0;
  for (const a of ours) {
    for (const b of theirs) {
      common += Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from) + 1);
    }
  }
  return common;
}

function extended(list: { holes: Holes; last: number }, end: number): readonly Hole[] {
  if (list.last >= end) return list.holes.ranges;
  return [...list.holes.ranges, { from: list.last + 1, to: end, openedMs: 0 }];
}
