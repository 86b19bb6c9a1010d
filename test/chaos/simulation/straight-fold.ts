/** Folds a log from a place to its end, in one go, without store, crash or network: what everything is compared with. */
import { PartitionFold } from '../../../processors/partition.ts';
import type { SealedEpoch } from '../../../processors/shell/epoch-store.ts';
import { sealEpoch } from '../../../processors/shell/sink.ts';
import type { StoredRecord } from './log-model.ts';

/** Every epoch that the records end, from those that the fold has not seen. */
export function foldStraight(fold: PartitionFold, records: readonly StoredRecord[]): SealedEpoch[] {
  const epochs: SealedEpoch[] = [];
  const from = fold.nextOffset;
  for (const record of records) {
    if (record.offset < from) continue;
    if (fold.endsBefore(record)) epochs.push(sealEpoch(fold.endEpoch()));
    fold.take(record);
  }
  return epochs;
}

export function foldFromStart(partition: number, records: readonly StoredRecord[]): SealedEpoch[] {
  return foldStraight(new PartitionFold(partition), records);
}
