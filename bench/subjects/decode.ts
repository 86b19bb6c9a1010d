/** Decoding alone: every field that the fold would look at is reached, nothing is concluded. */
import { BeatCursor } from '../../processors/cursor.ts';
import { decodeBody, HEADER_BYTES, recordVersionOf } from '../../schemas/records.ts';
import { readRecordFile } from '../load/record-file.ts';
import { measured } from '../measure.ts';
import type { SubjectMethods } from '../subject-main.ts';

/** avsc makes objects of each record. */
export function decodeObjects(file: string): SubjectMethods {
  const records = readRecordFile(file);
  let sum = 0;
  const pass = (): number => {
    let events = 0;
    for (const { value } of records) {
      const version = recordVersionOf(value);
      if (version?.kind !== 'beat') continue;
      const beat = decodeBody(version as typeof version & { kind: 'beat' }, value);
      for (const { seq, at, parts } of beat.events) sum += seq + at + parts.length;
      events += beat.events.length;
    }
    return events;
  };
  return { repeat: () => measured(pass), sum: () => sum };
}

/** The cursor walks over the bytes of each record. */
export function decodeCursor(file: string): SubjectMethods {
  const records = readRecordFile(file);
  const cursor = new BeatCursor();
  let sum = 0;
  const pass = (): number => {
    let events = 0;
    for (const { value } of records) {
      if (recordVersionOf(value)?.kind !== 'beat' || !cursor.open(value, HEADER_BYTES)) continue;
      while (cursor.next() === 1) {
        sum += cursor.seq + cursor.at + cursor.partCount;
        events++;
      }
    }
    return events;
  };
  return { repeat: () => measured(pass), sum: () => sum };
}
