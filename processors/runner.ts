/**
 * The thin shell around the pure core: one loop for each partition reads the log, folds, and writes each epoch before
 * it reads on. It also writes ticks, once it has caught up, so that log time goes on when nobody else writes.
 *
 * On start it folds the log again up to the last commit, with its output held back, and settles the epoch after it.
 */
import type { Log } from '../platform/log/log.ts';
import { encodeRecord } from '../schemas/records.ts';
import { type Epoch, PartitionFold } from './partition.ts';
import { FOLD_VERSION, toAnnounce } from './settings.ts';
import { type Commit, type SealedEpoch, type Sink, sealEpoch } from './sink.ts';

/** How often a partition is looked at for a tick, ms. */
const TICK_CHECK_MS = 200;

export interface RunnerDeps {
  readonly log: Log;
  readonly sink: Sink;
  /** Result-changing settings that the operator wants; announced in the log where they differ. */
  readonly settings: Readonly<Record<string, number>>;
  /** Wall clock, ms: only decides when a tick is due, never what the fold concludes. */
  readonly now: () => number;
  readonly logger: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Called after an epoch is committed. */
  readonly onCommit?: (epoch: SealedEpoch) => void;
  /** Called once when a partition cannot go on. */
  readonly onFailure?: (error: Error) => void;
}

export type RunnerErrorCode = 'commit_beyond_log' | 'commit_before_log' | 'commit_mismatch';

/** The log and the store do not belong together; nothing is guessed. */
export class RunnerError extends Error {
  readonly code: RunnerErrorCode;
  constructor(code: RunnerErrorCode, message: string) {
    super(message);
    this.name = 'RunnerError';
    this.code = code;
  }
}

const TICK = encodeRecord('tick', {});

export class PartitionRunner {
  readonly fold: PartitionFold;
  readonly #deps: RunnerDeps;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #ticking = false;
  #committedEpoch = 0;
  /** Offset up to which records are folded. */
  #foldedTo = 0;
  /** Where the log ended when the loop started: what is in force is known from there on. */
  #startedAt = 0;

  constructor(partition: number, deps: RunnerDeps) {
    this.fold = new PartitionFold(partition);
    this.#deps = deps;
  }

  /** Number of the newest committed epoch. */
  get committedEpoch(): number {
    return this.#committedEpoch;
  }

  /** Offset up to which records are folded. */
  get foldedTo(): number {
    return this.#foldedTo;
  }

  /** Starts the loop; resolves when it knows where to begin. */
  async start(): Promise<void> {
    const { log, sink } = this.#deps;
    const { partition } = this.fold;
    const commit = await sink.lastCommit(partition);
    const earliest = await log.earliest(partition);
    if (commit !== undefined) await this.#check(commit, earliest);
    // A new log begins with its settings, so that nothing is folded by others.
    const announcement = this.#announcement();
    if ((await log.latest(partition)) === 0 && announcement !== undefined) {
      await log.append(partition, announcement);
    }
    this.#startedAt = await log.latest(partition);
    this.#running = this.#run(commit, earliest).catch((error: unknown) => this.#fail(error));
    this.#ticker = setInterval(() => void this.#tick(), TICK_CHECK_MS);
    this.#ticker.unref();
  }

  /** Finishes the epoch that is under way, then stops. */
  async stop(): Promise<void> {
    const { log, now } = this.#deps;
    const deadlineMs = now() + 2 * this.fold.settings.epochMs + 1_000;
    const target = await log.latest(this.fold.partition).catch(() => 0);
    while (!this.#abort.signal.aborted && !this.#isCommitted(target) && now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, TICK_CHECK_MS / 4));
    }
    clearInterval(this.#ticker);
    this.#abort.abort();
    await this.#running;
  }

  #committedTo = 0;

  #isCommitted(target: number): boolean {
    return this.#committedTo >= target;
  }

  async #check(commit: Commit, earliest: number): Promise<void> {
    const { log } = this.#deps;
    const { partition } = this.fold;
    const latest = await log.latest(partition);
    if (commit.nextOffset > latest) {
      throw new RunnerError(
        'commit_beyond_log',
        `Partition ${partition} is committed up to offset ${commit.nextOffset}, but its log ends at ${latest}: the log was lost or is another one. Restore it, or begin with an empty store.`,
      );
    }
    if (commit.nextOffset < earliest) {
      throw new RunnerError(
        'commit_before_log',
        `Partition ${partition} is committed up to offset ${commit.nextOffset}, but its log begins at ${earliest}: records were removed before they were folded. Raise the log's retention.`,
      );
    }
  }

  async #run(commit: Commit | undefined, earliest: number): Promise<void> {
    const { log, sink } = this.#deps;
    const { partition } = this.fold;
    // The epoch after the last commit may have been written in part before a crash.
    let inDoubt = true;
    this.#committedEpoch = commit?.epoch ?? 0;
    this.#committedTo = commit?.nextOffset ?? earliest;
    const records = log.read(partition, {
      fromOffset: earliest,
      follow: true,
      signal: this.#abort.signal,
    });
    for await (const batch of records) {
      for (const record of batch) {
        let sealed: SealedEpoch | undefined;
        this.fold.fold(record, (epoch) => {
          sealed = this.#seal(epoch, commit, earliest);
        });
        if (sealed !== undefined) {
          await sink.write(sealed, inDoubt);
          inDoubt = false;
          this.#committedEpoch = sealed.epoch;
          this.#committedTo = sealed.nextOffset;
          this.#deps.onCommit?.(sealed);
        }
        this.#foldedTo = this.fold.nextOffset;
      }
    }
  }

  /** Takes an epoch's rows; undefined when they are committed already. */
  #seal(epoch: Epoch, commit: Commit | undefined, earliest: number): SealedEpoch | undefined {
    const sealed = sealEpoch(epoch);
    if (commit === undefined || this.#met) return sealed;
    if (sealed.nextOffset >= commit.nextOffset) this.#meet(sealed, commit, earliest);
    return undefined;
  }

  /** True once the replay has reached the last commit. */
  #met = false;

  /** The replay has reached the last commit: numbers must agree, unless the log's beginning is gone. */
  #meet(sealed: SealedEpoch, commit: Commit, earliest: number): void {
    this.#met = true;
    const sameEnd = sealed.nextOffset === commit.nextOffset;
    if (sameEnd && sealed.epoch === commit.epoch) return;
    if (!sameEnd || earliest === 0) {
      throw new RunnerError(
        'commit_mismatch',
        `Partition ${sealed.partition} was committed as epoch ${commit.epoch} where the log gives ${sealed.epoch}: settings that change results were altered, or the store belongs to another log.`,
      );
    }
    this.fold.epoch = commit.epoch + 1;
  }

  /**
   * Appends a tick when wall time has passed the end of the epoch and no record has; or, instead, the settings that
   * are wanted and not in force.
   */
  async #tick(): Promise<void> {
    const { log, now } = this.#deps;
    if (this.#ticking || this.#abort.signal.aborted) return;
    const announcement = this.#foldedTo >= this.#startedAt ? this.#announcement() : undefined;
    const { epochMs } = this.fold.settings;
    const passed = Math.floor(now() / epochMs) > Math.floor(this.fold.logTimeMs / epochMs);
    if (announcement === undefined && !passed) return;
    this.#ticking = true;
    try {
      if (announcement !== undefined || this.#foldedTo >= (await log.latest(this.fold.partition))) {
        const { offset } = await log.append(this.fold.partition, announcement ?? TICK);
        await this.#untilFolded(offset);
      }
    } catch (error) {
      this.#deps.logger.error({ error, partition: this.fold.partition }, 'no tick was written');
    } finally {
      this.#ticking = false;
    }
  }

  #announcement(): Buffer | undefined {
    const values = toAnnounce(this.fold.settings, this.#deps.settings);
    return values && encodeRecord('settings', { foldVersion: FOLD_VERSION, values });
  }

  /** The next tick may be weighed only when this one has moved log time. */
  async #untilFolded(offset: number): Promise<void> {
    while (this.#foldedTo <= offset && !this.#abort.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, TICK_CHECK_MS / 10).unref());
    }
  }

  #fail(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#abort.abort();
    this.#deps.logger.error(
      { error: cause, partition: this.fold.partition },
      'a partition stopped',
    );
    this.#deps.onFailure?.(cause);
  }
}

/** Runs every partition of the log. */
export class Processor {
  readonly partitions: readonly PartitionRunner[];

  constructor(deps: RunnerDeps) {
    this.partitions = Array.from(
      { length: deps.log.partitions },
      (_, partition) => new PartitionRunner(partition, deps),
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.partitions.map((runner) => runner.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.partitions.map((runner) => runner.stop()));
  }
}
