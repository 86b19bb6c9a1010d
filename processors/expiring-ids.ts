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

  has(id: string): boolean {
    return this.#untilMs.has(id);
  }

  add(id: string, untilMs: number, countMax: number): void {
    this.#untilMs.set(id, untilMs);
    if (this.#untilMs.size > countMax) this.#forgetOldest();
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
