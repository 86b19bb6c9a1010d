/**
 * The real program on a disk that fills up under load and is given room again.
 *
 * Guarantee: whatever happens, the program is gone at the end. The small disk is its owner's to remove.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../support/running.ts';
import { BALLAST_EVENTS, Ballast } from './ballast.ts';
import { Comparison } from './comparison.ts';
import { describeEnd } from './kill-run.ts';
import type { Program } from './program.ts';
import { questionsTo } from './questions.ts';
import { createSite, REORDER_MS, type Site } from './site.ts';
import type { SmallDisk } from './small-disk.ts';
import { inStore } from './store-check.ts';
import type { TallyAccount } from './tally-account.ts';
import { checkTally } from './tally-check.ts';
import { TallyLoad } from './tally-load.ts';
import type { Later } from './tally-post.ts';
import { rejectionOf } from './trouble.ts';
import { checkVerify } from './verify-check.ts';

export interface FullDiskReport {
  /** Answers that asked to come again, each kind once, and how many there were before there was room. */
  readonly refusals: readonly Later[];
  readonly refusalsWhileFull: number;
  /** Status of each question that was asked while the disk was full. */
  readonly answersWhileFull: readonly number[];
  /** What the program wrote until it was given room. */
  readonly linesWhileFull: readonly string[];
  readonly talliedViews: number;
  readonly ballastViews: number;
  /** Facts compared, and those that differ. */
  readonly facts: number;
  readonly differences: readonly string[];
}

/** Refusals after which the disk has been full for long enough. */
const REFUSALS_ENOUGH = 200;
const BALLAST_CLIENTS = 5;
const VIEWS_PER_SECOND = 2;
const QUESTIONS = 5;
/** Views end by silence within seconds; only what hangs takes so long, ms. */
const ENDED_MS_MAX = 120_000;

export async function fillDisk(seed: number, disk: SmallDisk): Promise<FullDiskReport> {
  const trouble = new AbortController();
  const dataDirectory = join(disk.directory, 'data');
  const fail = (error: Error): void => trouble.abort(error);
  const site = await createSite({ seed, dataDirectory, onSelfEnded: fail });
  const run = new FullDisk(seed, disk, site, trouble);
  try {
    return await Promise.race([run.toItsEnd(), rejectionOf(trouble.signal)]);
  } finally {
    trouble.abort(new Error('it is over'));
    await site.children.end();
    await run.giveUp();
    await site.clear();
  }
}

class FullDisk {
  readonly #seed: number;
  readonly #disk: SmallDisk;
  readonly #site: Site;
  readonly #trouble: AbortController;
  readonly #comparison = new Comparison();
  readonly #refusals = new Map<string, Later>();
  #refusalsTotal = 0;
  #tally: TallyLoad | undefined;
  #ballast: readonly Ballast[] = [];

  constructor(seed: number, disk: SmallDisk, site: Site, trouble: AbortController) {
    this.#seed = seed;
    this.#disk = disk;
    this.#site = site;
    this.#trouble = trouble;
  }

  async toItsEnd(): Promise<FullDiskReport> {
    const first = this.#site.start({ launcher: this.#disk.launcher });
    await first.ready;
    const tally = this.#load();
    await this.#untilTrue(() => this.#refusalsTotal >= REFUSALS_ENOUGH);
    const answersWhileFull = await this.#askWhileFull();
    const linesWhileFull = await this.#logLines();
    const refusalsWhileFull = this.#refusalsTotal;
    const program = await this.#giveRoom(first);
    const accounts = await tally.stop();
    const ballast = await Promise.all(this.#ballast.map((one) => one.stop()));
    await this.#compare(accounts, ballast.flat());
    await this.#verify('beside the server');
    await this.#end(program);
    await this.#verify('without a server');
    await this.#countBallast(ballast.flat());
    return {
      refusals: [...this.#refusals.values()],
      refusalsWhileFull,
      answersWhileFull,
      linesWhileFull,
      talliedViews: accounts.length,
      ballastViews: ballast.flat().length,
      facts: this.#comparison.facts,
      differences: this.#comparison.different,
    };
  }

  async giveUp(): Promise<void> {
    await Promise.all([this.#tally?.giveUp(), ...this.#ballast.map((one) => one.giveUp())]);
  }

  #load(): TallyLoad {
    const { url, tallied, simulated } = this.#site;
    const onError = (error: Error): void => this.#trouble.abort(error);
    const seed = this.#seed;
    this.#ballast = Array.from(
      { length: BALLAST_CLIENTS },
      (_, client) =>
        new Ballast({
          url,
          key: simulated.key,
          seed: seed + client,
          onLater: (later) => this.#takeRefusal(later),
          onError,
        }),
    );
    this.#tally = new TallyLoad({
      url,
      key: tallied.key,
      seed,
      viewsPerSecond: VIEWS_PER_SECOND,
      viewsMax: Number.POSITIVE_INFINITY,
      reorderMs: REORDER_MS,
      onError,
    });
    return this.#tally;
  }

  #takeRefusal(later: Later): void {
    this.#refusalsTotal++;
    this.#refusals.set(JSON.stringify(later), later);
  }

  #untilTrue(holds: () => boolean): Promise<unknown> {
    const { signal } = this.#trouble;
    return until(
      async () => {
        signal.throwIfAborted();
        return holds();
      },
      (seen) => seen,
    );
  }

  async #askWhileFull(): Promise<number[]> {
    const { url, tallied } = this.#site;
    const statuses: number[] = [];
    while (statuses.length < QUESTIONS) {
      const answer = await fetch(`${url}/data/v1/metrics/views/overall`, {
        headers: { authorization: tallied.authorization },
      });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
    return statuses;
  }

  async #logLines(): Promise<string[]> {
    const text = await readFile(this.#site.logFile, 'utf8');
    return text.split('\n').filter((line) => line !== '');
  }

  /** Returns the program that has room: the same, or one that was started without the limit. */
  async #giveRoom(program: Program): Promise<Program> {
    if (await this.#disk.makeRoom()) return program;
    await this.#end(program);
    const next = this.#site.start();
    await next.ready;
    return next;
  }

  async #compare(accounts: readonly TallyAccount[], ballast: readonly string[]): Promise<void> {
    const { url, tallied, simulated } = this.#site;
    const [ours, theirs] = [questionsTo(url, tallied), questionsTo(url, simulated)];
    const isEnded = async (): Promise<boolean> =>
      (await ours.overall('ended_views')) >= accounts.length &&
      (await theirs.overall('ended_views')) >= ballast.length;
    // A view that never ends is a difference below.
    await until(isEnded, (ended) => ended, ENDED_MS_MAX).catch(() => undefined);
    await checkTally(accounts, ours, this.#comparison);
    this.#comparison.equal('ballast', ballast.length, await theirs.overall('ended_views'));
  }

  /** There are too many of these views to ask for each. */
  async #countBallast(ballast: readonly string[]): Promise<void> {
    const [rows = []] = await inStore(this.#site, [
      `SELECT view_id, count() AS events FROM view_events
       WHERE project = '${this.#site.simulated.id}' GROUP BY view_id`,
    ]);
    const events = new Map(rows.map(({ view_id, events }) => [view_id, events]));
    for (const view of ballast)
      this.#comparison.equal(`events of ${view}`, BALLAST_EVENTS, events.get(view));
  }

  async #end(program: Program): Promise<void> {
    const end = describeEnd(await program.end('SIGTERM'));
    this.#comparison.equal('end of the program', 'as it should', end);
  }

  #verify(where: string): Promise<void> {
    return checkVerify(this.#site, where, this.#comparison);
  }
}
