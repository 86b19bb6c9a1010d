/**
 * The real program under load, killed at random moments, then held to its promise: every event that it accepted is in
 * the figures once, and the figures are what they would have been on a machine on which nothing ever failed.
 *
 * Guarantees: whatever happens, children are gone at the end; the folder too, unless something differs: then it stays,
 * and the report says where.
 */
import { readFile } from 'node:fs/promises';
import type { SimulateResult } from '../../../ingest/clients/simulate.ts';
import type { Truth } from '../../../ingest/clients/simulation/truth.ts';
import { until } from '../../support/running.ts';
import { checkAlterations } from './alterations.ts';
import { Comparison } from './comparison.ts';
import { describeEnd, type KillCounters, KillRun } from './kill-run.ts';
import { questionsTo } from './questions.ts';
import { createSite, REORDER_MS, type Site } from './site.ts';
import { inStore } from './store-check.ts';
import {
  checkAnswers,
  checkTruth,
  type SyntheticLoad,
  startSyntheticLoad,
} from './synthetic-load.ts';
import type { TallyAccount } from './tally-account.ts';
import { checkTally } from './tally-check.ts';
import { TallyLoad } from './tally-load.ts';
import type { PostCounters } from './tally-post.ts';
import { rejectionOf } from './trouble.ts';
import { checkVerify } from './verify-check.ts';

export interface KillsOptions {
  readonly seed: number;
  readonly killsMax: number;
  /** Time for the kills, ms; what is checked afterwards comes on top. */
  readonly forMs: number;
  readonly signal?: AbortSignal;
}

export interface KillsReport {
  readonly seed: number;
  /** Where everything lies, if something differs; else it is gone. */
  readonly directory: string;
  readonly kills: KillCounters;
  readonly requests: PostCounters;
  readonly records: number;
  readonly epochs: number;
  readonly talliedViews: number;
  /** Of those, views whose states may have come too late to count. */
  readonly viewsBeyondReorder: number;
  readonly syntheticViews: number;
  /** Facts compared, and those that differ. */
  readonly facts: number;
  readonly differences: readonly string[];
}

const SYNTHETIC_VIEWERS = 20;
const TALLY_VIEWS_PER_SECOND = 3;
const TALLY_VIEWS_MAX = 1_500;
/** Views end by silence within seconds; only what hangs takes so long, ms. */
const ENDED_MS_MAX = 120_000;

/** How much a run left in the store. */
interface StoreTotals {
  readonly records: number;
  readonly epochs: number;
}

/** What went wrong, and where its traces are. */
export class KillsError extends Error {}

/** @throws KillsError when it could not be brought to its end. */
export async function runKills(options: KillsOptions): Promise<KillsReport> {
  const trouble = new AbortController();
  const fail = (error: Error): void => trouble.abort(error);
  options.signal?.addEventListener('abort', () => fail(new Error('interrupted')), { once: true });
  const site = await createSite({ seed: options.seed, onSelfEnded: fail });
  const run = new Run(options, site, trouble);
  try {
    const report = await Promise.race([run.toItsEnd(), rejectionOf(trouble.signal)]);
    if (report.differences.length === 0) await site.clear();
    return report;
  } catch (error) {
    await run.abandon(error);
    const isWanted = options.signal?.aborted === true;
    if (isWanted) await site.clear();
    const kept = isWanted ? 'nothing is kept' : `everything is kept in ${site.directory}`;
    throw new KillsError(`seed ${options.seed}: ${messageOf(error)}; ${kept}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One run, phase by phase. */
class Run {
  readonly #options: KillsOptions;
  readonly #site: Site;
  readonly #trouble: AbortController;
  readonly #kills: KillRun;
  readonly #tally: TallyLoad;
  readonly #comparison = new Comparison();
  #synthetic: SyntheticLoad | undefined;

  constructor(options: KillsOptions, site: Site, trouble: AbortController) {
    this.#options = options;
    this.#site = site;
    this.#trouble = trouble;
    this.#kills = new KillRun({
      site,
      seed: options.seed,
      comparison: this.#comparison,
      killsMax: options.killsMax,
      untilMs: performance.now() + options.forMs,
      signal: trouble.signal,
      onReady: () => this.#playSynthetic(),
    });
    this.#tally = new TallyLoad({
      url: site.url,
      key: site.tallied.key,
      seed: options.seed,
      viewsPerSecond: TALLY_VIEWS_PER_SECOND,
      viewsMax: TALLY_VIEWS_MAX,
      reorderMs: REORDER_MS,
      onError: (error) => trouble.abort(error),
    });
  }

  async toItsEnd(): Promise<KillsReport> {
    const program = await this.#kills.run();
    const accounts = await this.#tally.stop();
    const played = await this.#stopSynthetic();
    await this.#untilEnded(accounts.length, played.truth.views);
    await this.#verify('beside the server');
    await this.#askApi(accounts, played);
    const end = describeEnd(await program.end('SIGTERM'));
    this.#comparison.equal('end of the program', 'as it should', end);
    await this.#verify('without a server');
    const totals = await this.#lookIntoStore(played.truth);
    await this.#checkLog();
    await checkAlterations(this.#site, this.#comparison);
    return this.#report(accounts, played.truth, totals);
  }

  /** Ends everything at once. */
  async abandon(reason: unknown): Promise<void> {
    this.#trouble.abort(reason);
    await this.#site.children.end();
    void this.#synthetic?.stop().catch(() => undefined);
    await this.#tally.giveUp();
  }

  /** Synthetic viewers come when there is someone to talk to. */
  #playSynthetic(): Promise<void> {
    const { url, simulated } = this.#site;
    this.#synthetic ??= startSyntheticLoad({
      url,
      key: simulated.key,
      seed: this.#options.seed,
      viewers: SYNTHETIC_VIEWERS,
      onError: (error) => this.#trouble.abort(error),
    });
    return this.#synthetic.reached;
  }

  #stopSynthetic(): Promise<SimulateResult> {
    if (this.#synthetic === undefined) throw new Error('the program was never ready');
    return this.#synthetic.stop();
  }

  /** Views that nobody ends are ended by silence. One that never does is a difference later. */
  async #untilEnded(tallied: number, synthetic: number): Promise<void> {
    const { url, tallied: ours, simulated: theirs } = this.#site;
    for (const [project, views] of [
      [ours, tallied],
      [theirs, synthetic],
    ] as const) {
      const { overall } = questionsTo(url, project);
      const ended = until(
        () => overall('ended_views'),
        (value) => value >= views,
        ENDED_MS_MAX,
      );
      await ended.catch(() => undefined);
    }
  }

  #verify(where: string): Promise<void> {
    return checkVerify(this.#site, where, this.#comparison);
  }

  async #askApi(accounts: readonly TallyAccount[], played: SimulateResult): Promise<void> {
    const { url, tallied, simulated } = this.#site;
    await checkTally(accounts, questionsTo(url, tallied), this.#comparison);
    checkAnswers(played, this.#comparison);
    await checkTruth(played.truth, questionsTo(url, simulated), this.#comparison);
  }

  /** Figures by window against what is true, and how much there was of everything. */
  async #lookIntoStore({ sums, started, views, delivered }: Truth): Promise<StoreTotals> {
    const [[windows] = [], [epochs] = [], delivery = []] = await inStore(this.#site, [
      `SELECT sum(playing_ms) AS playing_ms, sum(rebuffer_ms) AS rebuffer_ms, sum(rebuffer_starts) AS rebuffer_count,
         sum(views_started) AS started, sum(views_ended) AS views
       FROM playback_5s WHERE project = '${this.#site.simulated.id}'`,
      'SELECT sum(records) AS records, count() AS epochs FROM epochs',
      `SELECT cdn, sum(requests) AS requests, sum(bytes) AS bytes FROM delivery_5s
       WHERE project = '${this.#site.simulated.id}' AND source = 'edge' GROUP BY cdn ORDER BY cdn`,
    ]);
    const edges = Object.entries(delivered).map(([cdn, { requests, bytes }]) => ({
      cdn,
      requests,
      bytes,
    }));
    edges.sort((one, other) => (one.cdn < other.cdn ? -1 : 1));
    this.#comparison.equal('what the edges delivered', edges, delivery);
    const { playing_ms, rebuffer_ms, rebuffer_count } = sums;
    const expected = { playing_ms, rebuffer_ms, rebuffer_count, started, views };
    this.#comparison.equal('windows of the synthetic viewers', expected, windows);
    return { records: Number(epochs?.records), epochs: Number(epochs?.epochs) };
  }

  /** What an operator was told to act on: nothing that happens here needs one. */
  async #checkLog(): Promise<void> {
    const lines = (await readFile(this.#site.logFile, 'utf8')).split('\n');
    const errors = lines.filter((line) => /"level":(?:50|60)/.test(line));
    this.#comparison.equal('errors that the program logged', [], errors.slice(0, 5));
  }

  #report(accounts: readonly TallyAccount[], truth: Truth, totals: StoreTotals): KillsReport {
    return {
      seed: this.#options.seed,
      directory: this.#site.directory,
      kills: this.#kills.counters,
      requests: this.#tally.counters,
      ...totals,
      talliedViews: accounts.length,
      viewsBeyondReorder: accounts.filter(({ beyondReorder }) => beyondReorder).length,
      syntheticViews: truth.views,
      facts: this.#comparison.facts,
      differences: this.#comparison.different,
    };
  }
}
