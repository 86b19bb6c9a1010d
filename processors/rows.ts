/**
 * The rows of one epoch, encoded as they arise: bytes in the order of the declared columns, never row objects.
 * A test reads them back through the engine and compares with the declaration.
 */
import { RowWriter } from '../platform/store/row-binary.ts';
import { PLAYER_STATES, SOURCES } from '../schemas/beat.ts';
import { dimensions } from '../schemas/catalogue/dimensions.ts';
import { viewFigures } from '../schemas/tables/tables.ts';
import { LANE_EDGE, type TimelineEvent } from './timeline-event.ts';
import type { View } from './view.ts';
import { indexOfDimension } from './view-context.ts';
import { figuresOf, hasFailed, outcomeOf } from './view-figures.ts';

const DAY_MS = 86_400_000;
const LANES = ['main', 'response', 'edge'] as const;
const EVENT_SOURCES = [...SOURCES, 'edge'] as const;
/** Version of the beat schema whose parts go into the timeline. */
export const PARTS_VERSION = 1;
const VIEW_ID = indexOfDimension('view_id');
const HAS_AD = indexOfDimension('view_has_ad');
const ERROR_CODE = indexOfDimension('player_error_code');

/** Sums beyond what a row holds exactly are cut; no real view gets there. */
function exact(value: number): number {
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

export interface RejectRow {
  readonly project: string;
  readonly atMs: number;
  readonly offset: number;
  readonly event: number;
  readonly view: string;
  readonly route: string;
  readonly code: string;
  readonly message: string;
  readonly bytes: Buffer;
  /** Events lost with it that ingest had accepted. */
  readonly events: number;
}

/** Rejects of one project, way and reason that went beyond the limit of an epoch. */
interface RejectSum {
  readonly row: RejectRow;
  rejects: number;
  events: number;
}

const NOTHING = Buffer.alloc(0);

export class EpochRows {
  readonly views = new RowWriter();
  readonly viewEvents = new RowWriter();
  readonly rejected = new RowWriter();
  readonly playback = new RowWriter();
  readonly viewersNow = new RowWriter();
  readonly forgotten = new RowWriter(64);
  readonly #partition: number;
  readonly #rejectSums = new Map<string, RejectSum>();
  readonly #head = new RowWriter(256);

  constructor(partition: number) {
    this.#partition = partition;
  }

  reset(): void {
    this.views.reset();
    this.viewEvents.reset();
    this.rejected.reset();
    this.playback.reset();
    this.viewersNow.reset();
    this.forgotten.reset();
  }

  view(view: View, epoch: number): void {
    const out = this.views;
    out.string(view.project);
    for (let index = 0; index < dimensions.length; index++) out.string(dimensionOf(view, index));
    out.date(view.startDay);
    out.dateTime64Ms(view.startMs);
    out.dateTime64Ms(view.endMs);
    out.uint8(view.closed ? 1 : 0);
    out.uint8(view.machine.started ? 1 : 0);
    out.string(outcomeOf(view));
    out.uint8(hasFailed(view) && !view.errorBusiness ? 1 : 0);
    out.uint8(hasFailed(view) && view.errorBusiness ? 1 : 0);
    out.string(sourceOf(view));
    const figures = figuresOf(view);
    for (const { name, type } of viewFigures) {
      const value = figures[name];
      if (type === 'Int64') out.int64(exact(value ?? 0));
      else out.nullableInt64(value === null ? null : exact(value));
    }
    this.endRow(out, epoch);
  }

  viewEvent(view: View, event: TimelineEvent, latestMs: number, epoch: number): void {
    const out = this.viewEvents;
    view.rowHead ??= this.#headOf(view);
    out.raw(view.rowHead);
    const atMs = event.lane === LANE_EDGE ? event.lineMs : view.clock.placeLine(event.lineMs);
    out.dateTime64Ms(Math.min(atMs, latestMs));
    out.int64(event.clientAt);
    out.string(EVENT_SOURCES[event.source] ?? '');
    out.string(LANES[event.lane] ?? '');
    out.uint16(Math.min(event.run, 0xffff));
    out.int64(event.seq);
    out.bytes(event.nameBytes, event.nameStart, event.nameEnd - event.nameStart);
    out.string(PLAYER_STATES[event.state] ?? '');
    out.string(event.taken);
    out.int64(event.startupMs);
    out.int64(event.playingMs);
    out.int64(event.rebufferMs);
    out.int64(event.rebufferCount);
    out.int64(event.seekMs);
    out.uint16(PARTS_VERSION);
    out.bytes(event.bytes, event.partsStart, event.partsEnd - event.partsStart);
    this.endRow(out, epoch);
  }

  #headOf(view: View): Buffer {
    this.#head.string(view.project);
    this.#head.string(view.id);
    this.#head.date(view.startDay);
    return this.#head.take();
  }

  /** A row of `rejected`; beyond `rowsMax` in an epoch it is added to a sum that `rejectSums` writes. */
  reject(row: RejectRow, epoch: number, rowsMax: number): void {
    if (this.rejected.rows < rowsMax) {
      this.#reject(row, 1, row.events, epoch);
      return;
    }
    const key = [row.project, row.route, row.code].join('\0');
    const sum = this.#rejectSums.get(key);
    if (sum === undefined) {
      this.#rejectSums.set(key, { row, rejects: 1, events: row.events });
    } else {
      sum.rejects++;
      sum.events += row.events;
    }
  }

  /** Writes what stands for the rejects beyond the limit. Returns how many those were. */
  rejectSums(epoch: number): number {
    let summed = 0;
    for (const { row, rejects, events } of this.#rejectSums.values()) {
      this.#reject({ ...row, event: -1, view: '', bytes: NOTHING }, rejects, events, epoch);
      summed += rejects;
    }
    this.#rejectSums.clear();
    return summed;
  }

  /** A viewer who is to be forgotten. */
  forget(project: string, viewer: string, atMs: number, offset: number, epoch: number): void {
    const out = this.forgotten;
    out.string(project);
    out.string(viewer);
    out.dateTime64Ms(atMs);
    out.uint64(offset);
    this.endRow(out, epoch);
  }

  #reject(row: RejectRow, rejects: number, events: number, epoch: number): void {
    const out = this.rejected;
    out.string(row.project);
    out.dateTime64Ms(row.atMs);
    out.uint64(row.offset);
    out.int64(row.event);
    out.string(row.view);
    out.string(row.route);
    out.string(row.code);
    out.string(row.message);
    out.bytes(row.bytes);
    out.uint64(rejects);
    out.uint64(events);
    this.endRow(out, epoch);
  }

  /** Ends a row with what every row ends with. */
  endRow(out: RowWriter, epoch: number): void {
    out.uint16(this.#partition);
    out.uint64(epoch);
    out.endRow();
  }
}

function sourceOf(view: View): string {
  if (view.driverHasStates) return SOURCES[view.driver] ?? '';
  return view.isEdgeOnly ? 'cmcd1' : '';
}

/** Day of a moment, days since 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

function dimensionOf(view: View, index: number): string {
  if (index === VIEW_ID) return view.id;
  if (index === HAS_AD) return view.adAttempts + view.adImpressions > 0 ? 'true' : 'false';
  if (index === ERROR_CODE) return hasFailed(view) ? view.errorCode : '';
  return view.context.values[index] ?? '';
}
