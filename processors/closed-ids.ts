/** Ids of views whose state is gone, kept for a while so that what still comes for them is refused and counted. */
export class ClosedIds {
  /** Log time until which each is remembered; in order of insertion. */
  readonly #untilMs = new Map<string, number>();

  has(key: string): boolean {
    return this.#untilMs.has(key);
  }

  add(key: string, untilMs: number, countMax: number): void {
    this.#untilMs.set(key, untilMs);
    if (this.#untilMs.size > countMax) this.#forgetOldest();
  }

  /** Forgets those whose time is over. */
  advance(nowMs: number): void {
    for (const [key, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) return;
      this.#untilMs.delete(key);
    }
  }

  #forgetOldest(): void {
    for (const key of this.#untilMs.keys()) {
      this.#untilMs.delete(key);
      return;
    }
  }
}
