/**
 * The rows of one epoch, encoded as they arise: bytes in the order of the declared columns, never row objects.
 * A test reads them back through the engine and compares with the declaration.
 *
 * Guarantee: rows are whole. What was written of one that cannot be is taken back, and those before it stay.
 */
import { RowWriter } from '../platform/store/row-binary.ts';
import { PLAYER_STATES, SOURCES } from '../schemas/beat.ts';
import { dimensions } from '../schemas/catalogue/dimensions.ts';
import { viewFigures } from '../schemas/tables/tables.ts';
import type { DeliveredRequest } from './delivery/request.ts';
import type { Said } from './delivery/said-keys.ts';
import { FoldCounters, REJECT_COUNTERS, type RejectCode } from './fold-counters.ts';
import { writeSubviews } from './subview-rows.ts';
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

/** Limits of the rejects of one epoch. */
export interface RejectLimits {
  readonly rejectsPerEpochMax: number;
  readonly rejectBytesPerEpochMax: number;
}

/** Rejects of one project, way and reason that went beyond the limit of an epoch. */
interface RejectSum {
  readonly row: RejectRow;
  rejects: number;
  events: number;
}

const NOTHING = Buffer.alloc(0);
/** Room for the texts of rejects beside their bytes. */
const MESSAGES_MAX = 4 * 1_048_576;
/** Project, way and reason of what is not told apart. */
const OTHER_REJECTS = ['', '', '(other)'] as const;
/** Sums of rejects that are told apart in one epoch; the rest are of a code of their own. */
const REJECT_SUMS_MAX = 1_000;

/** Rows of a table; knows where the last whole one ends. */
class TableRows extends RowWriter {
  #wholeLength = 0;

  override endRow(): void {
    super.endRow();
    this.#wholeLength = this.length;
  }

  override reset(): void {
    super.reset();
    this.#wholeLength = 0;
  }

  /** Takes back what was written since the last whole row. */
  dropHalfRow(): void {
    const { rows } = this;
    const wholeLength = this.#wholeLength;
    if (this.length === wholeLength) return;
    const bytes = this.take();
    this.raw(bytes, 0, wholeLength);
    for (let row = 0; row < rows; row++) this.endRow();
  }
}

export class EpochRows {
  readonly views = new TableRows();
  readonly viewEvents = new TableRows();
  readonly rejected = new TableRows();
  readonly playback = new TableRows();
  readonly viewersNow = new TableRows();
  readonly forgotten = new TableRows(64);
  readonly delivery = new TableRows();
  readonly requests = new TableRows();
  readonly counters: FoldCounters;
  readonly #partition: number;
  readonly #rejectSums = new Map<string, RejectSum>();
  readonly #head = new RowWriter(256);

  constructor(partition: number, counters = new FoldCounters()) {
    this.#partition = partition;
    this.counters = counters;
  }

  reset(): void {
    for (const table of this.#tables()) table.reset();
  }

  /** Bytes of the rows written so far. */
  get bytes(): number {
    const { rejected, requests, viewEvents, views } = this;
    return viewEvents.length + views.length + rejected.length + requests.length;
  }

  /** Takes back what was written of a row that could not be ended. */
  dropHalfRows(): void {
    for (const table of this.#tables()) table.dropHalfRow();
    this.#head.reset();
  }

  #tables(): readonly TableRows[] {
    return [
      this.views,
      this.viewEvents,
      this.rejected,
      this.playback,
      this.viewersNow,
      this.forgotten,
      this.delivery,
      this.requests,
    ];
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
    writeSubviews(out, view);
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

  /** A row for what the fold itself refuses. */
  refuse(
    row: RejectRow & { readonly code: RejectCode },
    epoch: number,
    limits: RejectLimits,
  ): void {
    this.counters[REJECT_COUNTERS[row.code]]++;
    this.reject(row, epoch, limits);
  }

  /**
   * A row of `rejected`, without the original bytes when those of the epoch are too many; beyond so many rows it is added
   * to a sum that `rejectSums` writes.
   */
  reject(row: RejectRow, epoch: number, limits: RejectLimits): void {
    const bytesMax = limits.rejectBytesPerEpochMax;
    const { length } = this.rejected;
    // Rows without their bytes are small; a log that says otherwise has its rejects summed.
    if (this.rejected.rows >= limits.rejectsPerEpochMax || length > 2 * bytesMax + MESSAGES_MAX) {
      this.#sum(row);
    } else if (length + row.bytes.length > bytesMax && row.bytes.length > 0) {
      this.counters.rejectBytesCut++;
      this.#reject({ ...row, bytes: NOTHING }, 1, row.events, epoch);
    } else {
      this.#reject(row, 1, row.events, epoch);
    }
  }

  #sum(row: RejectRow): void {
    const { project, route, code, events } = row;
    const known = this.#sumOf([project, route, code]);
    const sum = known ?? this.#sumOf(OTHER_REJECTS);
    if (sum !== undefined) {
      sum.rejects++;
      sum.events += events;
      return;
    }
    const full = this.#rejectSums.size >= REJECT_SUMS_MAX;
    const key = full ? OTHER_REJECTS : ([project, route, code] as const);
    const [of, by, why] = key;
    const named = { ...row, project: of, route: by, code: why, bytes: NOTHING };
    this.#rejectSums.set(key.join('\0'), { row: named, rejects: 1, events });
  }

  #sumOf(key: readonly string[]): RejectSum | undefined {
    return this.#rejectSums.get(key.join('\0'));
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

  /** A request, of a view or of none (an empty id). */
  request(
    project: string,
    view: string,
    request: DeliveredRequest,
    { rowBytes }: Said,
    epoch: number,
  ): void {
    const out = this.requests;
    out.string(project);
    out.string(view);
    out.uint64(request.urlKey);
    out.dateTime64Ms(request.atMs);
    out.raw(rowBytes);
    out.int64(request.status);
    out.int64(request.bytes);
    out.int64(request.ttfbMs);
    out.int64(request.totalMs);
    out.int64(request.originMs);
    out.int64(request.hopMs);
    out.int64(request.hopOriginMs);
    out.int64(request.mediaMs);
    out.int64(request.bitrate);
    out.uint8(request.aborted ? 1 : 0);
    out.uint8(request.starved ? 1 : 0);
    out.uint8(request.startup ? 1 : 0);
    this.endRow(out, epoch);
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
