/** Encoded records in a file, so that every measured process folds the same bytes without making them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createNativeFormat } from '../../ingest/formats/native.ts';
import { ingestLimits } from '../../platform/config/config.ts';
import type { FoldRecord } from '../../processors/fold-record.ts';
import { clientDimensions } from '../../schemas/catalogue/dimensions.ts';
import { encodeRecord } from '../../schemas/records.ts';
import type { SimulatedBeat } from './simulated-beats.ts';

const TIME_BYTES = 8;
const LENGTH_BYTES = 4;
/** From the client's clock to the log's, ms. */
const DELAY_MS = 40;

const decode = createNativeFormat({ limits: ingestLimits(), dimensions: clientDimensions });

/** A beat as ingest writes it into the log. */
export function toRecord({ json }: SimulatedBeat): Buffer {
  const [beat] = decode(Buffer.from(json)).beats;
  if (beat === undefined) throw new Error(`ingest does not take ${json.slice(0, 200)}`);
  const { view, source, sentAt, context, events } = beat;
  const body = { project: 'default', view, source, sentAt, context, events, trustedClock: false };
  return encodeRecord('beat', body);
}

/** Writes beats as records, each appended shortly after it was sent. */
export function writeRecordFile(file: string, beats: readonly SimulatedBeat[]): void {
  const pieces = beats.flatMap((beat) => {
    const value = toRecord(beat);
    const head = Buffer.alloc(TIME_BYTES + LENGTH_BYTES);
    head.writeDoubleBE(beat.sentAtMs + DELAY_MS, 0);
    head.writeUInt32BE(value.length, TIME_BYTES);
    return [head, value];
  });
  writeFileSync(file, Buffer.concat(pieces));
}

export function readRecordFile(file: string): FoldRecord[] {
  const bytes = readFileSync(file);
  const records: FoldRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + TIME_BYTES + LENGTH_BYTES;
    const end = start + bytes.readUInt32BE(at + TIME_BYTES);
    const value = bytes.subarray(start, end);
    records.push({ offset: records.length, appendTimeMs: bytes.readDoubleBE(at), value });
    at = end;
  }
  return records;
}
