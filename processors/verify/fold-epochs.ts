/** Folds a partition of the log again, epoch by epoch, up to a commit. */
import type { Log } from '../../platform/log/log.ts';
import type { PartitionFold } from '../partition.ts';
import type { Commit, SealedEpoch } from '../shell/epoch-store.ts';
import { sealEpoch } from '../shell/sink.ts';
import type { Pacing } from './pacing.ts';

/** Records folded between two pauses: some milliseconds of work. */
const RECORDS_PER_TURN = 200;

/** A state of the fold, and where the log goes on from it. */
export interface FoldStart {
  readonly fold: PartitionFold;
  readonly fromOffset: number;
  /** Last epoch that the state has seen; of an empty one the number before the first. */
  readonly epoch: number;
  /** The state is empty: what lies before it is nobody's. */
  readonly isFresh: boolean;
}

/** Counts up to the end of the epoch that was given last. */
export interface FoldProgress {
  recordsRead: number;
  recordsInEpochs: number;
}

export interface FoldEpochsDeps {
  readonly log: Log;
  readonly start: FoldStart;
  readonly commit: Commit;
  readonly progress: FoldProgress;
  readonly pacing: Pacing;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Every epoch after the start up to the commit. Ends early when the log does; whoever asks can tell by the fold's
 * `nextOffset`.
 */
export async function* foldEpochs(deps: FoldEpochsDeps): AsyncGenerator<SealedEpoch> {
  const { log, start, commit, progress, pacing, signal } = deps;
  const { fold, fromOffset } = start;
  let open = 0;
  const end = (): SealedEpoch => {
    const sealed = sealEpoch(fold.endEpoch());
    progress.recordsRead += open;
    progress.recordsInEpochs += sealed.records;
    open = 0;
    return sealed;
  };
  const batchRecordsMax = RECORDS_PER_TURN;
  const options = { fromOffset, batchRecordsMax, follow: false, ...(signal && { signal }) };
  reading: for await (const records of log.read(fold.partition, options)) {
    for (const record of records) {
      if (record.offset >= commit.nextOffset) break reading;
      if (fold.endsBefore(record)) yield end();
      fold.take(record);
      open++;
    }
    await pacing.pause();
  }
  // An aborted log ends as one that has no more.
  signal?.throwIfAborted();
  // The record that ended the last epoch belongs to the next one, and need not be read to know that it did.
  if (open > 0 && fold.nextOffset === commit.nextOffset) yield end();
}
