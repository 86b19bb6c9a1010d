/** Ids remembered for a while of log time, the oldest forgotten first when there are too many; each with what it is. */

export interface Expiring {
  /** Log time until which it is remembered, ms. */
  readonly untilMs: number;
}

export class ExpiringIds<What extends Expiring | number = number> {
  /** In order of insertion. */
  readonly #known = new Map<string, What>();

  /** Each id and what it is, in order of insertion. */
  entries(): IterableIterator<[string, What]> {
    return this.#known.entries();
  }

  /** Puts back an entry that `entries` gave, after those before it. */
  restore(id: string, what: What): void {
    this.#known.set(id, what);
  }

  get size(): number {
    return this.#known.size;
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  get(id: string): What | undefined {
    return this.#known.get(id);
  }

  /** Remembers an id. Returns how many others, the oldest, were forgotten before their time. */
  add(id: string, what: What, countMax: number): number {
    this.#known.set(id, what);
    let forgotten = 0;
    // More than one when the limit was lowered.
    for (; this.#known.size > countMax; forgotten++) this.#forgetOldest();
    return forgotten;
  }

  /** Forgets those whose time is over. */
  advance(nowMs: number): void {
    for (const [id, what] of this.#known) {
      if (untilOf(what) > nowMs) return;
      this.#known.delete(id);
    }
  }

  /** Changes what each is. */
  map(change: (what: What) => What): void {
    for (const [id, what] of this.#known) this.#known.set(id, change(what));
  }

  #forgetOldest(): void {
    for (const id of this.#known.keys()) {
      this.#known.delete(id);
      return;
    }
  }
}

function untilOf(what: Expiring | number): number {
  return typeof what === 'number' ? what : what.untilMs;
}
