/** What a player has downloaded and not yet shown, as runs of one rendition. Lengths are ms of media, never negative. */

interface Stretch {
  readonly rung: number;
  ms: number;
}

export class MediaBuffer {
  #runs: Stretch[] = [];
  #ms = 0;

  get ms(): number {
    return this.#ms;
  }

  /** Rendition at the playhead, as a place in the ladder; -1 when there is nothing. */
  get headRung(): number {
    return this.#runs[0]?.rung ?? -1;
  }

  /** Media until the rendition changes, or the end, ms. */
  get headMs(): number {
    return this.#runs[0]?.ms ?? 0;
  }

  append(rung: number, ms: number): void {
    const last = this.#runs.at(-1);
    if (last?.rung === rung) last.ms += ms;
    else this.#runs.push({ rung, ms });
    this.#ms += ms;
  }

  /** @throws RangeError when more is consumed than there is: a mistake of the player model. */
  consume(ms: number): void {
    if (ms > this.#ms || ms < 0) throw new RangeError(`${ms} ms of ${this.#ms} in the buffer`);
    this.#ms -= ms;
    let left = ms;
    for (let head = this.#runs[0]; head !== undefined && left >= head.ms; head = this.#runs[0]) {
      left -= head.ms;
      this.#runs.shift();
    }
    const head = this.#runs[0];
    if (head !== undefined) head.ms -= left;
  }

  clear(): void {
    this.#runs = [];
    this.#ms = 0;
  }
}
