/** Commit rows: each epoch has exactly one, and it says what the epoch came to. */
import { RowReader, type RowValue } from '../../platform/store/row-reader.ts';
import { epochs } from '../../schemas/tables/tables.ts';
import type { SealedEpoch } from '../shell/epoch-store.ts';
import type { ColumnDifference, Findings } from './findings.ts';
import { shownValue } from './shown-values.ts';
import type { EpochRange, TableSource } from './table-source.ts';

const reader = new RowReader(epochs.columns);
const EPOCH = reader.indexOf('_epoch');
const columnIndexes = new Map(epochs.columns.map(({ name }, index) => [name, index]));

type CommitRow = readonly RowValue[];

/** What the commit row of an epoch must say, by column; what is left out may be anything. */
export function commitFields(epoch: SealedEpoch): Readonly<Record<string, number>> {
  const { counts } = epoch;
  const rowCounts = epoch.tables.map(({ table, rows }) => [`${table.name}_rows`, rows]);
  return {
    next_offset: epoch.nextOffset,
    records: epoch.records,
    log_time: epoch.logTimeMs,
    open_since: epoch.openSinceMs,
    ...Object.fromEntries(rowCounts),
    records_rejected: counts.recordsRejected,
    events: counts.events,
    events_duplicate: counts.eventsDuplicate,
    events_rejected: counts.eventsRejected,
    fold_version: epoch.foldVersion,
  };
}

/** Epochs that another version of the fold has concluded. */
export interface OtherVersion {
  readonly epoch: number;
  readonly foldVersion: number;
}

/**
 * Compares the commits of a range with the epochs that were folded in it. Returns the epochs that cannot be compared;
 * nothing of them is a finding.
 */
export async function compareCommits(
  source: TableSource,
  range: EpochRange,
  expected: readonly SealedEpoch[],
  findings: Findings,
): Promise<OtherVersion[]> {
  const found = await readCommits(source, range);
  const others: OtherVersion[] = [];
  for (const epoch of expected) {
    const rows = found.get(epoch.epoch) ?? [];
    found.delete(epoch.epoch);
    const foldVersion = otherVersion(epoch, rows);
    if (foldVersion === undefined) compareEpoch(epoch, rows, findings);
    else others.push({ epoch: epoch.epoch, foldVersion });
  }
  const { partition } = range;
  for (const [epoch, rows] of found) {
    for (const row of rows) findings.add('unexpected', () => described(partition, epoch, row));
  }
  return others;
}

async function readCommits(
  source: TableSource,
  range: EpochRange,
): Promise<Map<number, CommitRow[]>> {
  const commits = new Map<number, CommitRow[]>();
  for await (const bytes of source.rows(epochs, range)) {
    for (let start = 0; start < bytes.length; ) {
      const cells = reader.cellsOf(bytes, start);
      const row = epochs.columns.map((_, index) =>
        reader.valueAt(bytes, cells[index] as number, index),
      );
      const epoch = Number(row[EPOCH]);
      const known = commits.get(epoch);
      if (known === undefined) commits.set(epoch, [row]);
      else known.push(row);
      start = cells.at(-1) as number;
    }
  }
  return commits;
}

/** The version of the fold that concluded an epoch, when it is none of its commits' expected one. */
function otherVersion(epoch: SealedEpoch, rows: readonly CommitRow[]): number | undefined {
  const column = columnIndexes.get('fold_version') ?? -1;
  const versions = rows.map((row) => Number(row[column]));
  return versions.includes(epoch.foldVersion) ? undefined : versions[0];
}

function compareEpoch(epoch: SealedEpoch, rows: readonly CommitRow[], findings: Findings): void {
  const { partition, epoch: number } = epoch;
  if (rows.length === 0) {
    findings.add('commit_missing', () => described(partition, number));
  }
  if (rows.length > 1) {
    findings.add('commit_doubled', () => ({
      ...described(partition, number),
      columns: [{ name: 'rows', expected: 1, found: rows.length }],
    }));
  }
  for (const row of rows) {
    const columns = commitDifferences(epoch, row);
    if (columns.length === 0) continue;
    findings.add('commit_different', () => ({ ...described(partition, number), columns }));
  }
}

function commitDifferences(epoch: SealedEpoch, row: CommitRow): ColumnDifference[] {
  const differences: ColumnDifference[] = [];
  for (const [name, expected] of Object.entries(commitFields(epoch))) {
    const index = columnIndexes.get(name) ?? -1;
    const found = row[index] ?? null;
    if (found === expected) continue;
    const type = epochs.columns[index]?.type ?? 'UInt64';
    differences.push({
      name,
      expected: shownValue(type, expected),
      found: shownValue(type, found),
    });
  }
  return differences;
}

function described(partition: number, epoch: number, row?: CommitRow) {
  const offset = row?.[columnIndexes.get('next_offset') ?? -1];
  const key = offset === undefined ? 'commit' : `commit next_offset=${offset}`;
  return { table: epochs.name, partition, epoch, key };
}
