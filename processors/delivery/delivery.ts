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
import type { RowEnds } from '../interval-cells.ts';
import type { Intervals } from '../intervals.ts';
import type { EpochRows } from '../rows.ts';
import type { View } from '../view.ts';
import { DeliveryCells } from './delivery-cells.ts';
import type { DeliveredRequest } from './request.ts';

/** Dimensions of a request of which no view is known. */
const NO_VIEW: readonly string[] = [];

export class Delivery {
  readonly #intervals: Intervals;
  readonly #rows: EpochRows;
  readonly #counters: FoldCounters;
  readonly #cells = new DeliveryCells();
  /** Requests that are held, of all views. */
  heldCount = 0;

  constructor(intervals: Intervals, rows: EpochRows) {
    this.#intervals = intervals;
    this.#rows = rows;
    this.#counters = rows.counters;
  }

  get cellCount(): number {
    return this.#cells.size;
  }

  /** A request of a view that is not held any more, or of none. */
  takeWithout(
    project: string,
    id: string,
    request: DeliveredRequest,
    epoch: number,
    values: readonly string[] = NO_VIEW,
  ): void {
    this.#rows.request(project, id, request, epoch);
    this.#add(project, request, values, 1);
  }

  /** A request of a view, from an edge's log: its time is as it stands. */
  takeEdge(view: View, request: DeliveredRequest, epoch: number): void {
    this.#rows.request(view.project, view.id, request, epoch);
    this.#settle(view);
    const values = this.#intervals.valuesOf(view);
    const whole = this.#add(view.project, request, values, 1);
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
    view.heldValues = values;
    this.heldCount++;
  }

  /** A request that the player reports; `atMs` lies on the view's line until the view has a place in time. */
  takePlayer(view: View, request: DeliveredRequest, epoch: number): void {
    if (view.clock.fixed) this.#takePlaced(view, request, epoch);
    else view.pendingRequests.push(request);
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
      this.#settle(view);
      if (view.clock.fixed) this.letGo(view);
    }
  }

  /** A view that was saved between epochs: what it holds is counted under what is known of it. */
  restore(view: View): void {
    if (view.heldRequests.length === 0) return;
    view.heldValues = this.#intervals.valuesOf(view);
    this.heldCount += view.heldRequests.length;
  }

  /** Nothing more is moved of a view. */
  letGo(view: View): void {
    this.heldCount -= view.heldRequests.length;
    view.heldRequests = [];
    view.heldValues = undefined;
  }

  write(out: RowWriter, rows: RowEnds): void {
    this.#cells.write(out, rows);
  }

  #takePlaced(view: View, request: DeliveredRequest, epoch: number): void {
    const placed = { ...request, atMs: Math.max(0, view.clock.placeLine(request.atMs)) };
    this.#rows.request(view.project, view.id, placed, epoch);
    this.#add(view.project, placed, this.#intervals.valuesOf(view), 1);
  }

  #settle(view: View): void {
    const before = view.heldValues;
    if (before === undefined || view.heldRequests.length === 0) return;
    const values = this.#intervals.valuesOf(view);
    if (values === before) return;
    const held = view.heldRequests;
    view.heldRequests = held.filter((request) => {
      this.#cells.add(view.project, request, before, -1, Number.POSITIVE_INFINITY);
      return this.#add(view.project, request, values, 1);
    });
    this.heldCount -= held.length - view.heldRequests.length;
    view.heldValues = values;
  }

  #add(
    project: string,
    request: DeliveredRequest,
    values: readonly string[],
    weight: 1 | -1,
  ): boolean {
    const { deliveryCellsMax } = this.#intervals.settings;
    const whole = this.#cells.add(project, request, values, weight, deliveryCellsMax);
    if (!whole) this.#counters.deliveryCellsCut++;
    return whole;
  }
}
