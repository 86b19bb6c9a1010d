/** Large bodies that fill a disk, one after the other, each sent until it is taken. */
import { Random } from '../../../ingest/clients/simulation/random.ts';
import { type Later, type PostCounters, post } from './tally-post.ts';

/** Events of each view; all in one body. */
export const BALLAST_EVENTS = 200;
const TEXT_CHARS = 1_000;
const BALLAST_STREAM = 0xba11;

export interface BallastOptions {
  readonly url: string;
  readonly key: string;
  readonly seed: number;
  /** Told of each answer that asks to come again. */
  readonly onLater: (later: Later) => void;
  readonly onError: (error: Error) => void;
}

export class Ballast {
  /** Views that the server said it had taken whole. */
  readonly accepted: string[] = [];
  readonly counters: PostCounters = { bodies: 0, retries: 0, hungUp: 0, lost: 0, later: 0 };
  readonly #options: BallastOptions;
  readonly #random: Random;
  readonly #givenUp = new AbortController();
  readonly #running: Promise<void>;
  #stopping = false;

  constructor(options: BallastOptions) {
    this.#options = options;
    this.#random = new Random(options.seed, BALLAST_STREAM);
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#givenUp.signal.aborted) options.onError(error as Error);
    });
  }

  /** Resolves when the last body is taken. */
  async stop(): Promise<readonly string[]> {
    this.#stopping = true;
    await this.#running;
    return this.accepted;
  }

  async giveUp(): Promise<void> {
    this.#stopping = true;
    this.#givenUp.abort(new Error('the ballast was given up'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { url, key, seed, onLater } = this.#options;
    const { counters } = this;
    const deps = { url, key, counters, signal: this.#givenUp.signal, onLater };
    while (!this.#stopping) {
      const view = `ballast-${seed}-${counters.bodies}`;
      const body = { path: '/v1/beats', type: 'application/json', text: this.#textOf(view) };
      const { accepted } = await post(body, this.#random, deps);
      if (accepted !== BALLAST_EVENTS) throw new Error(`${view}: ${accepted} events were taken`);
      this.accepted.push(view);
    }
  }

  #textOf(view: string): string {
    const at = Date.now();
    const events = Array.from({ length: BALLAST_EVENTS }, (_, seq) => ({
      seq,
      at: at + seq,
      type: 'custom',
      name: 'ballast',
      value: this.#noise(),
    }));
    return JSON.stringify({ view, events });
  }

  /** Text that no engine makes much smaller. */
  #noise(): string {
    let text = '';
    while (text.length < TEXT_CHARS) text += this.#random.uint32().toString(36);
    return text.slice(0, TEXT_CHARS);
  }
}
