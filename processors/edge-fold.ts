/**
 * Joins edge requests to the view that they name (CMCD `sid`). A request is known by its identity, so that a line sent
 * again counts once. An edge's clock is trusted: its times are taken as they are.
 */
import { type EdgeRequest, type EdgeRequests, encodeEdgeRequest } from '../schemas/records.ts';
import { ExpiringIds } from './expiring-ids.ts';
import type { FoldSettings } from './settings.ts';
import { LANE_EDGE, SOURCE_EDGE, TimelineEvent } from './timeline-event.ts';
import type { View } from './view.ts';

/** What edge requests need of the views of their partition. */
export interface EdgeViews {
  /** The view of an id, made when it is new; undefined when it is refused, which is recorded. */
  openForEdge(project: string, id: string, nowMs: number): View | undefined;
  /** Puts a request into the view's timeline. */
  listEdge(view: View, event: TimelineEvent, nowMs: number): void;
}

const NAME = Buffer.from('edge');

export class EdgeFold {
  readonly #views: EdgeViews;
  /** Requests that were taken, to know their repeats. */
  readonly identities = new ExpiringIds();
  readonly counters = { requestsTaken: 0, requestsRepeated: 0, requestsWithoutView: 0 };

  constructor(views: EdgeViews) {
    this.#views = views;
  }

  take(body: EdgeRequests, nowMs: number, settings: FoldSettings): void {
    this.identities.advance(nowMs);
    const fresh = body.requests.filter((request) =>
      this.#isFresh(body.project, request, nowMs, settings),
    );
    if (fresh.length === 0) return;
    if (body.view === '') {
      this.counters.requestsWithoutView += fresh.length;
      return;
    }
    const view = this.#views.openForEdge(body.project, body.view, nowMs);
    if (view === undefined) return;
    for (const request of fresh) this.#takeOne(view, request, nowMs);
  }

  #isFresh(project: string, request: EdgeRequest, nowMs: number, settings: FoldSettings): boolean {
    // The same line sent to two projects is a request of each.
    const identity = `${request.identity.toString('latin1')}${project}`;
    if (this.identities.has(identity)) {
      this.counters.requestsRepeated++;
      return false;
    }
    this.identities.add(identity, nowMs + settings.edgeDedupMs, settings.edgeDedupMax);
    return true;
  }

  #takeOne(view: View, request: EdgeRequest, nowMs: number): void {
    this.counters.requestsTaken++;
    view.edge.take(request);
    const startMs = request.endAt - Math.max(0, request.durationMs);
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
