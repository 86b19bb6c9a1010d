/**
 * The pure core: folds the records of one partition of the log into rows. It reads no clock, no random number, no
 * outside service: the same records give the same rows, to the bit, whoever folds them, whenever, however often.
 *
 * Log time is the running maximum of append times. An epoch ends before the first record whose log time crosses the
 * next multiple of `epochMs`, or after `epochRecordsMax` records: both are facts of the log.
 */
import {
  decodeBody,
  HEADER_BYTES,
  type RecordVersion,
  recordVersionOf,
} from '../schemas/records.ts';
import { BeatFold } from './beat-fold.ts';
import type { FoldRecord } from './fold-record.ts';
import { EpochRows } from './rows.ts';
import { defaultFoldSettings, FOLD_VERSION, type FoldSettings, withAnnounced } from './settings.ts';

/** One epoch's conclusions. The bytes are valid until the next call of the fold. */
export interface Epoch {
  readonly partition: number;
  readonly epoch: number;
  /** First offset of the next epoch. */
  readonly nextOffset: number;
  readonly records: number;
  /** Log time at its end, ms. */
  readonly logTimeMs: number;
  /** Last event of the open view that was silent longest, ms; log time without one. */
  readonly openSinceMs: number;
  readonly foldVersion: number;
  readonly rows: EpochRows;
}

export class PartitionFold {
  readonly partition: number;
  /** Number of the epoch being folded; the first is 1. */
  epoch = 1;
  /** Log time, ms: never goes back. */
  logTimeMs = 0;
  nextOffset = 0;
  #records = 0;
  #settings: FoldSettings;
  #announced: FoldSettings | undefined;
  readonly rows: EpochRows;
  readonly beats: BeatFold;

  constructor(partition: number, settings: FoldSettings = defaultFoldSettings) {
    this.partition = partition;
    this.#settings = settings;
    this.rows = new EpochRows(partition);
    this.beats = new BeatFold(this.rows, settings);
  }

  /** Settings in force, with those that the next epoch brings. */
  get settings(): FoldSettings {
    return this.#announced ?? this.#settings;
  }

  /**
   * Folds one record. `onEpoch` is called first when the record begins a new epoch, with the one that has ended.
   */
  fold(record: FoldRecord, onEpoch: (epoch: Epoch) => void): void {
    const nowMs = Math.max(this.logTimeMs, record.appendTimeMs);
    if (this.#records > 0 && this.#endsBefore(nowMs)) onEpoch(this.endEpoch());
    this.logTimeMs = nowMs;
    this.nextOffset = record.offset + 1;
    this.#records++;
    this.beats.advance(nowMs, this.epoch);
    this.#take(record, nowMs);
  }

  /** Ends the epoch: rows of all views that changed, and what the commit row says. */
  endEpoch(): Epoch {
    const { epoch } = this;
    this.beats.life.writeEpoch(epoch, this.logTimeMs);
    const ended: Epoch = {
      partition: this.partition,
      epoch,
      nextOffset: this.nextOffset,
      records: this.#records,
      logTimeMs: this.logTimeMs,
      openSinceMs: this.beats.life.openSince(this.logTimeMs),
      foldVersion: FOLD_VERSION,
      rows: this.rows,
    };
    this.epoch++;
    this.#records = 0;
    this.#adopt();
    return ended;
  }

  #adopt(): void {
    if (this.#announced === undefined) return;
    this.#settings = this.#announced;
    this.beats.life.setSettings(this.#announced);
    this.#announced = undefined;
  }

  #endsBefore(nowMs: number): boolean {
    const { epochMs, epochRecordsMax } = this.#settings;
    if (this.#records >= epochRecordsMax) return true;
    return Math.floor(nowMs / epochMs) > Math.floor(this.logTimeMs / epochMs);
  }

  #take(record: FoldRecord, nowMs: number): void {
    const version = recordVersionOf(record.value);
    if (version === undefined) {
      this.#refuse(
        record,
        'record_unknown',
        'No kept schema has this fingerprint: upgrade the program.',
      );
      return;
    }
    if (version.kind === 'beat') {
      this.beats.take(record, HEADER_BYTES, nowMs, this.epoch);
      return;
    }
    if (version.kind === 'tick') return;
    try {
      this.#takeDecoded(record, version, nowMs);
    } catch {
      this.#refuse(record, 'record_malformed', 'The record does not match its schema.');
    }
  }

  /** Takes a record that is decoded into objects: all but beats. */
  #takeDecoded(record: FoldRecord, version: RecordVersion, nowMs: number): void {
    if (isKind(version, 'reject')) {
      const { bytes, ...body } = decodeBody(version, record.value);
      this.rows.reject(
        { ...body, bytes, atMs: this.logTimeMs, offset: record.offset, event: -1 },
        this.epoch,
      );
    } else if (isKind(version, 'settings')) {
      const { values } = decodeBody(version, record.value);
      this.#announced = withAnnounced(this.#announced ?? this.#settings, values);
      // At the head of an epoch nothing was folded under the old settings.
      if (this.#records === 1) this.#adopt();
    } else if (isKind(version, 'edge')) {
      this.beats.takeEdge(decodeBody(version, record.value), record, nowMs, this.epoch);
    } else {
      this.#refuse(
        record,
        'record_not_handled',
        `This program does not fold ${version.kind} records.`,
      );
    }
  }

  #refuse(record: FoldRecord, code: string, message: string): void {
    this.rows.reject(
      {
        project: '',
        atMs: this.logTimeMs,
        offset: record.offset,
        event: -1,
        view: '',
        route: 'fold',
        code,
        message,
        bytes: record.value,
      },
      this.epoch,
    );
  }
}

function isKind<Kind extends RecordVersion['kind']>(
  version: RecordVersion,
  kind: Kind,
): version is RecordVersion & { kind: Kind } {
  return version.kind === kind;
}
