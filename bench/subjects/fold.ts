/** Folding alone: from record bytes in memory to the bytes of every row, a fresh partition each time. */
import { PartitionFold } from '../../processors/partition.ts';
import { sealEpoch } from '../../processors/shell/sink.ts';
import { readRecordFile } from '../load/record-file.ts';
import { measured } from '../measure.ts';
import { NaiveFold } from '../naive-fold.ts';
import type { SubjectMethods } from '../subject-main.ts';

export function foldNaive(file: string): SubjectMethods {
  const records = readRecordFile(file);
  const facts = { events: 0, rows: 0, rowBytes: 0 };
  const pass = (): number => {
    const fold = new NaiveFold();
    let rowBytes = 0;
    for (const record of records) rowBytes += fold.fold(record)?.length ?? 0;
    rowBytes += fold.endEpoch().length;
    Object.assign(facts, { events: fold.events, rows: fold.rows, rowBytes });
    return fold.events;
  };
  return { repeat: () => measured(pass), facts: () => facts };
}

export function foldPartition(file: string): SubjectMethods {
  const records = readRecordFile(file);
  let facts: Record<string, number> = {};
  const pass = (): number => {
    const fold = new PartitionFold(0);
    const tables: Record<string, number> = {};
    let rowBytes = 0;
    const seal = (epoch: Parameters<typeof sealEpoch>[0]): void => {
      for (const { table, rows, bytes } of sealEpoch(epoch).tables) {
        tables[table.name] = (tables[table.name] ?? 0) + rows;
        rowBytes += bytes.length;
      }
    };
    for (const record of records) fold.fold(record, seal);
    seal(fold.endEpoch());
    const { eventsTaken, eventsRefused } = fold.beats.counters;
    facts = { events: eventsTaken, eventsRefused, rowBytes, ...rowFacts(tables) };
    return eventsTaken;
  };
  return { repeat: () => measured(pass), facts: () => facts };
}

function rowFacts(tables: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [`${name}_rows`, rows]));
}
