/** Ids remembered for a while of log time, the oldest forgotten first when there are too many. */
export class ExpiringIds {
  /** Log time until which each is remembered; in order of insertion. */
  readonly #untilMs = new Map<string, number>();

  /** Each id and the log time until which it is remembered, in order of insertion. */
  entries(): IterableIterator<[string, number]> {
    return this.#untilMs.entries();
  }

  /** Puts back an entry that `entries` gave, after those before it. */
  restore(id: string, untilMs: number): void {
    this.#untilMs.set(id, untilMs);
  }

  get size(): number {
    return this.#untilMs.size;
  }

  has(id: string): boolean {
    return this.#untilMs.has(id);
  }

  /** Remembers an id. Returns how many others, the oldest, were forgotten before their time. */
  add(id: string, untilMs: number, countMax: number): number {
    this.#untilMs.set(id, untilMs);
    let forgotten = 0;
    // More than one when the limit was lowered.
    for (; this.#untilMs.size > countMax; forgotten++) this.#forgetOldest();
    return forgotten;
  }

  /** Forgets those whose time is over. */
  advance(nowMs: number): void {
    for (const [id, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) return;
      this.#untilMs.delete(id);
    }
  }

  #forgetOldest(): void {
    for (const id of this.#untilMs.keys()) {
      this.#untilMs.delete(id);
      return;
    }
  }
}
