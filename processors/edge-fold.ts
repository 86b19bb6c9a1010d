/**
 * Joins edge requests to the view that they name (CMCD `sid`), and counts each as delivered, with a view or without. A
 * request is known by its identity, so that a line sent again counts once. An edge's clock is trusted: its times are taken as they are, and one that cannot be is refused.
 */
import { type EdgeRequest, type EdgeRequests, encodeEdgeRequest } from '../schemas/records.ts';
import type { Delivery } from './delivery/delivery.ts';
import { requestOfEdge } from './delivery/edge-request.ts';
import { takeEdgeContext } from './edge-context.ts';
import { keysOf } from './edge-figures.ts';
import { ExpiringIds } from './expiring-ids.ts';
import type { FoldCounters } from './fold-counters.ts';
import type { ClosedView } from './intervals.ts';
import type { FoldSettings } from './settings.ts';
import { LANE_EDGE, SOURCE_EDGE, TimelineEvent } from './timeline-event.ts';
import { View } from './view.ts';

/** What edge requests need of the views of their partition. */
export interface EdgeViews {
  /** The view of an id, made when it is new; what is left of one that was let go; undefined when it is refused, which is recorded. */
  openForEdge(project: string, id: string, nowMs: number): View | ClosedView | undefined;
  /** Puts a request into the view's timeline. */
  listEdge(view: View, event: TimelineEvent, nowMs: number): void;
  /** Refuses a request whose time cannot be; `index` is its place in the record. */
  refuseEdge(body: EdgeRequests, index: number): void;
  /** Counts what was delivered. */
  readonly delivery: Delivery;
}

const NAME = Buffer.from('edge');
/** A request that took longer did not: only its end is believed, ms. */
const DURATION_MS_MAX = 86_400_000;

export class EdgeFold {
  readonly #views: EdgeViews;
  /** Requests that were taken, to know their repeats. */
  readonly identities = new ExpiringIds();
  readonly counters = {
    requestsTaken: 0,
    requestsRepeated: 0,
    requestsRefused: 0,
    requestsWithoutView: 0,
  };
  readonly #counts: FoldCounters;
  #epoch = 1;

  constructor(views: EdgeViews, counts: FoldCounters) {
    this.#views = views;
    this.#counts = counts;
  }

  take(body: EdgeRequests, nowMs: number, epoch: number, settings: FoldSettings): void {
    this.#epoch = epoch;
    this.identities.advance(nowMs);
    const fresh = body.requests.filter(
      (request, index) =>
        this.#isFresh(body.project, request, nowMs, settings) &&
        this.#isInTime(body, index, nowMs, settings),
    );
    if (fresh.length === 0) return;
    if (body.view === '') {
      this.counters.requestsWithoutView += fresh.length;
      for (const request of fresh) this.#takeWithout(body, request);
      return;
    }
    const view = this.#views.openForEdge(body.project, body.view, nowMs);
    if (view === undefined) return;
    for (const request of fresh) {
      if (view instanceof View) this.#takeOne(view, request, nowMs);
      else this.#takeLate(body, request, view);
    }
  }

  #takeWithout({ project }: EdgeRequests, request: EdgeRequest): void {
    const delivered = requestOfEdge(request, keysOf(request), startOf(request));
    this.#views.delivery.takeWithout(project, '', delivered, this.#epoch);
  }

  /** The view is gone, and what it was is remembered: its own figures stay, what was delivered counts. */
  #takeLate({ project, view }: EdgeRequests, request: EdgeRequest, { tuple }: ClosedView): void {
    this.counters.requestsTaken++;
    this.#counts.edgeRequestsLate++;
    const delivered = requestOfEdge(request, keysOf(request), startOf(request));
    this.#views.delivery.takeWithout(project, view, delivered, this.#epoch, tuple);
  }

  #isFresh(project: string, request: EdgeRequest, nowMs: number, settings: FoldSettings): boolean {
    // The same line sent to two projects is a request of each.
    const identity = `${request.identity.toString('latin1')}${project}`;
    if (this.identities.has(identity)) {
      this.counters.requestsRepeated++;
      return false;
    }
    const untilMs = nowMs + settings.edgeDedupMs;
    this.#counts.edgeIdsForgotten += this.identities.add(identity, untilMs, settings.edgeDedupMax);
    return true;
  }

  /** A row of the timeline can tell when it was. */
  #isInTime(body: EdgeRequests, index: number, nowMs: number, settings: FoldSettings): boolean {
    const request = body.requests[index];
    const earliestMs = Math.max(0, nowMs - settings.retentionMs);
    const inTime =
      request !== undefined &&
      startOf(request) >= earliestMs &&
      request.endAt <= nowMs + settings.futureMs;
    if (inTime) return true;
    this.counters.requestsRefused++;
    this.#views.refuseEdge(body, index);
    return false;
  }

  #takeOne(view: View, request: EdgeRequest, nowMs: number): void {
    this.counters.requestsTaken++;
    const startMs = startOf(request);
    const keys = keysOf(request);
    view.edge.take(request, keys, startMs);
    takeEdgeContext(view, request, keys, startMs);
    this.#views.delivery.takeEdge(view, requestOfEdge(request, keys, startMs), this.#epoch);
    const event = new TimelineEvent();
    event.lineMs = startMs;
    event.clientAt = startMs;
    event.source = SOURCE_EDGE;
    event.lane = LANE_EDGE;
    event.setTotals(view);
    event.nameBytes = NAME;
    event.nameEnd = NAME.length;
    event.bytes = encodeEdgeRequest(request);
    event.partsEnd = event.bytes.length;
    this.#views.listEdge(view, event, nowMs);
  }
}

/** When the request began, on the edge's clock, ms. */
function startOf({ endAt, durationMs }: EdgeRequest): number {
  return durationMs > 0 && durationMs <= DURATION_MS_MAX ? endAt - durationMs : endAt;
}
