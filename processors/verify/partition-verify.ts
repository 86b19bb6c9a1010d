/** Verifies one partition: folds it again and compares batch by batch, so that memory is bounded by a batch. */
import { epochTables } from '../../schemas/tables/tables.ts';
import type { Commit, SealedEpoch } from '../shell/epoch-store.ts';
import type { Audit } from '../view-life.ts';
import { type AuditNumbers, brokenEquations } from './audit.ts';
import { compareCommits, type OtherVersion } from './commits.ts';
import { type ComparisonDeps, TableComparison } from './comparison.ts';
import { type BatchLimits, EpochBatch } from './epoch-batch.ts';
import type { VerifyFinding } from './findings.ts';
import { type FoldEpochsDeps, foldEpochs } from './fold-epochs.ts';
import { nameText } from './shown-values.ts';
import type { NotComparable, PartitionSummary } from './summary.ts';
import type { EpochRange } from './table-source.ts';

export interface PartitionVerifyDeps {
  readonly comparison: ComparisonDeps;
  readonly folding: FoldEpochsDeps;
  readonly commit: Commit;
  /** Log time, ms: epochs that end before or after are not compared. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly limits: BatchLimits;
}

export class PartitionVerify {
  readonly notComparable: NotComparable[] = [];
  readonly #deps: PartitionVerifyDeps;
  readonly #partition: number;
  readonly #batch: EpochBatch;
  /** First epoch that was not compared yet. */
  #nextEpoch: number;
  #epochs = 0;
  /** What the state said at the start, and what came since. */
  readonly #books: {
    readonly before: Audit;
    accepted: number;
    duplicate: number;
    rejected: number;
  };
  #first: SealedEpoch | undefined;
  #last: SealedEpoch | undefined;

  constructor(deps: PartitionVerifyDeps) {
    const { start } = deps.folding;
    this.#deps = deps;
    this.#partition = start.fold.partition;
    this.#batch = new EpochBatch(deps.limits);
    const before = start.fold.beats.life.audit();
    this.#books = { before, accepted: 0, duplicate: 0, rejected: 0 };
    // Rows of an epoch before the first would be nobody's.
    this.#nextEpoch = start.isFresh ? start.epoch : start.epoch + 1;
  }

  get summary(): PartitionSummary {
    return {
      partition: this.#partition,
      epochs: this.#epochs,
      fromEpoch: this.#first?.epoch ?? 0,
      toEpoch: this.#last?.epoch ?? 0,
      fromLogTimeMs: this.#first?.logTimeMs ?? 0,
      toLogTimeMs: this.#last?.logTimeMs ?? 0,
      recordsRead: this.#deps.folding.progress.recordsRead,
    };
  }

  async *run(): AsyncGenerator<VerifyFinding> {
    const { comparison, folding, commit, fromMs, toMs } = this.#deps;
    let cut = false;
    for await (const epoch of foldEpochs(folding)) {
      this.#books.accepted += epoch.counts.events;
      this.#books.duplicate += epoch.counts.eventsDuplicate;
      this.#books.rejected += epoch.counts.eventsRejected;
      cut = epoch.logTimeMs > toMs;
      if (cut) break;
      if (epoch.logTimeMs < fromMs) {
        this.#nextEpoch = epoch.epoch + 1;
        continue;
      }
      this.#batch.add(epoch);
      if (!this.#batch.isFull) continue;
      await this.#compareBatch(epoch.epoch);
      yield* comparison.findings.take();
    }
    const whole = folding.start.fold.nextOffset >= commit.nextOffset;
    if (!cut && !whole) this.#tellShortLog();
    // What the store has beyond the last epoch that the log gives, up to its own last commit, is strange.
    await this.#compareBatch(cut || !whole ? (this.#batch.lastEpoch ?? -1) : commit.epoch);
    await this.#settleViews();
    // Of a log that ends within an epoch, the state has seen more than the epochs tell.
    if (cut || whole) this.#audit();
    yield* comparison.findings.take();
  }

  async #compareBatch(upToEpoch: number): Promise<void> {
    const epochs = this.#batch.take();
    const toEpoch = Math.max(upToEpoch, epochs.at(-1)?.epoch ?? -1);
    if (toEpoch < this.#nextEpoch) return;
    const range = { partition: this.#partition, fromEpoch: this.#nextEpoch, toEpoch };
    this.#nextEpoch = toEpoch + 1;
    await this.#compare(range, epochs);
  }

  async #compare(range: EpochRange, epochs: readonly SealedEpoch[]): Promise<void> {
    const { comparison } = this.#deps;
    const others = await compareCommits(comparison.source, range, epochs, comparison.findings);
    this.#note(others);
    const left = new Set(others.map(({ epoch }) => epoch));
    this.#count(epochs, left.size);
    if (epochs.length > 0 && left.size === epochs.length) return;
    const compared = { range, epochs, isComparable: (epoch: number) => !left.has(epoch) };
    for (const table of epochTables) await new TableComparison(comparison, compared, table).run();
  }

  #count(epochs: readonly SealedEpoch[], left: number): void {
    this.#epochs += epochs.length - left;
    this.#first ??= epochs[0];
    this.#last = epochs.at(-1) ?? this.#last;
  }

  /** Neighbouring epochs of one version are one range. */
  #note(others: readonly OtherVersion[]): void {
    for (const { epoch, foldVersion } of others) {
      const last = this.notComparable.at(-1);
      if (last?.foldVersion === foldVersion && last.toEpoch === epoch - 1) {
        this.notComparable[this.notComparable.length - 1] = { ...last, toEpoch: epoch };
      } else {
        const partition = this.#partition;
        this.notComparable.push({ partition, fromEpoch: epoch, toEpoch: epoch, foldVersion });
      }
    }
  }

  async #settleViews(): Promise<void> {
    const { source, superseded, findings, pacing } = this.#deps.comparison;
    const partition = this.#partition;
    for await (const { project, viewId, epoch } of superseded.settle(source, partition, pacing)) {
      const [name, id] = [project, viewId].map((text) => nameText(Buffer.from(text)));
      const key = `project=${name} view_id=${id}`;
      findings.add('missing', () => ({ table: 'views', partition, epoch, key }));
    }
  }

  #tellShortLog(): void {
    const { comparison, folding, commit } = this.#deps;
    const found = folding.start.fold.nextOffset;
    comparison.findings.add('audit', () => ({
      table: 'epochs',
      partition: this.#partition,
      epoch: commit.epoch,
      key: 'the log ends before the last commit',
      columns: [{ name: 'next_offset', expected: commit.nextOffset, found }],
    }));
  }

  #audit(): void {
    const { progress, start } = this.#deps.folding;
    const { before, accepted, duplicate, rejected } = this.#books;
    const now = start.fold.beats.life.audit();
    const numbers: AuditNumbers = {
      ...progress,
      events: {
        accepted,
        duplicate,
        rejected,
        inViews: now.eventsInViews - before.eventsInViews,
      },
      playing: { intervalsMs: now.intervalsPlayingMs, viewsMs: now.viewsPlayingMs },
    };
    for (const { name, expected, found } of brokenEquations(numbers)) {
      this.#deps.comparison.findings.add('audit', () => ({
        table: 'epochs',
        partition: this.#partition,
        epoch: this.#last?.epoch ?? 0,
        key: name,
        columns: [{ name, expected, found }],
      }));
    }
  }
}
