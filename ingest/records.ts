/**
 * From what a format read to the records that go into the log, each with its partition. Pure.
 *
 * Guarantee: every beat and every reject is in exactly one record, or in the count of `rejects_capped`; no record is
 * larger than `recordBytesMax`. Records of one view go to one partition, in the order of the body.
 */
import { partitionOf } from '../platform/partition.ts';
import type { KeyGrant } from '../platform/projects.ts';
import { type Beat, type BeatEvent, REFUSED_EVENT } from '../schemas/beat.ts';
import { encodeRecord } from '../schemas/records.ts';
import type { FormatBeat, FormatReject, FormatResult } from './formats/format.ts';
import { VIEW_LENGTH_MAX } from './formats/native.ts';

export interface RecordLimits {
  readonly recordBytesMax: number;
  readonly rejectBytesMax: number;
  readonly rejectRecordsMax: number;
}

/** Where the records come from and go to. */
export interface Origin {
  readonly grant: KeyGrant;
  readonly route: string;
  readonly partitions: number;
}

export interface PlannedRecord {
  readonly partition: number;
  readonly value: Buffer;
}

export interface Plan {
  readonly beats: readonly PlannedRecord[];
  readonly rejectRecords: readonly PlannedRecord[];
  /** All that was not taken, those of the format first. */
  readonly rejects: readonly FormatReject[];
  readonly acceptedEvents: number;
  readonly splitBeats: number;
}

/** Plans the records of one body. */
export function planRecords(result: FormatResult, origin: Origin, limits: RecordLimits): Plan {
  const rejects = [...result.rejects];
  const beats: PlannedRecord[] = [];
  let acceptedEvents = 0;
  let splitBeats = 0;
  for (const beat of result.beats) {
    const pieces = encodeBeat(toBeat(beat, origin.grant), limits.recordBytesMax);
    if (pieces.values.length > 1) splitBeats++;
    acceptedEvents += countTaken(beat.events) - pieces.tooLarge.length;
    for (const bytes of pieces.tooLarge) rejects.push(tooLarge(beat, bytes, limits));
    const partition = partitionOf(origin.grant.project.id, beat.view, origin.partitions);
    for (const value of pieces.values) beats.push({ partition, value });
  }
  const rejectRecords = planRejects(rejects, origin, limits);
  return { beats, rejectRecords, rejects, acceptedEvents, splitBeats };
}

function toBeat(beat: FormatBeat, { project, trustClock }: KeyGrant): Beat {
  const { view, source, sentAt, context, events } = beat;
  return { project: project.id, view, source, trustedClock: trustClock, sentAt, context, events };
}

interface EncodedBeat {
  readonly values: readonly Buffer[];
  /** Events that do not fit into a record even alone, encoded. */
  readonly tooLarge: readonly Buffer[];
}

/**
 * One record, or the halves of the beat until each fits. Only the first half says the context: repeated after the
 * events of the first, it would undo the changes that those made.
 */
function encodeBeat(beat: Beat, bytesMax: number): EncodedBeat {
  const value = encodeRecord('beat', beat);
  if (value.length <= bytesMax) return { values: [value], tooLarge: [] };
  if (beat.events.length <= 1) return { values: [], tooLarge: [value] };
  const middle = Math.ceil(beat.events.length / 2);
  const first = encodeBeat({ ...beat, events: beat.events.slice(0, middle) }, bytesMax);
  const context = first.values.length === 0 ? beat.context : [];
  const second = encodeBeat({ ...beat, context, events: beat.events.slice(middle) }, bytesMax);
  return {
    values: [...first.values, ...second.values],
    tooLarge: [...first.tooLarge, ...second.tooLarge],
  };
}

function tooLarge(beat: FormatBeat, bytes: Buffer, limits: RecordLimits): FormatReject {
  const message = `an event of the beat has ${bytes.length} bytes with its context; at most ${limits.recordBytesMax} are taken`;
  return { code: 'event_too_large', message, bytes, view: beat.view, beat: beat.position ?? 0 };
}

const MESSAGE_LENGTH_MAX = 1_024;

/** A record for each reject, and one that sums up those beyond `rejectRecordsMax`. */
function planRejects(
  rejects: readonly FormatReject[],
  origin: Origin,
  limits: RecordLimits,
): PlannedRecord[] {
  const planned = rejects
    .slice(0, limits.rejectRecordsMax)
    .map((reject) => planReject(reject, origin, limits));
  const rest = rejects.slice(limits.rejectRecordsMax);
  const [first] = rest;
  if (first === undefined) return planned;
  const counts = new Map<string, number>();
  for (const { code } of rest) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...planned, planReject(cappedReject(first, counts), origin, limits)];
}

/** The reject that sums up those that have no record of their own; `first` is the first of them. */
export function cappedReject(
  first: FormatReject,
  counts: ReadonlyMap<string, number>,
): FormatReject {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const list = [...counts].map(([code, count]) => `${code} ${count}`).join(', ');
  const message = `${total} more rejects of one body: ${list}`;
  return { ...first, code: 'rejects_capped', message };
}

/** The record of a reject, in the partition of its view. */
export function planReject(
  reject: FormatReject,
  origin: Origin,
  limits: RecordLimits,
): PlannedRecord {
  const project = origin.grant.project.id;
  // The log keeps no view id that no beat could have: it would only be noise in the processors' state.
  const view = reject.view.length > VIEW_LENGTH_MAX ? '' : reject.view;
  const value = encodeRecord('reject', {
    project,
    view,
    route: origin.route,
    code: reject.code,
    message: reject.message.slice(0, MESSAGE_LENGTH_MAX),
    bytes: reject.bytes.subarray(0, limits.rejectBytesMax),
  });
  return { partition: partitionOf(project, view, origin.partitions), value };
}

/** Events that were taken: those refused only keep their place. */
function countTaken(events: readonly BeatEvent[]): number {
  return events.reduce((count, { name }) => (name === REFUSED_EVENT ? count : count + 1), 0);
}
