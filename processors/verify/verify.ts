/**
 * Verify: what the log says, folded again by the pure core, against what the store holds, row by row.
 *
 * Guarantees: memory is bounded by a batch of rows, however long the log; only commits that stood when it began are
 * looked at, so it may run beside a live server; a difference is found whatever the order of rows, and every one is
 * counted. Rows that need not be there are excused for a stated reason, and counted too: replaced by a newer one of the
 * same view, out of time, beyond a table's budget, or of a forgotten viewer. Nothing is written.
 */
import type { Log } from '../../platform/log/log.ts';
import type { Commit } from '../shell/epoch-store.ts';
import type { ComparisonDeps, RowCounts } from './comparison.ts';
import { declaredExpiry, type ExpiresAtMs } from './expiry.ts';
import { FINDING_KINDS, Findings, type VerifyFinding } from './findings.ts';
import type { FoldStart } from './fold-epochs.ts';
import { ForgottenViews, forgetsInLog } from './forgotten.ts';
import { Pacing } from './pacing.ts';
import { PartitionVerify } from './partition-verify.ts';
import type { NotComparable, PartitionSummary, VerifySummary } from './summary.ts';
import { SupersededViews } from './superseded.ts';
import type { TableSource } from './table-source.ts';

export interface VerifyDeps {
  readonly log: Log;
  readonly tables: TableSource;
  /** The nearest kept state at or before a log time, or an empty one at the log's beginning. */
  readonly startFold: (partition: number, fromMs?: number) => Promise<FoldStart>;
  readonly lastCommit: (partition: number) => Promise<Commit | undefined>;
  /** Wall clock, ms: only decides whether a row's time is up. */
  readonly now: () => number;
  /** Gives the event loop to others. */
  readonly pause: () => Promise<void>;
  /** When the engine may remove a row; as the tables are declared unless said otherwise. */
  readonly expiresAtMs?: ExpiresAtMs;
}

export interface VerifyOptions {
  /** Log time, ms, both included: epochs that end outside are not compared. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** All of the log's unless said. */
  readonly partitions?: readonly number[] | undefined;
  /** A comparison begins when so many rows are folded, or so many bytes of them; an epoch is never cut. */
  readonly rowsPerBatchMax?: number | undefined;
  readonly bytesPerBatchMax?: number | undefined;
  /** Findings given out one by one; all are counted. */
  readonly findingsMax?: number | undefined;
  /** Ends verify with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const ROWS_PER_BATCH_MAX = 200_000;
const BYTES_PER_BATCH_MAX = 64 * 1024 * 1024;
const FINDINGS_MAX = 1_000;

/** Yields findings as they are found; returns what it came to. */
export async function* verify(
  deps: VerifyDeps,
  options: VerifyOptions = {},
): AsyncGenerator<VerifyFinding, VerifySummary> {
  const run = new VerifyRun(deps, options);
  const partitions = options.partitions ?? Array.from({ length: deps.log.partitions }, (_, i) => i);
  const commits = new Map<number, Commit | undefined>();
  for (const partition of partitions) commits.set(partition, await deps.lastCommit(partition));
  for (const [partition, commit] of commits) yield* run.partition(partition, commit);
  return run.summary;
}

/** One run: what is counted over all partitions. */
class VerifyRun {
  readonly #deps: VerifyDeps;
  readonly #options: VerifyOptions;
  readonly #findings: Findings;
  readonly #pacing: Pacing;
  readonly #counts: RowCounts = { rows: {}, expired: 0, evicted: 0, forgotten: 0 };
  readonly #partitions: PartitionSummary[] = [];
  readonly #notComparable: NotComparable[] = [];
  readonly #findingsMax: number;
  #superseded = 0;
  #forgottenMeanwhile = 0;

  constructor(deps: VerifyDeps, options: VerifyOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#findingsMax = options.findingsMax ?? FINDINGS_MAX;
    this.#findings = new Findings(this.#findingsMax);
    this.#pacing = new Pacing(deps.pause, options.signal);
  }

  get summary(): VerifySummary {
    const findings = this.#findings.counts;
    const findingsTotal = sum(FINDING_KINDS.map((kind) => findings[kind]));
    return {
      partitions: this.#partitions,
      epochs: sum(this.#partitions.map(({ epochs }) => epochs)),
      ...this.#counts,
      recordsRead: sum(this.#partitions.map(({ recordsRead }) => recordsRead)),
      superseded: this.#superseded,
      forgottenMeanwhile: this.#forgottenMeanwhile,
      notComparable: this.#notComparable,
      findings,
      findingsTotal,
      findingsShown: Math.min(findingsTotal, this.#findingsMax),
    };
  }

  async *partition(partition: number, commit: Commit | undefined): AsyncGenerator<VerifyFinding> {
    const { log, startFold } = this.#deps;
    const { fromMs, signal } = this.#options;
    signal?.throwIfAborted();
    if (commit === undefined) {
      this.#partitions.push(withoutEpochs(partition));
      return;
    }
    const start = await (fromMs === undefined
      ? startFold(partition)
      : startFold(partition, fromMs));
    const latest = await log.latest(partition);
    const forgotten = await this.#forgotten(start, commit, latest);
    const superseded = new SupersededViews();
    const verifying = this.#createVerify(start, commit, { forgotten, superseded });
    yield* verifying.run();
    this.#partitions.push(verifying.summary);
    this.#notComparable.push(...verifying.notComparable);
    this.#superseded += superseded.excused;
    this.#forgottenMeanwhile += (await forgetsInLog(log, partition, latest, this.#pacing)).length;
  }

  /** Requests that are committed, and those that are not: their rows go before the commit. */
  async #forgotten(start: FoldStart, commit: Commit, latest: number): Promise<ForgottenViews> {
    const { log, tables } = this.#deps;
    const { partition } = start.fold;
    const tail = Math.min(commit.nextOffset, latest);
    const forgotten = new ForgottenViews([
      ...(await forgetsInLog(log, partition, tail, this.#pacing)),
      ...(await tables.forgets(partition, start.epoch)),
    ]);
    await forgotten.readLog(log, partition, start.fromOffset, this.#pacing);
    return forgotten;
  }

  #createVerify(
    start: FoldStart,
    commit: Commit,
    held: Pick<ComparisonDeps, 'forgotten' | 'superseded'>,
  ): PartitionVerify {
    const { log, tables, now, expiresAtMs = declaredExpiry } = this.#deps;
    const { fromMs, toMs, signal, rowsPerBatchMax, bytesPerBatchMax } = this.#options;
    const pacing = this.#pacing;
    const counted = { findings: this.#findings, counts: this.#counts };
    const progress = { recordsRead: 0, recordsInEpochs: 0 };
    return new PartitionVerify({
      comparison: { source: tables, ...held, ...counted, expiresAtMs, now, pacing },
      folding: { log, start, commit, progress, pacing, signal },
      commit,
      fromMs: fromMs ?? Number.NEGATIVE_INFINITY,
      toMs: toMs ?? Number.POSITIVE_INFINITY,
      limits: {
        rowsMax: rowsPerBatchMax ?? ROWS_PER_BATCH_MAX,
        bytesMax: bytesPerBatchMax ?? BYTES_PER_BATCH_MAX,
      },
    });
  }
}

function withoutEpochs(partition: number): PartitionSummary {
  const nothing = { epochs: 0, fromEpoch: 0, toEpoch: 0, fromLogTimeMs: 0, toLogTimeMs: 0 };
  return { partition, ...nothing, recordsRead: 0 };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
