/**
 * What happens next: a binary heap of places by time. Each place is in it once at most.
 *
 * Guarantee: the earliest first, and among those of one millisecond the lowest place, so that the order of a
 * simulation never depends on how it was reached.
 */
export class EventQueue {
  readonly #atMs: number[] = [];
  readonly #places: number[] = [];

  get size(): number {
    return this.#places.length;
  }

  /** Time of the next, ms; infinite when there is none. */
  get nextMs(): number {
    return this.#atMs[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Place of the next; -1 when there is none. */
  get nextPlace(): number {
    return this.#places[0] ?? -1;
  }

  push(atMs: number, place: number): void {
    this.#atMs.push(atMs);
    this.#places.push(place);
    this.#rise(this.#places.length - 1, atMs, place);
  }

  /** Moves the next to a later time. */
  delayNext(atMs: number): void {
    this.#sink(atMs, this.nextPlace);
  }

  removeNext(): void {
    const atMs = this.#atMs.pop();
    const place = this.#places.pop();
    if (atMs !== undefined && place !== undefined && this.size > 0) this.#sink(atMs, place);
  }

  #rise(from: number, atMs: number, place: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#precedes(atMs, place, parent)) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#atMs[index] = atMs;
    this.#places[index] = place;
  }

  /** Puts an entry in at the root and lets it sink to its level. */
  #sink(atMs: number, place: number): void {
    let index = 0;
    for (;;) {
      const child = this.#earlierChild(index);
      if (child >= this.size || this.#precedes(atMs, place, child)) break;
      this.#move(child, index);
      index = child;
    }
    this.#atMs[index] = atMs;
    this.#places[index] = place;
  }

  #earlierChild(index: number): number {
    const left = 2 * index + 1;
    const right = left + 1;
    if (right >= this.size) return left;
    const leftFirst = this.#precedes(this.#atMs[left] ?? 0, this.#places[left] ?? 0, right);
    return leftFirst ? left : right;
  }

  #precedes(atMs: number, place: number, other: number): boolean {
    const otherMs = this.#atMs[other] ?? 0;
    return atMs < otherMs || (atMs === otherMs && place < (this.#places[other] ?? 0));
  }

  #move(from: number, to: number): void {
    this.#atMs[to] = this.#atMs[from] ?? 0;
    this.#places[to] = this.#places[from] ?? 0;
  }
}
