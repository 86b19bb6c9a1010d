/**
 * A deployment under load that is disturbed again and again, then held to its promise: every event that ingest accepted
 * is in the figures once, and `verify` finds nothing.
 *
 * Guarantee: processes and folders are gone at the end; where something differs, the logs of the roles are in the report.
 */
import { readFile } from 'node:fs/promises';
import { Random } from '../../../ingest/clients/simulation/random.ts';
import { until } from '../../support/running.ts';
import { Comparison } from '../processes/comparison.ts';
import { questionsTo } from '../processes/questions.ts';
import { REORDER_MS } from '../processes/site.ts';
import {
  checkAnswers,
  checkTruth,
  type SyntheticLoad,
  startSyntheticLoad,
} from '../processes/synthetic-load.ts';
import { checkTally } from '../processes/tally-check.ts';
import { TallyLoad } from '../processes/tally-load.ts';
import type { Later } from '../processes/tally-post.ts';
import { rejectionOf } from '../processes/trouble.ts';
import { Deployment } from './deployment.ts';
import { type Deed, Disturbances } from './disturbances.ts';
import { StallWatch } from './stall-watch.ts';

export interface DeploymentRunOptions {
  readonly seed: number;
  readonly partitions: number;
  readonly brokers: number;
  /** What is done, in order. `later` grows as ingest asks clients to come again. */
  readonly disturb: (
    disturbances: Disturbances,
    random: Random,
    later: readonly Later[],
  ) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface DeploymentReport {
  readonly seed: number;
  readonly done: Readonly<Record<Deed, number>>;
  readonly talliedViews: number;
  readonly syntheticViews: number;
  /** Answers of ingest that asked to come again. */
  readonly later: readonly Later[];
  /** Longest time for which figures stood still, ms. */
  readonly longestStallMs: number;
  readonly facts: number;
  readonly differences: readonly string[];
  /** The end of each process's log, where something differs. */
  readonly logs: string;
}

const SYNTHETIC_VIEWERS = 12;
const TALLY_VIEWS_PER_SECOND = 2;
const TALLY_VIEWS_MAX = 1_500;
const ENDED_MS_MAX = 240_000;
const DISTURB_STREAM = 0xd157;
const LOG_CHARS = 6_000;

export async function runDeployment(options: DeploymentRunOptions): Promise<DeploymentReport> {
  const trouble = new AbortController();
  const fail = (error: Error): void => trouble.abort(error);
  options.signal?.addEventListener('abort', () => fail(new Error('interrupted')), { once: true });
  const { seed, partitions, brokers } = options;
  const deployment = await Deployment.start({ seed, partitions, brokers, onSelfEnded: fail });
  const run = new Run(options, deployment, trouble);
  try {
    return await Promise.race([run.toItsEnd(), rejectionOf(trouble.signal)]);
  } catch (error) {
    await run.abandon(error);
    throw new Error(`${error instanceof Error ? error.message : error}\n${await run.logs()}`, {
      cause: error,
    });
  } finally {
    await deployment.clear();
  }
}

class Run {
  readonly #options: DeploymentRunOptions;
  readonly #deployment: Deployment;
  readonly #trouble: AbortController;
  readonly #comparison = new Comparison();
  readonly #later: Later[] = [];
  #tally: TallyLoad | undefined;
  #synthetic: SyntheticLoad | undefined;

  constructor(options: DeploymentRunOptions, deployment: Deployment, trouble: AbortController) {
    this.#options = options;
    this.#deployment = deployment;
    this.#trouble = trouble;
  }

  async toItsEnd(): Promise<DeploymentReport> {
    const { seed, disturb } = this.#options;
    const random = new Random(seed, DISTURB_STREAM);
    const disturbances = await Disturbances.begin(this.#deployment, random);
    const tally = this.#beginLoads();
    await this.#synthetic?.reached;
    const stalls = new StallWatch(this.#deployment.apiUrl, this.#deployment.tallied);
    await disturb(disturbances, random, this.#later);
    await disturbances.settle();
    const accounts = await tally.stop();
    const played = await (this.#synthetic as SyntheticLoad).stop();
    await this.#untilEnded(accounts.length, played.truth.views);
    await stalls.end();
    await this.#verify('while processors run');
    const { apiUrl, tallied, simulated } = this.#deployment;
    await checkTally(accounts, questionsTo(apiUrl, tallied), this.#comparison);
    checkAnswers(played, this.#comparison);
    await checkTruth(played.truth, questionsTo(apiUrl, simulated), this.#comparison);
    for (const end of await disturbances.endProcessors())
      this.#comparison.equal('end of a processor', { code: 0, signal: null }, end);
    await this.#verify('after processors ended');
    const { facts, different } = this.#comparison;
    return {
      seed,
      done: disturbances.done,
      talliedViews: accounts.length,
      syntheticViews: played.truth.views,
      later: this.#later,
      longestStallMs: stalls.longestMs,
      facts,
      differences: different,
      logs: different.length === 0 ? '' : await this.logs(),
    };
  }

  /** Ends what sends. */
  async abandon(reason: unknown): Promise<void> {
    this.#trouble.abort(reason);
    await this.#deployment.children.end();
    void this.#synthetic?.stop().catch(() => undefined);
    await this.#tally?.giveUp();
  }

  async logs(): Promise<string> {
    const names = [
      'ingest',
      'api',
      ...Array.from({ length: 40 }, (_, at) => `processor-${at + 1}`),
    ];
    const texts = names.map(async (name) => {
      const text = await readFile(this.#deployment.logFile(name), 'utf8').catch(() => '');
      return text === '' ? '' : `--- ${name}\n${text.slice(-LOG_CHARS)}`;
    });
    return (await Promise.all(texts)).filter((text) => text !== '').join('\n');
  }

  #beginLoads(): TallyLoad {
    const { seed } = this.#options;
    const { ingestUrl: url, tallied, simulated } = this.#deployment;
    const onError = (error: Error): void => this.#trouble.abort(error);
    this.#synthetic = startSyntheticLoad({
      ...{ url, key: simulated.key, seed, viewers: SYNTHETIC_VIEWERS, onError },
    });
    this.#tally = new TallyLoad({
      ...{ url, key: tallied.key, seed, reorderMs: REORDER_MS, onError },
      viewsPerSecond: TALLY_VIEWS_PER_SECOND,
      viewsMax: TALLY_VIEWS_MAX,
      onLater: (later) => this.#later.push(later),
    });
    return this.#tally;
  }

  /** Views that nobody ends are ended by silence. One that never does is a difference later. */
  async #untilEnded(tallied: number, synthetic: number): Promise<void> {
    const { apiUrl, tallied: ours, simulated: theirs } = this.#deployment;
    for (const [project, views] of [
      [ours, tallied],
      [theirs, synthetic],
    ] as const) {
      const { overall } = questionsTo(apiUrl, project);
      await until(
        () => overall('ended_views').catch(() => 0),
        (value) => value >= views,
        ENDED_MS_MAX,
      ).catch(() => undefined);
    }
  }

  async #verify(when: string): Promise<void> {
    const { code, stdout, stderr } = await this.#deployment.run('verify');
    const found = code === 0 ? 'nothing' : `${stdout.slice(0, 2_000)}${stderr.slice(0, 1_000)}`;
    this.#comparison.equal(`what verify finds ${when}`, 'nothing', found);
  }
}

export function formatDeployment(report: DeploymentReport): string {
  const { differences, later, done } = report;
  const deeds = Object.entries(done).filter(([, times]) => times > 0);
  return [
    `deployment: seed ${report.seed}`,
    `  done: ${deeds.map(([deed, times]) => `${deed} ${times}`).join(', ')}`,
    `  views: tallied ${report.talliedViews}, synthetic ${report.syntheticViews}; told later ${later.length}`,
    `  figures stood still for at most ${(report.longestStallMs / 1_000).toFixed(1)} s`,
    `  facts compared ${report.facts}, different ${differences.length}`,
    ...differences.slice(0, 40).map((difference) => `  DIFFERENT ${difference}`),
    report.logs,
  ].join('\n');
}
