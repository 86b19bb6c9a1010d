/**
 * Groups edge requests into records, by view, while their log is still being read.
 *
 * Guarantee: a request is in exactly one group, those of one view in the order of the log. No record is larger than
 * `recordBytesMax`. Requests of one view go to one partition; those without a view go by their identity, so that
 * the same line goes to the same partition again.
 */
import { partitionOf } from '../platform/partition.ts';
import { type EdgeRequest, encodeRecord } from '../schemas/records.ts';
import type { Origin, PlannedRecord } from './records.ts';

export interface EdgeGroupLimits {
  readonly requestsPerRecordMax: number;
  readonly recordBytesMax: number;
}

/** Room for what a record holds besides its requests: header, project, view, format. */
const RECORD_HEAD_BYTES = 1_024;
/** Room for what a request has without a text, identity, numbers, lengths, and for what enrichment adds. */
const REQUEST_HEAD_BYTES = 160;
/** A byte of a line becomes at most three: a key of one letter without a value is stored with one, and lengths. */
const GROWTH = 3;

/** Longest line of which the request surely fits into a record. */
export function lineBytesMaxOf(recordBytesMax: number): number {
  return Math.floor((recordBytesMax - RECORD_HEAD_BYTES - REQUEST_HEAD_BYTES) / GROWTH);
}

export interface EdgeGroup {
  readonly view: string;
  readonly partition: number;
  readonly requests: EdgeRequest[];
  /** Bytes of their lines. */
  lineBytes: number;
  /** What the record has at most, bytes. */
  recordBytes: number;
}

export class EdgeGroups {
  readonly #origin: Origin;
  readonly #limits: EdgeGroupLimits;
  /** By view, or by partition where there is none; oldest first. */
  readonly #open = new Map<string | number, EdgeGroup>();
  #lineBytes = 0;

  constructor(origin: Origin, limits: EdgeGroupLimits) {
    this.#origin = origin;
    this.#limits = limits;
  }

  /** Groups that are being filled. */
  get count(): number {
    return this.#open.size;
  }

  /** Bytes of the lines in them. */
  get lineBytes(): number {
    return this.#lineBytes;
  }

  /** Adds a request. The result is a group that is full, and then no longer here. */
  add(view: string, request: EdgeRequest, lineBytes: number): EdgeGroup | undefined {
    const partition = this.#partitionOf(view, request);
    const key = view === '' ? partition : view;
    const recordBytes = REQUEST_HEAD_BYTES + lineBytes * GROWTH;
    let group = this.#open.get(key);
    let full: EdgeGroup | undefined;
    if (group !== undefined && this.#isFull(group, recordBytes)) {
      full = this.#close(key, group);
      group = undefined;
    }
    if (group === undefined) {
      group = { view, partition, requests: [], lineBytes: 0, recordBytes: RECORD_HEAD_BYTES };
      this.#open.set(key, group);
    }
    group.requests.push(request);
    group.lineBytes += lineBytes;
    group.recordBytes += recordBytes;
    this.#lineBytes += lineBytes;
    return full;
  }

  /** Takes the group that was opened first. */
  takeOldest(): EdgeGroup | undefined {
    for (const [key, group] of this.#open) return this.#close(key, group);
    return undefined;
  }

  /** The record of a group. */
  recordOf({ view, partition, requests }: EdgeGroup, format: string): PlannedRecord {
    const project = this.#origin.grant.project.id;
    return { partition, value: encodeRecord('edge', { project, view, format, requests }) };
  }

  #isFull(group: EdgeGroup, recordBytes: number): boolean {
    return (
      group.requests.length >= this.#limits.requestsPerRecordMax ||
      group.recordBytes + recordBytes > this.#limits.recordBytesMax
    );
  }

  #close(key: string | number, group: EdgeGroup): EdgeGroup {
    this.#open.delete(key);
    this.#lineBytes -= group.lineBytes;
    return group;
  }

  #partitionOf(view: string, request: EdgeRequest): number {
    const { grant, partitions } = this.#origin;
    const name = view === '' ? request.identity.toString('hex') : view;
    return partitionOf(grant.project.id, name, partitions);
  }
}
