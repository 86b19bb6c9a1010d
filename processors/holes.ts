/**
 * The holes in a run of sequence numbers: ranges that have not come. Sorted, disjoint, bounded in number: beyond
 * `HOLES_MAX` the oldest is closed, which means that its numbers stay lost whatever comes.
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
}

export class Holes {
  readonly ranges: Hole[] = [];
  /** Numbers in the holes, those of closed ones too. */
  count = 0;

  static load({ ranges, count }: SavedHoles): Holes {
    const holes = new Holes();
    holes.ranges.push(...ranges);
    holes.count = count;
    return holes;
  }

  open(from: number, to: number, openedMs: number): void {
    if (to < from) return;
    this.ranges.push({ from, to, openedMs });
    this.count += to - from + 1;
    if (this.ranges.length > HOLES_MAX) this.ranges.shift();
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
