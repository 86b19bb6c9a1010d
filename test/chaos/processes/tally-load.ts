/**
 * A second load beside the synthetic viewers, made by other means, which keeps a tally: for each view what the server
 * said it had accepted. It never believes what it was not told.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../ingest/clients/simulation/random.ts';
import { TallyAccount } from './tally-account.ts';
import { type Heard, type Later, type PostCounters, type PostDeps, post } from './tally-post.ts';
import { type Delivery, drawScript, type EdgeRequest, type TallyBeat } from './tally-script.ts';
import { bodyOf, edgeBody, edgeLine } from './tally-words.ts';

export interface TallyLoadOptions {
  readonly url: string;
  readonly key: string;
  readonly seed: number;
  readonly viewsPerSecond: number;
  /** Views begun at most. */
  readonly viewsMax: number;
  /** The server's wait for what is missing, ms: a view is not to be judged by states that may have come later. */
  readonly reorderMs: number;
  /** Told of an answer that no correct request gets, or of a tally that does not add up. */
  readonly onError: (error: Error) => void;
  /** Told of every answer that asks to come again. */
  readonly onLater?: (later: Later) => void;
}

interface EdgeItem {
  readonly line: string;
  readonly account: TallyAccount;
  readonly request: EdgeRequest;
}

/** How often lines of the edges are handed over, ms. */
const EDGE_BATCH_MS = 700;
const EDGE_STREAM = 0xed6e;
const SENDING_STREAM = 0x5e4d;
const ARRIVALS_STREAM = 0xa441;

export class TallyLoad {
  readonly counters: PostCounters = { bodies: 0, retries: 0, hungUp: 0, lost: 0, later: 0 };
  readonly accounts: TallyAccount[] = [];
  readonly #options: TallyLoadOptions;
  readonly #stopping = new AbortController();
  readonly #givenUp = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #edgeItems: EdgeItem[] = [];
  #edgeLines = 0;

  constructor(options: TallyLoadOptions) {
    this.#options = options;
    // Every viewer waits on it.
    setMaxListeners(0, this.#stopping.signal);
    this.#watch(this.#arrive());
    this.#watch(this.#handOverEdges());
  }

  /** Begins no view any more, lets those under way say what they are about to say, and waits until all is answered. */
  async stop(): Promise<readonly TallyAccount[]> {
    this.#stopping.abort();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    return this.accounts.filter(({ isThere }) => isThere);
  }

  /** Ends it without waiting for answers; the tally is of no use then. */
  async giveUp(): Promise<void> {
    this.#stopping.abort();
    this.#givenUp.abort(new Error('the load was given up'));
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  get #deps(): PostDeps {
    const { url, key, onLater } = this.#options;
    return {
      ...{ url, key, counters: this.counters, signal: this.#givenUp.signal },
      ...(onLater === undefined ? {} : { onLater }),
    };
  }

  #watch(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => {
        if (this.#givenUp.signal.aborted) return;
        this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => this.#underWay.delete(watched));
    this.#underWay.add(watched);
  }

  async #arrive(): Promise<void> {
    const { seed, viewsPerSecond, viewsMax } = this.#options;
    const random = new Random(seed, ARRIVALS_STREAM);
    for (let number = 0; number < viewsMax; number++) {
      await this.#wait(random.exponential(1_000 / viewsPerSecond));
      if (this.#stopping.signal.aborted) return;
      const account = new TallyAccount(drawScript(seed, number));
      this.accounts.push(account);
      this.#watch(this.#watchView(account, new Random(seed, SENDING_STREAM + number)));
    }
  }

  /** One viewer from its first word to its last, or until the load stops. */
  async #watchView(account: TallyAccount, random: Random): Promise<void> {
    const { script } = account;
    const beganMs = performance.now();
    const beganAt = Date.now();
    for (const request of script.edgeRequests) this.#logEdge(account, request, beganAt);
    for (const delivery of script.deliveries) {
      await this.#wait(delivery.dueMs - (performance.now() - beganMs));
      if (this.#stopping.signal.aborted) return;
      await this.#deliver(account, delivery, beganAt + script.skewMs, random);
    }
  }

  async #deliver(
    account: TallyAccount,
    { bodies }: Delivery,
    startAt: number,
    random: Random,
  ): Promise<void> {
    const firstMs = performance.now();
    for (const beats of bodies) {
      const heard = await post(bodyOf(account.script, beats, startAt), random, this.#deps);
      takeHeard(account, beats, heard);
    }
    const lastedMs = performance.now() - firstMs;
    if (bodies.length > 1 && lastedMs >= this.#options.reorderMs) account.beyondReorder = true;
  }

  #logEdge(account: TallyAccount, request: EdgeRequest, beganAt: number): void {
    const line = edgeLine(account.script, request, beganAt + request.atMs, this.#edgeLines++);
    this.#edgeItems.push({ line, account, request });
  }

  async #handOverEdges(): Promise<void> {
    const random = new Random(this.#options.seed, EDGE_STREAM);
    while (!this.#stopping.signal.aborted || this.#edgeItems.length > 0) {
      await this.#wait(EDGE_BATCH_MS);
      const items = this.#edgeItems;
      this.#edgeItems = [];
      if (items.length === 0) continue;
      const heard = await post(edgeBody(items.map(({ line }) => line)), random, this.#deps);
      if (heard.accepted !== items.length || heard.rejectedTotal !== 0)
        throw new Error(`of ${items.length} lines the edge route took ${JSON.stringify(heard)}`);
      for (const { account, request } of items) account.acceptEdge(request);
    }
  }

  /** Waits, or until the load stops. */
  async #wait(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}

/** Enters what an answer says into the account. @throws when the answer contradicts itself, or refuses what is right. */
function takeHeard(account: TallyAccount, beats: readonly TallyBeat[], heard: Heard): void {
  const refused = new Set(heard.rejected?.map(({ beat, event }) => `${beat}/${event}`));
  let accepted = 0;
  for (const [beat, events] of beats.entries()) {
    for (const [index, event] of events.entries()) {
      const isRefused = refused.has(`${beat}/${index}`);
      if (isRefused !== (event.kind === 'refused'))
        throw new Error(`event ${event.seq} of ${account.script.id}: ${JSON.stringify(heard)}`);
      if (isRefused) continue;
      account.accept(event);
      accepted++;
    }
  }
  // CMCD is answered without words.
  if (heard.accepted !== undefined && heard.accepted !== accepted)
    throw new Error(`${accepted} events of ${account.script.id}: ${JSON.stringify(heard)}`);
}
