/** Keeps verify from holding the event loop: it runs beside a live server. */

/** Rows between two pauses: some milliseconds of work. */
const ROWS_PER_TURN = 2_048;

export class Pacing {
  readonly #pause: () => Promise<void>;
  readonly #signal: AbortSignal | undefined;
  #rows = 0;

  constructor(pause: () => Promise<void>, signal: AbortSignal | undefined) {
    this.#pause = pause;
    this.#signal = signal;
  }

  /** Counts a row; true when it is time to `pause`. Waiting for each row would cost more than the row. */
  isDue(): boolean {
    this.#rows++;
    return this.#rows >= ROWS_PER_TURN;
  }

  /** @throws the signal's reason when verify is to end: half of it must not look like the whole. */
  async pause(): Promise<void> {
    this.#rows = 0;
    this.#signal?.throwIfAborted();
    await this.#pause();
    this.#signal?.throwIfAborted();
  }
}
