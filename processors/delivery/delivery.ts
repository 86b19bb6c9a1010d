/**
 * Delivery: every request into its window, under the dimensions of its view.
 *
 * An edge's requests often come before their player's first report, or long after the view is gone. Until a view's player
 * has told of it, its requests are held beside their sums: what becomes known moves them, as a negative and a positive
 * row. After a view was let go, its combination of dimensions is remembered with its id.
 *
 * Guarantee: Σ requests and bytes over `delivery_5s` equals Σ over `requests`, whatever came when.
 */
import type { RowWriter } from '../../platform/store/row-binary.ts';
import type { FoldCounters } from '../fold-counters.ts';
import type { Intervals } from '../intervals.ts';
import type { EpochRows } from '../rows.ts';
import type { View } from '../view.ts';
import { type RowEnds, WINDOW_MS } from '../window-cells.ts';
import { DeliveryCells } from './delivery-cells.ts';
import { DeliveredRequest } from './request.ts';
import { type Said, SaidKeys } from './said-keys.ts';

export class Delivery {
  readonly #intervals: Intervals;
  readonly #rows: EpochRows;
  readonly #counters: FoldCounters;
  readonly #keys: SaidKeys;
  readonly #cells = new DeliveryCells();
  /** What was said last by requests of no view that is held. */
  #lastSaid: Said | undefined;
  /** Requests that are held, of all views. */
  heldCount = 0;

  constructor(intervals: Intervals, rows: EpochRows) {
    this.#intervals = intervals;
    this.#rows = rows;
    this.#counters = rows.counters;
    this.#keys = new SaidKeys(intervals.tuples);
  }

  get cellCount(): number {
    return this.#cells.size;
  }

  /** A request of a view that is not held any more, of whose tuple -1 says that it is not known; or of none. */
  takeWithout(
    project: string,
    id: string,
    request: DeliveredRequest,
    epoch: number,
    tuple = -1,
  ): void {
    const { tuples } = this.#intervals;
    this.#lastSaid = this.#keys.saidOf(request, this.#lastSaid);
    this.#rows.request(project, id, request, this.#lastSaid, epoch);
    const known = tuple < 0 ? tuples.ofView(project, []) : tuple;
    this.#add(known, request, this.#lastSaid);
  }

  /** A request of a view, from an edge's log: its time is as it stands. */
  takeEdge(view: View, request: DeliveredRequest, epoch: number): void {
    const said = this.#write(view, request, epoch);
    this.#settle(view);
    const tuple = this.#intervals.tupleOf(view);
    const whole = this.#add(tuple, request, said);
    // Of a view that has a place in time, its player has told.
    if (view.clock.fixed) return;
    const { heldRequestsMax, heldRequestsPerViewMax } = this.#intervals.settings;
    const full =
      this.heldCount >= heldRequestsMax || view.heldRequests.length >= heldRequestsPerViewMax;
    if (full || !whole) {
      this.#counters.requestsNotHeld++;
      return;
    }
    view.heldRequests.push(request);
    view.heldTuple = tuple;
    this.heldCount++;
  }

  /**
   * A request that the player reports, which is not kept; `atMs` lies on the view's line: it waits until the view has a
   * place in time.
   */
  takePlayer(view: View, request: DeliveredRequest, epoch: number): void {
    if (view.clock.fixed) this.#takePlaced(view, request, epoch);
    else view.pendingRequests.push(DeliveredRequest.from(request));
  }

  /** The view has a place in time: what waited for it is counted. */
  place(view: View, epoch: number): void {
    if (!view.clock.fixed) return;
    const pending = view.pendingRequests;
    view.pendingRequests = [];
    for (const request of pending) this.#takePlaced(view, request, epoch);
  }

  /** At the end of an epoch: moves what is held to what is known now, and lets go of what will not move any more. */
  settleAll(views: Iterable<View>): void {
    if (this.heldCount === 0) return;
    for (const view of views) {
      if (view.heldRequests.length === 0) continue;
      this.#settle(view);
      if (view.clock.fixed) this.letGo(view);
    }
  }

  /** A view that was saved between epochs: what it holds is counted under what is known of it. */
  restore(view: View): void {
    if (view.heldRequests.length === 0) return;
    view.heldTuple = this.#intervals.tupleOf(view);
    this.heldCount += view.heldRequests.length;
  }

  /** Nothing more is moved of a view. */
  letGo(view: View): void {
    this.heldCount -= view.heldRequests.length;
    view.heldRequests = [];
    view.heldTuple = -1;
  }

  write(out: RowWriter, rows: RowEnds): void {
    this.#cells.write(out, this.#keys.headOf, rows);
    this.#keys.tidy(false);
  }

  /** Tuples have other numbers now. Only after `write`. */
  forgetTuples(): void {
    this.#keys.tidy(true);
  }

  #takePlaced(view: View, request: DeliveredRequest, epoch: number): void {
    request.atMs = Math.max(0, view.clock.placeLine(request.atMs));
    const said = this.#write(view, request, epoch);
    this.#add(this.#intervals.tupleOf(view), request, said);
  }

  #write(view: View, request: DeliveredRequest, epoch: number): Said {
    const said = this.#keys.saidOf(request, view.saidLast);
    view.saidLast = said;
    this.#rows.request(view.project, view.id, request, said, epoch);
    return said;
  }

  #settle(view: View): void {
    const before = view.heldTuple;
    if (view.heldRequests.length === 0) return;
    const tuple = this.#intervals.tupleOf(view);
    if (tuple === before) return;
    const held = view.heldRequests;
    view.heldRequests = held.filter((request) => {
      const said = this.#keys.saidOf(request, view.saidLast);
      // It is taken from where it was added, whatever room there is.
      const slot = this.#cells.slot(windowOf(request), this.#keys.keyOf(said, before));
      this.#cells.addRequest(slot, request, -1);
      return this.#add(tuple, request, said);
    });
    this.heldCount -= held.length - view.heldRequests.length;
    view.heldTuple = view.heldRequests.length > 0 ? tuple : -1;
  }

  /** False where the epoch has as many cells as it may, so that values became `(other)`. */
  #add(tuple: number, request: DeliveredRequest, said: Said): boolean {
    const { deliveryCellsMax } = this.#intervals.settings;
    const window = windowOf(request);
    const key = this.#keys.keyOf(said, tuple);
    const whole = this.#hasRoom(window, key, deliveryCellsMax);
    const slot = this.#cells.slot(window, whole ? key : this.#lessKey(window, tuple, said));
    this.#cells.addRequest(slot, request, 1);
    return whole;
  }

  #hasRoom(window: number, key: number, cellsMax: number): boolean {
    return this.#cells.size < cellsMax || this.#cells.has(window, key);
  }

  /** Without video, network and edge; without anything where there is no room for that. */
  #lessKey(window: number, tuple: number, said: Said): number {
    this.#counters.deliveryCellsCut++;
    const { tuples, settings } = this.#intervals;
    const less = this.#keys.lessened(said, false);
    const key = this.#keys.keyOf(less, tuples.withoutBoth(tuple));
    if (this.#hasRoom(window, key, 2 * settings.deliveryCellsMax)) return key;
    return this.#keys.keyOf(this.#keys.lessened(said, true), tuples.withoutAll(tuple));
  }
}

function windowOf({ atMs }: DeliveredRequest): number {
  return Math.floor(atMs / WINDOW_MS);
}
