/**
 * The pure core: folds the records of one partition of the log into rows. It reads no clock, no random number, no
 * outside service: the same records give the same rows, to the bit, whoever folds them, whenever, however often.
 *
 * Log time is the running maximum of append times. An epoch ends before the first record whose log time crosses the
 * next multiple of `epochMs`, or after `epochRecordsMax` records, or when its rows take `epochBytesMax`: facts of the log.
 *
 * Guarantee: whatever a record holds, it is folded or it is a reject, and the next one is folded.
 */
import { firstEpochOf } from '../platform/log/generation.ts';
import {
  decodeBody,
  type Forget,
  HEADER_BYTES,
  type RecordBodies,
  type RecordKind,
  type RecordVersion,
  type Reject,
  recordVersionOf,
  recordVersions,
  type Settings,
} from '../schemas/records.ts';
import { isWhole } from '../schemas/whole-record.ts';
import { BeatFold, type SavedBeatFold } from './beat-fold.ts';
import { FoldCounters, type RejectCode } from './fold-counters.ts';
import { countsOf, type FoldCounts, type FoldGauges, gaugesOf } from './fold-metrics.ts';
import type { FoldRecord } from './fold-record.ts';
import { type EpochCounts, Ledger } from './ledger.ts';
import { soundTime, withAppendTime } from './log-time.ts';
import { EpochRows } from './rows.ts';
import {
  countIgnored,
  defaultFoldSettings,
  FOLD_VERSION,
  type FoldSettings,
  withAnnounced,
} from './settings.ts';
import type { TupleLimits } from './tuples.ts';

const MESSAGES = {
  record_unknown: 'No kept schema has this fingerprint: upgrade the program.',
  record_malformed: 'The record does not match its schema.',
  record_failed: 'The fold failed on this record, which is a defect: report it with these bytes.',
} as const;

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
  readonly counts: EpochCounts;
  /** Viewers whom the epoch asks to forget. */
  readonly forgets: readonly Forget[];
  readonly rows: EpochRows;
}

/** What is saved of a partition besides the lists that its parts hold. */
export interface SavedPartition {
  readonly partition: number;
  readonly epoch: number;
  readonly logTimeMs: number;
  readonly nextOffset: number;
  readonly settings: Readonly<Record<string, number>>;
  readonly announcedVersion: number;
  readonly rejectsSummed: number;
  readonly counters: Readonly<FoldCounters>;
  readonly beats: SavedBeatFold;
}

export class PartitionFold {
  readonly partition: number;
  /** Number of the epoch being folded. */
  epoch: number;
  /** Log time, ms: never goes back. */
  logTimeMs = 0;
  nextOffset = 0;
  #records = 0;
  #settings: FoldSettings;
  #announced: FoldSettings | undefined;
  /** Version of the fold that the log announced last; 0 before any. */
  announcedVersion = 0;
  #forgets: Forget[] = [];
  /** Rejects that have no row of their own. */
  rejectsSummed = 0;
  readonly rows: EpochRows;
  readonly beats: BeatFold;
  readonly #ledger = new Ledger();
  readonly #counters = new FoldCounters();

  constructor(
    partition: number,
    settings: FoldSettings = defaultFoldSettings,
    limits?: TupleLimits,
    firstEpoch = 1,
  ) {
    this.partition = partition;
    this.epoch = firstEpoch;
    this.#settings = settings;
    this.rows = new EpochRows(partition, this.#counters);
    this.beats = new BeatFold(this.rows, settings, this.#ledger, limits);
  }

  /** The empty state of a partition of a topic. */
  static begin(partition: number, topic: string): PartitionFold {
    return new PartitionFold(partition, defaultFoldSettings, undefined, firstEpochOf(topic));
  }

  static load(saved: SavedPartition, limits?: TupleLimits): PartitionFold {
    // A setting that the state does not know has the value that the program gives it.
    const settings = { ...defaultFoldSettings, ...saved.settings };
    const fold = new PartitionFold(saved.partition, settings, limits, saved.epoch);
    fold.logTimeMs = saved.logTimeMs;
    fold.nextOffset = saved.nextOffset;
    fold.announcedVersion = saved.announcedVersion;
    fold.rejectsSummed = saved.rejectsSummed;
    Object.assign(fold.#counters, saved.counters);
    fold.beats.restore(saved.beats);
    return fold;
  }

  save(): SavedPartition {
    const { partition, epoch, logTimeMs, nextOffset, announcedVersion, rejectsSummed } = this;
    return {
      partition,
      epoch,
      logTimeMs,
      nextOffset,
      settings: { ...this.#settings },
      counters: { ...this.#counters },
      announcedVersion,
      rejectsSummed,
      beats: this.beats.save(),
    };
  }

  /** True between epochs, when nothing waits to be written or adopted: only then can the state be saved. */
  get betweenEpochs(): boolean {
    return this.#records === 0 && this.#announced === undefined && this.beats.life.settled;
  }

  /** How often what happened, limits that were passed included. */
  counters(): FoldCounts {
    return countsOf(this.beats, this.rejectsSummed);
  }

  /** How much is held. */
  gauges(): FoldGauges {
    return gaugesOf(this.beats);
  }

  /** What the fold failed on last, if ever: a defect. The partition has gone on. */
  get failure(): unknown {
    return this.beats.failure;
  }

  /** Settings in force, with those that the next epoch brings. */
  get settings(): FoldSettings {
    return this.#announced ?? this.#settings;
  }

  /**
   * Folds one record. `onEpoch` is called first when the record begins a new epoch, with the one that has ended.
   */
  fold(record: FoldRecord, onEpoch: (epoch: Epoch) => void): void {
    if (this.endsBefore(record)) onEpoch(this.endEpoch());
    this.take(record);
  }

  /** True when the epoch must be ended before this record is taken. */
  endsBefore(record: FoldRecord): boolean {
    if (this.#records === 0) return false;
    const { epochMs, epochRecordsMax } = this.#settings;
    if (this.#records >= epochRecordsMax || this.#isLarge) return true;
    // A forget is an epoch of its own: no row that it removes is in the epoch that says so.
    if (this.#forgets.length > 0 || isForget(record)) return true;
    const nowMs = Math.max(this.logTimeMs, soundTime(record.appendTimeMs));
    return Math.floor(nowMs / epochMs) > Math.floor(this.logTimeMs / epochMs);
  }

  /** Folds one record; before which the epoch was ended if it had to be. */
  take(given: FoldRecord): void {
    const record = withAppendTime(given);
    if (record !== given) this.#counters.appendTimesCorrected++;
    this.logTimeMs = Math.max(this.logTimeMs, record.appendTimeMs);
    this.nextOffset = record.offset + 1;
    this.#records++;
    try {
      // First the views go, then what log time makes due: nothing more is concluded of them.
      if (isForget(record)) this.#forget(record);
      this.beats.advance(this.logTimeMs, this.epoch);
      this.#take(record, this.logTimeMs);
    } catch (error) {
      this.beats.failure = error;
      this.rows.dropHalfRows();
      this.#refuse(record, 'record_failed');
    }
  }

  /** The epoch's rows have grown so far that it ends early. */
  get #isLarge(): boolean {
    return this.beats.life.epochBytes >= this.#settings.epochBytesMax;
  }

  /** Ends the epoch: rows of all views that changed, and what the commit row says. */
  endEpoch(): Epoch {
    const { epoch } = this;
    if (this.#isLarge) this.#counters.epochsCut++;
    this.beats.life.writeEpoch(epoch, this.logTimeMs);
    this.rejectsSummed += this.rows.rejectSums(epoch);
    const ended: Epoch = {
      partition: this.partition,
      epoch,
      nextOffset: this.nextOffset,
      records: this.#records,
      logTimeMs: this.logTimeMs,
      openSinceMs: this.beats.life.openSince(this.logTimeMs),
      foldVersion: FOLD_VERSION,
      counts: this.#ledger.take(),
      forgets: this.#forgets,
      rows: this.rows,
    };
    this.#forgets = [];
    this.epoch++;
    this.#records = 0;
    this.#adopt();
    return ended;
  }

  #adopt(): void {
    if (this.#announced === undefined) return;
    this.#settings = this.#announced;
    this.beats.life.setSettings(this.#announced, this.logTimeMs);
    this.#announced = undefined;
  }

  #forget(record: FoldRecord): void {
    const version = recordVersionOf(record.value);
    if (version === undefined || !isKind(version, 'forget')) return;
    const body = this.#bodyOf(version, record);
    if (body === undefined) return;
    this.#forgets.push(body);
    this.beats.life.forgetViewer(body.project, body.viewer);
    const { project, viewer } = body;
    this.rows.forget(project, viewer, this.logTimeMs, record.offset, this.epoch);
  }

  #take(record: FoldRecord, nowMs: number): void {
    const version = recordVersionOf(record.value);
    if (version === undefined) {
      this.#refuse(record, 'record_unknown');
      return;
    }
    if (version.kind === 'beat') {
      this.beats.take(record, HEADER_BYTES, nowMs, this.epoch);
      return;
    }
    if (version.kind === 'tick' || version.kind === 'forget') return;
    this.#takeDecoded(record, version, nowMs);
  }

  /** The record as an object; undefined when its bytes do not match their schema, which is a reject. */
  #bodyOf<Kind extends RecordKind>(
    version: RecordVersion & { kind: Kind },
    record: FoldRecord,
  ): RecordBodies[Kind] | undefined {
    try {
      if (isWhole(version.type, record.value, HEADER_BYTES)) {
        return decodeBody(version, record.value);
      }
    } catch {
      // What is whole can still say what no value is: a long beyond 2^53, an enum's item that is none.
    }
    this.#refuse(record, 'record_malformed');
    return undefined;
  }

  /** Takes a record that is decoded into objects: all but beats. */
  #takeDecoded(record: FoldRecord, version: RecordVersion, nowMs: number): void {
    if (isKind(version, 'reject')) {
      const body = this.#bodyOf(version, record);
      if (body !== undefined) this.#takeReject(body, record);
    } else if (isKind(version, 'settings')) {
      const body = this.#bodyOf(version, record);
      if (body !== undefined) this.#takeSettings(body);
    } else if (isKind(version, 'edge')) {
      const body = this.#bodyOf(version, record);
      if (body !== undefined) this.beats.takeEdge(body, record, nowMs, this.epoch);
    }
  }

  #takeReject(body: Reject, { offset }: FoldRecord): void {
    const row = { ...body, atMs: this.logTimeMs, offset, event: -1, events: 0 };
    this.rows.reject(row, this.epoch, this.#settings);
  }

  #takeSettings({ foldVersion, values }: Settings): void {
    this.announcedVersion = Math.max(this.announcedVersion, foldVersion);
    this.#counters.settingsIgnored += countIgnored(values);
    this.#announced = withAnnounced(this.#announced ?? this.#settings, values);
    // At the head of an epoch nothing was folded under the old settings.
    if (this.#records === 1) this.#adopt();
  }

  #refuse(record: FoldRecord, code: RejectCode & keyof typeof MESSAGES): void {
    this.#ledger.recordsRejected++;
    this.rows.refuse(
      {
        project: '',
        atMs: this.logTimeMs,
        offset: record.offset,
        event: -1,
        view: '',
        route: 'fold',
        code,
        message: MESSAGES[code],
        bytes: record.value,
        events: 0,
      },
      this.epoch,
      this.#settings,
    );
  }
}

const FORGET_HEADERS = recordVersions
  .filter(({ kind }) => kind === 'forget')
  .map(({ header }) => header);

/** Asked of every record, so told by its first bytes alone. */
function isForget({ value }: FoldRecord): boolean {
  return FORGET_HEADERS.some(
    (header) => value[2] === header[2] && value.subarray(0, HEADER_BYTES).equals(header),
  );
}

function isKind<Kind extends RecordVersion['kind']>(
  version: RecordVersion,
  kind: Kind,
): version is RecordVersion & { kind: Kind } {
  return version.kind === kind;
}
