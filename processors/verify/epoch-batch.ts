/** Epochs that are held until they are worth a comparison. */
import type { SealedEpoch } from '../shell/epoch-store.ts';

export interface BatchLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** Epochs without rows weigh too. */
const EPOCHS_MAX = 5_000;

export class EpochBatch {
  readonly #limits: BatchLimits;
  #epochs: SealedEpoch[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    const { rowsMax, bytesMax } = this.#limits;
    return this.#rows >= rowsMax || this.#bytes >= bytesMax || this.#epochs.length >= EPOCHS_MAX;
  }

  get lastEpoch(): number | undefined {
    return this.#epochs.at(-1)?.epoch;
  }

  add(epoch: SealedEpoch): void {
    this.#epochs.push(epoch);
    for (const { rows, bytes } of epoch.tables) {
      this.#rows += rows;
      this.#bytes += bytes.length;
    }
  }

  /** The epochs, oldest first; the batch is empty then. */
  take(): readonly SealedEpoch[] {
    const epochs = this.#epochs;
    this.#epochs = [];
    this.#rows = 0;
    this.#bytes = 0;
    return epochs;
  }
}
