/**
 * The thin shell around the pure core: one loop for each partition reads the log, folds, and writes each epoch before
 * it reads on. It also writes ticks, once it has caught up, so that log time goes on when nobody else writes.
 *
 * On start it takes the newest checkpoint that is not beyond the last commit, folds the log again from there up to that
 * commit with its output held back, settles the epoch after it, and goes on.
 */
import type { Log, LogRecord } from '../../platform/log/log.ts';
import { encodeRecord } from '../../schemas/records.ts';
import { PartitionFold } from '../partition.ts';
import { FOLD_VERSION, toAnnounce } from '../settings.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Commit, SealedEpoch } from './epoch-store.ts';
import type { Forgets } from './forgets.ts';
import { createPersist } from './persist.ts';
import { type Sink, sealEpoch } from './sink.ts';

/** How often a partition is looked at for a tick, ms. */
const TICK_CHECK_MS = 200;

/** Wall clock and waiting: they decide when something is done, never what the fold concludes. */
export interface Clock {
  /** ms since 1970. */
  now(): number;
  /** Resolves after a while; rejects when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface RunnerLimits {
  /** A checkpoint is written after so long, ms. */
  readonly checkpointMs: number;
  /** Or after so many events, whichever comes first. */
  readonly checkpointEventsMax: number;
}

export const runnerLimits: RunnerLimits = { checkpointMs: 60_000, checkpointEventsMax: 1_000_000 };

export interface RunnerDeps {
  readonly log: Log;
  readonly sink: Sink;
  readonly checkpoints: Checkpoints;
  readonly forgets: Forgets;
  readonly limits: RunnerLimits;
  /** Result-changing settings that the operator wants; announced in the log where they differ. */
  readonly settings: Readonly<Record<string, number>>;
  readonly clock: Clock;
  readonly logger: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Called after an epoch is committed, with how long that took, ms. */
  readonly onCommit?: (epoch: SealedEpoch, tookMs: number) => void;
  /** Called once when a partition cannot go on. */
  readonly onFailure?: (error: Error) => void;
  /** True when others may have taken the partition over meanwhile: what they committed is looked at before a write. */
  readonly mayBeTaken?: () => boolean;
}

export type RunnerErrorCode =
  | 'commit_beyond_log'
  | 'commit_before_log'
  | 'commit_mismatch'
  | 'checkpoint_missing'
  | 'fold_version_newer';

/** The log and the store do not belong together, or a newer program wrote them; nothing is guessed. */
export class RunnerError extends Error {
  readonly code: RunnerErrorCode;
  constructor(code: RunnerErrorCode, message: string) {
    super(message);
    this.name = 'RunnerError';
    this.code = code;
  }
}

const TICK = encodeRecord('tick', {});

/** Where a partition's loop begins. */
interface Start {
  readonly fromOffset: number;
  readonly commit: Commit | undefined;
}

export class PartitionRunner {
  readonly partition: number;
  readonly #deps: RunnerDeps;
  readonly #abort = new AbortController();
  #fold: PartitionFold;
  #failure: Error | undefined;
  #starting: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #ticking: Promise<void> | undefined;
  #committedEpoch = 0;
  #committedLogTimeMs = 0;
  /** First offset that is not committed. */
  #committedTo = 0;
  /** Offset up to which records are folded. */
  #foldedTo = 0;
  /** Where the log ended when the loop started: what is in force is known from there on. */
  #startedAt = 0;
  /** Once set, the loop ends with the epoch that commits up to here. */
  #stopAt: number | undefined;
  /** Epochs that are folded again up to this one are not written. */
  #replayUntil: Commit | undefined;
  /** The epoch after the last commit may have been written in part before a crash. */
  #inDoubt = true;
  #checkpointEpoch = 0;
  #checkpointAtMs = 0;
  #eventsSinceCheckpoint = 0;
  #saving: Promise<void> | undefined;
  #ticksFailed = 0;
  /** Where the fold stood, and since when, ms, while the log seemed to hold more. */
  #waitingAt = -1;
  #waitingSinceMs = 0;
  /** Older checkpoints may hold a viewer who is to be forgotten. */
  #sweepDue = true;

  constructor(partition: number, deps: RunnerDeps) {
    this.partition = partition;
    this.#fold = PartitionFold.begin(partition, deps.log.topic);
    this.#deps = deps;
  }

  get fold(): PartitionFold {
    return this.#fold;
  }

  /** Number of the newest committed epoch. */
  get committedEpoch(): number {
    return this.#committedEpoch;
  }

  /** Log time at the end of that epoch, ms; 0 before the first of this run. */
  get committedLogTimeMs(): number {
    return this.#committedLogTimeMs;
  }

  /** Offset up to which records are folded. */
  get foldedTo(): number {
    return this.#foldedTo;
  }

  /** True once everything that the log held at the start is folded. */
  get caughtUp(): boolean {
    return this.#running !== undefined && this.#foldedTo >= this.#startedAt;
  }

  /** Why it stopped for good; undefined while it goes on. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * Starts the loop; resolves when it knows where to begin. Waits for engines that are away.
   * @throws RunnerError, or the reason of a `stop` or `abandon` that came before.
   */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  /** Starts it without waiting; what keeps it from that is its `failure`. */
  begin(): void {
    this.start().catch((error: unknown) => this.#fail(error));
  }

  async #start(): Promise<void> {
    const { clock, logger } = this.#deps;
    const persist = createPersist({ logger, sleep: clock.sleep });
    const what = { partition: this.partition };
    const { signal } = this.#abort;
    const start = await persist(what, signal, () => this.#findStart());
    await persist(what, signal, () => this.#beginLog());
    signal.throwIfAborted();
    this.#checkpointAtMs = clock.now();
    this.#running = this.#run(start).catch((error: unknown) => this.#fail(error));
    this.#ticking = this.#tickOn();
  }

  /** A new log begins with its settings, so that nothing is folded by others. */
  async #beginLog(): Promise<void> {
    const { log } = this.#deps;
    const announcement = this.#announcement();
    if ((await log.latest(this.partition)) === 0 && announcement !== undefined) {
      await log.append(this.partition, announcement);
    }
    this.#startedAt = await log.latest(this.partition);
  }

  /** Ends where it stands and writes nothing more: the partition belongs to another. */
  async abandon(): Promise<void> {
    this.#abort.abort();
    await this.#starting?.catch(() => undefined);
    await Promise.all([this.#running, this.#ticking, this.#saving]);
  }

  /** Finishes the epoch that is under way, leaves a checkpoint, then stops. */
  async stop(): Promise<void> {
    const { log, clock } = this.#deps;
    if (this.#running === undefined) return this.abandon();
    this.#stopAt = await log.latest(this.partition).catch(() => 0);
    const patience = new AbortController();
    const waited = clock
      .sleep(2 * this.fold.settings.epochMs + 1_000, patience.signal)
      .then(() => this.#endNow())
      .catch(() => undefined);
    if (this.#committedTo >= this.#stopAt && this.#foldedTo <= this.#committedTo) this.#endNow();
    await this.#running;
    patience.abort();
    this.#abort.abort();
    await Promise.all([waited, this.#ticking, this.#saving]);
  }

  /** Ends the loop where it stands, unless it is at its last epoch already. */
  #endNow(): void {
    this.#abort.abort();
  }

  async #findStart(): Promise<Start> {
    const { log, sink, checkpoints, logger } = this.#deps;
    const { partition } = this;
    const commit = await sink.lastCommit(partition);
    const earliest = await log.earliest(partition);
    if (commit === undefined) return { fromOffset: earliest, commit };
    this.#check(commit, earliest, await log.latest(partition));
    const wanted = { epochMax: commit.epoch, offsetMin: earliest };
    const loaded = await checkpoints.load(partition, wanted);
    if (loaded === undefined && earliest > 0) {
      throw new RunnerError(
        'checkpoint_missing',
        `Partition ${partition} was committed up to epoch ${commit.epoch}, its log begins at ${earliest}, and no checkpoint leads there: restore the table checkpoints, or begin with an empty store.`,
      );
    }
    if (loaded !== undefined) this.#fold = loaded;
    this.#checkpointEpoch = this.#fold.epoch - 1;
    this.#committedEpoch = commit.epoch;
    this.#committedTo = commit.nextOffset;
    this.#foldedTo = this.#fold.nextOffset;
    if (this.#checkpointEpoch < commit.epoch) this.#replayUntil = commit;
    logger.info(
      { partition, checkpoint: this.#checkpointEpoch, commit: commit.epoch },
      'a partition goes on from its checkpoint',
    );
    return { fromOffset: loaded?.nextOffset ?? earliest, commit };
  }

  #check(commit: Commit, earliest: number, latest: number): void {
    const { partition } = this;
    if (commit.foldVersion > FOLD_VERSION) {
      throw new RunnerError(
        'fold_version_newer',
        `Partition ${partition} was concluded by version ${commit.foldVersion} of the fold, and this program has ${FOLD_VERSION}: run the newer program.`,
      );
    }
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

  async #run({ fromOffset }: Start): Promise<void> {
    const { signal } = this.#abort;
    const records = this.#deps.log.read(this.partition, { fromOffset, follow: true, signal });
    for await (const batch of records) {
      for (const record of batch) {
        if (this.#fold.endsBefore(record)) await this.#endEpoch();
        if (signal.aborted || this.#isDone()) return;
        this.#takeRecord(record);
      }
    }
  }

  #takeRecord(record: LogRecord): void {
    this.#fold.take(record);
    this.#foldedTo = this.#fold.nextOffset;
    const { announcedVersion } = this.#fold;
    if (announcedVersion > FOLD_VERSION) {
      throw new RunnerError(
        'fold_version_newer',
        `The log of partition ${this.partition} says at offset ${record.offset} that version ${announcedVersion} of the fold is in force, and this program has ${FOLD_VERSION}: run the newer program.`,
      );
    }
  }

  /** The loop was asked to stop, and all that the log held then is committed. */
  #isDone(): boolean {
    return this.#stopAt !== undefined && this.#committedTo >= this.#stopAt;
  }

  async #endEpoch(): Promise<void> {
    const sealed = sealEpoch(this.#fold.endEpoch());
    if (this.#replayUntil !== undefined) this.#meet(sealed, this.#replayUntil);
    else await this.#commit(sealed);
    if (this.#replayUntil === undefined) await this.#checkpoint(sealed);
  }

  async #commit(sealed: SealedEpoch): Promise<void> {
    const { sink, forgets, clock, onCommit, mayBeTaken } = this.#deps;
    const { signal } = this.#abort;
    const beganMs = clock.now();
    if (sealed.forgets.length > 0) {
      this.#sweepDue = true;
      // Before the commit, so that it is done again unless it was done.
      await forgets.purge(sealed, signal);
    }
    await sink.write(sealed, this.#inDoubt || mayBeTaken?.() === true, signal);
    this.#inDoubt = false;
    this.#committedEpoch = sealed.epoch;
    this.#committedLogTimeMs = sealed.logTimeMs;
    this.#committedTo = sealed.nextOffset;
    onCommit?.(sealed, clock.now() - beganMs);
  }

  /** Folds on without writing until the last commit is met. */
  #meet(sealed: SealedEpoch, commit: Commit): void {
    if (sealed.nextOffset < commit.nextOffset) return;
    if (sealed.nextOffset !== commit.nextOffset || sealed.epoch !== commit.epoch) {
      throw new RunnerError(
        'commit_mismatch',
        `Partition ${this.partition} was committed as epoch ${commit.epoch} up to offset ${commit.nextOffset}, where the log gives ${sealed.epoch} up to ${sealed.nextOffset}: the store belongs to another log.`,
      );
    }
    this.#replayUntil = undefined;
  }

  /** Writes a checkpoint when one is due. The fold waits only until its state is read. */
  async #checkpoint(sealed: SealedEpoch): Promise<void> {
    const { checkpoints, clock, limits } = this.#deps;
    this.#eventsSinceCheckpoint += sealed.counts.events;
    const last = this.#isDone() || sealed.forgets.length > 0;
    const due =
      clock.now() - this.#checkpointAtMs >= limits.checkpointMs ||
      this.#eventsSinceCheckpoint >= limits.checkpointEventsMax;
    if (!last && (!due || checkpoints.busy)) return;
    if (sealed.epoch <= this.#checkpointEpoch) return;
    await this.#saving;
    this.#checkpointAtMs = clock.now();
    this.#eventsSinceCheckpoint = 0;
    this.#checkpointEpoch = sealed.epoch;
    await new Promise<void>((encoded) => {
      this.#saving = this.#saveAndPrune(sealed, encoded);
    });
    if (last) await this.#saving;
  }

  async #saveAndPrune(sealed: SealedEpoch, encoded: () => void): Promise<void> {
    const { checkpoints, forgets, log, logger } = this.#deps;
    const { partition, epoch, nextOffset, logTimeMs, foldVersion } = sealed;
    const head = { partition, epoch, nextOffset, logTimeMs, foldVersion };
    const saved = await checkpoints.save(this.#fold, head, encoded);
    try {
      if (this.#sweepDue && saved) {
        for (const forgotten of await forgets.list(partition)) {
          await checkpoints.dropHolding(partition, forgotten.viewer, forgotten.epoch);
        }
        this.#sweepDue = false;
      }
      await checkpoints.prune(partition, await log.earliest(partition));
    } catch (error) {
      logger.error({ error, partition }, 'old checkpoints were not removed; the next round does');
    }
  }

  /** Ticks until the loop ends. */
  async #tickOn(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await clock.sleep(TICK_CHECK_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.#tick();
    }
  }

  /**
   * Appends a tick when wall time has passed the end of the epoch and no record has; or, instead, the settings that
   * are wanted and not in force.
   */
  async #tick(): Promise<void> {
    const { log, clock, logger } = this.#deps;
    const announcement = this.caughtUp ? this.#announcement() : undefined;
    const { epochMs } = this.fold.settings;
    const passed = Math.floor(clock.now() / epochMs) > Math.floor(this.fold.logTimeMs / epochMs);
    if (announcement === undefined && !passed) return;
    try {
      if (announcement !== undefined || (await this.#isAtEnd())) {
        const { offset } = await log.append(this.partition, announcement ?? TICK);
        this.#ticksFailed = 0;
        await this.#untilFolded(offset);
      }
    } catch (error) {
      const failures = ++this.#ticksFailed;
      // Told when it begins, and then ever more rarely: time stands still until the log takes something again.
      if (Number.isInteger(Math.log2(failures)))
        logger.error({ error, failures, partition: this.partition }, 'no tick was written');
    }
  }

  /**
   * Nothing is left to fold: the log ends here, or what is left of it are no records (markers of somebody's transactions),
   * which is told by nothing coming for an epoch.
   */
  async #isAtEnd(): Promise<boolean> {
    const { log, clock } = this.#deps;
    if (this.#foldedTo >= (await log.latest(this.partition))) return true;
    const nowMs = clock.now();
    if (this.#waitingAt !== this.#foldedTo) {
      this.#waitingAt = this.#foldedTo;
      this.#waitingSinceMs = nowMs;
    }
    return nowMs - this.#waitingSinceMs >= this.fold.settings.epochMs;
  }

  #announcement(): Buffer | undefined {
    const { fold } = this;
    const values = toAnnounce(fold.settings, this.#deps.settings);
    if (values === undefined && fold.announcedVersion >= FOLD_VERSION) return undefined;
    return encodeRecord('settings', { foldVersion: FOLD_VERSION, values: values ?? {} });
  }

  /** The next tick may be weighed only when this one has moved log time. */
  async #untilFolded(offset: number): Promise<void> {
    const { signal } = this.#abort;
    while (this.#foldedTo <= offset && !signal.aborted) {
      await this.#deps.clock.sleep(TICK_CHECK_MS / 10, signal).catch(() => undefined);
    }
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#failure = cause;
    this.#abort.abort();
    this.#deps.logger.error({ error: cause, partition: this.partition }, 'a partition stopped');
    this.#deps.onFailure?.(cause);
  }
}
