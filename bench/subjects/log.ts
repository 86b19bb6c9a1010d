/** The log alone: durable appends of beats, by LMDB itself and by the embedded log above it. */
import { join } from 'node:path';
import { open } from 'lmdb';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';
import { readRecordFile } from '../load/record-file.ts';
import { measured } from '../measure.ts';
import type { SubjectMethods } from '../subject-main.ts';

export interface LogInput {
  readonly file: string;
  readonly directory: string;
  /** Appended a repetition; the file's records come again as often as needed. */
  readonly records: number;
}

/** Records in one transaction, and appends under way at once. */
export const LOG_BATCH = 1_000;
const PARTITIONS = 4;
const KEY_BYTES = 12;

/** Transactions of a thousand, each flushed before the next. */
export function rawLmdb({ file, directory, records }: LogInput): SubjectMethods {
  const values = readRecordFile(file).map(({ value }) => value);
  // As the log opens it, so that a commit means the same.
  const database = open<Buffer, Buffer>({
    path: join(directory, 'raw'),
    noSubdir: false,
    overlappingSync: false,
    eventTurnBatching: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  const key = Buffer.alloc(KEY_BYTES);
  let offset = 0;
  const pass = async (): Promise<number> => {
    for (let done = 0; done < records; done += LOG_BATCH) {
      await database.batch(() => {
        for (let nth = done; nth < Math.min(records, done + LOG_BATCH); nth++) {
          key.writeUInt32BE(nth % PARTITIONS, 0);
          key.writeDoubleBE(offset++, 4);
          void database.put(key, valueAt(values, nth));
        }
      });
    }
    return records;
  };
  return { repeat: () => measured(pass), close: () => database.close() };
}

/** Appends with a thousand under way: each that is durable makes room for the next. */
export async function embeddedLog({ file, directory, records }: LogInput): Promise<SubjectMethods> {
  const values = readRecordFile(file).map(({ value }) => value);
  const log = await openEmbeddedLog({
    directory: join(directory, 'embedded'),
    topic: 'bench',
    partitions: PARTITIONS,
  });
  const pass = async (): Promise<number> => {
    let next = 0;
    const run = async (): Promise<void> => {
      for (let nth = next++; nth < records; nth = next++)
        await log.append(nth % PARTITIONS, valueAt(values, nth));
    };
    await Promise.all(Array.from({ length: LOG_BATCH }, run));
    return records;
  };
  return { repeat: () => measured(pass), close: () => log.close() };
}

function valueAt(values: readonly Buffer[], nth: number): Buffer {
  return values[nth % values.length] ?? Buffer.alloc(0);
}
