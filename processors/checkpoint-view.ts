/**
 * One view as it is saved, and back. What a class holds in private it saves itself; the view's own fields are said here.
 *
 * Not saved, because it follows from the rest: the view's key, `rowHead`, and `dirty`, which is false between epochs.
 */
import type { viewValues } from '../schemas/avro/checkpoint.v3.ts';
import { SOURCES } from '../schemas/beat.ts';
import { DeliveredRequest } from './delivery/request.ts';
import type { EdgeFigures } from './edge-figures.ts';
import type { FoldCounters } from './fold-counters.ts';
import type { EndedCell, PendingCredit } from './intervals.ts';
import type { SavedLane } from './lane.ts';
import { type SavedMachine, StateMachine } from './states.ts';
import { type SavedSubviews, Subviews } from './subviews.ts';
import type { SavedTimeLane } from './time-lane.ts';
import { type SavedEvent, TimelineEvent } from './timeline-event.ts';
import { type SavedTrack, Track } from './track.ts';
import { View } from './view.ts';
import type { ViewClock } from './view-clock.ts';
import type { SavedValue } from './view-context.ts';
import type { GaugePlace } from './viewers-gauge.ts';

/** A lane with its place in the view. */
interface Placed<Order> {
  readonly source: number;
  readonly lane: number;
  readonly order: Order;
}

type PlainValues = Pick<View, (typeof viewValues.fields)[number]['name']>;
type ClockValues = Omit<
  ViewClock,
  'measured' | 'measure' | 'keep' | 'placeAt' | 'placeLine' | 'lineAt' | 'advance'
>;
type EdgeValues = Omit<EdgeFigures, 'take'>;
/** Avro names the branch of a union; the names of the schema's are the kinds. */
type NamedCredit = Readonly<Record<string, object>>;

export interface SavedView {
  readonly project: string;
  readonly id: string;
  readonly values: PlainValues;
  readonly context: readonly SavedValue[];
  readonly clock: ClockValues;
  readonly machine: SavedMachine;
  readonly lanes: readonly Placed<SavedLane>[];
  readonly timeLanes: readonly Placed<SavedTimeLane>[];
  readonly runsSeen: readonly number[];
  readonly shown: SavedTrack | null;
  readonly selected: SavedTrack | null;
  readonly scale: SavedTrack | null;
  readonly latency: SavedTrack | null;
  readonly held: readonly SavedEvent[];
  readonly endedCell: EndedCell | null;
  readonly gaugePlace: GaugePlace;
  readonly pendingCredits: readonly NamedCredit[];
  readonly edge: EdgeValues | null;
  /** Missing in what an older program saved. */
  readonly subviews?: SavedSubviews | null;
  readonly pendingRequests?: readonly DeliveredRequest[];
  readonly heldRequests?: readonly DeliveredRequest[];
}

const BRANCH_PREFIX = 'streamgauge.checkpoint.v1.';
/** Places that lanes can have in a view. */
const PLACES = SOURCES.flatMap((_, source) => [0, 1].map((lane) => ({ source, lane })));

/** Valid until the view changes: it refers to the view's own parts. */
export function saveView(view: View): SavedView {
  return {
    project: view.project,
    id: view.id,
    values: view,
    context: view.context.save(),
    clock: view.clock,
    machine: view.machine.save(),
    lanes: savedLanes(view),
    timeLanes: savedTimeLanes(view),
    // A source that was never applied leaves a hole, which counts as run 0.
    runsSeen: Array.from(view.runsSeen, (run) => run ?? 0),
    shown: view.shown?.save() ?? null,
    selected: view.selected?.save() ?? null,
    scale: view.scale?.save() ?? null,
    latency: view.latency?.save() ?? null,
    held: view.held,
    endedCell: view.endedCell ?? null,
    gaugePlace: view.gaugePlace,
    pendingCredits: view.pendingCredits.map((credit) => ({
      [BRANCH_PREFIX + credit.kind]: credit,
    })),
    edge: view.edge.requestCount > 0 ? view.edge : null,
    subviews: view.subviews?.save() ?? null,
    pendingRequests: view.pendingRequests,
    heldRequests: view.heldRequests,
  };
}

/** `dimensionOf` gives a saved dimension its place in this program's list; -1 when it is gone, and its value with it. */
export function loadView(
  saved: SavedView,
  dimensionOf: (place: number) => number,
  counters: FoldCounters,
): View {
  const { project, id, values, endedCell, subviews = null } = saved;
  const view = new View(`${project}\0${id}`, project, id, values.lastArrivalMs, counters);
  Object.assign(view, values);
  Object.assign(view.clock, saved.clock);
  Object.assign(view.gaugePlace, saved.gaugePlace);
  if (saved.edge !== null) Object.assign(view.edge, saved.edge);
  for (const said of saved.context) {
    const dimension = dimensionOf(said.dimension);
    if (dimension >= 0) view.context.restore({ ...said, dimension });
  }
  view.machine = StateMachine.load(saved.machine, counters);
  view.runsSeen.push(...saved.runsSeen);
  view.held = saved.held.map((event) => TimelineEvent.load(event));
  view.endedCell = endedCell ?? undefined;
  view.pendingCredits = saved.pendingCredits.map(creditOf);
  view.pendingRequests = (saved.pendingRequests ?? []).map(DeliveredRequest.from);
  view.heldRequests = (saved.heldRequests ?? []).map(DeliveredRequest.from);
  if (subviews !== null) view.subviews = Subviews.load(subviews, counters);
  loadLanes(view, saved);
  loadTracks(view, saved, counters);
  return view;
}

function loadLanes(view: View, { lanes, timeLanes }: SavedView): void {
  for (const { source, lane, order } of lanes) view.lane(source, lane).restore(order);
  for (const { source, lane, order } of timeLanes) view.timeLane(source, lane).restore(order);
}

function loadTracks(
  view: View,
  { shown, selected, scale, latency }: SavedView,
  counters: FoldCounters,
): void {
  if (shown !== null) view.shown = Track.load(shown, counters);
  if (selected !== null) view.selected = Track.load(selected, counters);
  if (scale !== null) view.scale = Track.load(scale, counters);
  if (latency !== null) view.latency = Track.load(latency, counters);
}

function savedLanes(view: View): Placed<SavedLane>[] {
  const lanes: Placed<SavedLane>[] = [];
  for (const { source, lane } of PLACES) {
    const order = view.existingLane(source, lane)?.save();
    if (order !== undefined) lanes.push({ source, lane, order });
  }
  return lanes;
}

function savedTimeLanes(view: View): Placed<SavedTimeLane>[] {
  const lanes: Placed<SavedTimeLane>[] = [];
  for (const { source, lane } of PLACES) {
    const order = view.existingTimeLane(source, lane)?.save();
    if (order !== undefined) lanes.push({ source, lane, order });
  }
  return lanes;
}

function creditOf(named: NamedCredit): PendingCredit {
  const [branch = '', credit] = Object.entries(named)[0] ?? [];
  return { ...credit, kind: branch.slice(BRANCH_PREFIX.length) } as PendingCredit;
}
