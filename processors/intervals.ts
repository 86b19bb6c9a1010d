/**
 * What happens in each 5 s of event time (METRICS "Interval metrics"): splits a view's time over windows and adds it to
 * the cells of its tuple. Time is credited when the next report tells what became of it.
 *
 * Guarantee: Σ playing time over all windows equals Σ playing time over all views, to the millisecond, also after a
 * view was opened again: what is taken back is a negative number in the same window and tuple.
 */
import type { RowWriter } from '../platform/store/row-binary.ts';
import { sketchBucket } from '../schemas/sketch.ts';
import { playbackSketches, playbackSums } from '../schemas/tables/tables.ts';
import type { Expiring, ExpiringIds } from './expiring-ids.ts';
import type { FoldCounters } from './fold-counters.ts';
import type { FoldSettings } from './settings.ts';
import { isEnd, STATE } from './states.ts';
import { type TupleLimits, Tuples } from './tuples.ts';
import type { View } from './view.ts';
import { hasFailed } from './view-figures.ts';
import { ViewersGauge } from './viewers-gauge.ts';
import { positionsOf, type RowEnds, WINDOW_MS, WindowCells } from './window-cells.ts';

/** Position of each sum and each sketch, by column. */
const SUM = positionsOf(playbackSums);
const SKETCH = positionsOf(playbackSketches);
/** Windows of which the tuples are remembered, to keep their number within its limit. */
const WINDOWS_REMEMBERED = 240;

/** Steps in which a window's tuples lose their values, each with room for as many tuples. */
const TUPLE_STEPS = 3;

/** What is remembered of a view that was let go. */
export interface ClosedView extends Expiring {
  /** Its combination of dimensions; -1 not known. */
  readonly tuple: number;
}

/** What a view has added at its end, so that it can be taken back. */
export interface EndedCell {
  readonly window: number;
  readonly tuple: number;
  readonly decided: number;
  readonly exit: number;
  readonly startupFailure: number;
  readonly failure: number;
}

/** Time in a state, with what was known while it ran. */
interface Credit {
  readonly state: number;
  readonly fromLineMs: number;
  readonly durationMs: number;
  readonly rebuffering: boolean;
  readonly bitrate: number;
  readonly latencyMs: number;
}

/** What waits until the view has a place in time, each with what its method is given. */
export type PendingCredit =
  | ({ readonly kind: 'credit' } & Credit)
  | { readonly kind: 'active'; readonly state: number; readonly lineMs: number }
  | { readonly kind: 'started'; readonly lineMs: number; readonly startupMs: number }
  | { readonly kind: 'rebufferStarted'; readonly lineMs: number }
  | { readonly kind: 'firstByte'; readonly lineMs: number; readonly ttfbMs: number };

/** Tuples of a remembered window. */
export interface SavedWindow {
  readonly window: number;
  readonly tuples: readonly number[];
}

export class Intervals {
  readonly tuples: Tuples;
  readonly gauges = new ViewersGauge();
  readonly #cells = new WindowCells(playbackSums, playbackSketches);
  /** Tuples of each remembered window. */
  readonly #windows = new Map<number, Set<number>>();
  /** Cells whose video_id, or asn too, became `(other)`. */
  tuplesCut = 0;
  /** Playing time that all rows together say, ms. */
  playingMs = 0;
  settings: FoldSettings;

  constructor(settings: FoldSettings, counts: FoldCounters, limits?: TupleLimits) {
    this.settings = settings;
    this.tuples = new Tuples(limits, counts);
  }

  /** Cells that the epoch has touched. */
  get cellCount(): number {
    return this.#cells.size;
  }

  /** True when nothing waits to be written. */
  get settled(): boolean {
    return this.#cells.size === 0;
  }

  get windowCount(): number {
    return this.#windows.size;
  }

  /** Remembered windows, the oldest first. */
  *windows(): Generator<SavedWindow> {
    for (const [window, tuples] of this.#windows) yield { window, tuples: [...tuples] };
  }

  /** Puts back the next that `windows` gave. */
  restoreWindow({ window, tuples }: SavedWindow): void {
    this.#windows.set(window, new Set(tuples));
  }

  /** Credits time that a view spent in a state, from a moment on its line. */
  credit(
    view: View,
    state: number,
    fromLineMs: number,
    durationMs: number,
    rebuffering: boolean,
  ): void {
    if (durationMs <= 0 || !isViewing(state)) return;
    const { bitrateNow: bitrate, latencyNow: latencyMs } = view;
    const credit = { state, fromLineMs, durationMs, rebuffering, bitrate, latencyMs };
    if (view.clock.fixed) this.#credit(view, credit);
    else view.pendingCredits.push({ kind: 'credit', ...credit });
  }

  /** A view is in a state at a moment on its line: it counts as a viewer of that window. */
  active(view: View, state: number, lineMs: number): void {
    if (!isViewing(state)) return;
    if (view.clock.fixed) {
      const window = Math.floor(view.clock.placeLine(lineMs) / WINDOW_MS);
      // Counted already, as nearly always.
      if (window <= view.viewerWindow && state !== STATE.starting) return;
      this.#countViewer(view, window, state);
    } else {
      view.pendingCredits.push({ kind: 'active', state, lineMs });
    }
  }

  /** A view has begun to play. */
  started(view: View, lineMs: number, startupMs: number): void {
    if (!view.clock.fixed) {
      view.pendingCredits.push({ kind: 'started', lineMs, startupMs });
      return;
    }
    const cells = this.#cells;
    const window = Math.floor(view.clock.placeLine(lineMs) / WINDOW_MS);
    const slot = this.#slotOf(view, window);
    view.startedWindow = window;
    cells.add(slot, SUM.views_started, 1);
    cells.add(slot, SUM.views_decided, 1);
    cells.addToSketch(slot, SKETCH.startup_sketch, sketchBucket(startupMs), 1);
  }

  rebufferStarted(view: View, lineMs: number): void {
    if (view.clock.fixed) {
      const window = Math.floor(view.clock.placeLine(lineMs) / WINDOW_MS);
      this.#cells.add(this.#slotOf(view, window), SUM.rebuffer_starts, 1);
    } else {
      view.pendingCredits.push({ kind: 'rebufferStarted', lineMs });
    }
  }

  /** A media request succeeded: its first byte came at a moment on the view's line. */
  firstByte(view: View, lineMs: number, ttfbMs: number): void {
    if (view.clock.fixed) {
      const slot = this.#slotOf(view, Math.floor(view.clock.placeLine(lineMs) / WINDOW_MS));
      this.#cells.addToSketch(slot, SKETCH.ttfb_sketch, sketchBucket(ttfbMs), 1);
    } else {
      view.pendingCredits.push({ kind: 'firstByte', lineMs, ttfbMs });
    }
  }

  /** The view has a place in time now: what waited is credited. */
  place(view: View): void {
    const pending = view.pendingCredits;
    view.pendingCredits = [];
    for (const credit of pending) this.#apply(view, credit);
  }

  /** Adds what a view's end counts for, or takes back what does not hold any more. */
  settleEnd(view: View): void {
    const wanted = view.closed && view.driverHasStates ? this.#endedCell(view) : undefined;
    const stands = view.endedCell;
    if (sameCell(wanted, stands)) return;
    if (stands !== undefined) this.#addEnd(stands, -1);
    if (wanted !== undefined) this.#addEnd(wanted, 1);
    view.endedCell = wanted;
  }

  /** Number of the combination of dimensions of a view. */
  tupleOf(view: View): number {
    return this.#tupleOf(view);
  }

  /** Counts the view where it belongs now; a silent or closed one nowhere. */
  gauge(view: View, silent: boolean): void {
    const state = silent || view.closed || isEnd(view.machine.state) ? -1 : view.machine.state;
    let tuple = this.tuples.nowOf(this.#tupleOf(view));
    const full = this.gauges.size >= TUPLE_STEPS * this.settings.intervalTuplesMax;
    if (full && !this.gauges.has(tuple)) tuple = this.tuples.nowOf(this.tuples.withoutAll(tuple));
    this.gauges.move(view.gaugePlace, tuple, state);
  }

  /** Writes the epoch's rows of both tables. */
  write(playback: RowWriter, now: RowWriter, logTimeMs: number, rows: RowEnds): void {
    this.#cells.write(playback, (tuple) => this.tuples.get(tuple), rows);
    this.gauges.write(now, this.tuples, logTimeMs, rows);
    while (this.#windows.size > WINDOWS_REMEMBERED) {
      const [oldest] = this.#windows.keys();
      if (oldest === undefined) return;
      this.#windows.delete(oldest);
    }
  }

  /**
   * Lets go of the tuples that neither a view nor the gauge nor a remembered window refers to, and numbers the others
   * anew. Only after `write`: cells are addressed by the old numbers.
   */
  sweepTuples(views: Iterable<View>, closed: ExpiringIds<ClosedView>): void {
    const used = new Uint8Array(this.tuples.size);
    const list = [...views];
    for (const { tuple, heldTuple, endedCell, gaugePlace } of list) {
      // Never looked up is -1, which no array holds.
      used[tuple] = 1;
      used[heldTuple] = 1;
      used[endedCell?.tuple ?? -1] = 1;
      if (gaugePlace.state >= 0) used[gaugePlace.tuple] = 1;
    }
    for (const [, { tuple }] of closed.entries()) used[tuple] = 1;
    for (const tuple of this.gauges.tuples()) used[tuple] = 1;
    for (const held of this.#windows.values()) for (const tuple of held) used[tuple] = 1;
    const numbers = this.tuples.sweep(used);
    this.#renumber(numbers, list);
    closed.map((view) => ({ ...view, tuple: numbers[view.tuple] ?? -1 }));
  }

  #renumber(numbers: Int32Array, views: readonly View[]): void {
    const numberOf = (tuple: number): number => numbers[tuple] ?? -1;
    for (const view of views) {
      const { endedCell, gaugePlace } = view;
      view.tuple = numberOf(view.tuple);
      view.heldTuple = numberOf(view.heldTuple);
      gaugePlace.tuple = gaugePlace.state >= 0 ? numberOf(gaugePlace.tuple) : -1;
      if (endedCell !== undefined)
        view.endedCell = { ...endedCell, tuple: numberOf(endedCell.tuple) };
    }
    this.gauges.renumber(numbers);
    for (const [window, held] of this.#windows)
      this.#windows.set(window, new Set(Array.from(held, numberOf)));
  }

  #apply(view: View, credit: PendingCredit): void {
    switch (credit.kind) {
      case 'credit':
        this.#credit(view, credit);
        break;
      case 'active':
        this.active(view, credit.state, credit.lineMs);
        break;
      case 'started':
        this.started(view, credit.lineMs, credit.startupMs);
        break;
      case 'rebufferStarted':
        this.rebufferStarted(view, credit.lineMs);
        break;
      case 'firstByte':
        this.firstByte(view, credit.lineMs, credit.ttfbMs);
        break;
    }
  }

  #credit(view: View, credit: Credit): void {
    const { state, fromLineMs, durationMs, rebuffering, bitrate, latencyMs } = credit;
    const cells = this.#cells;
    let at = view.clock.placeLine(fromLineMs);
    const toMs = at + durationMs;
    while (at < toMs) {
      const window = Math.floor(at / WINDOW_MS);
      const ms = Math.min(toMs, (window + 1) * WINDOW_MS) - at;
      const slot = this.#slotOf(view, window);
      // After another source took over, its time before playing may lie where time was credited already.
      cells.add(slot, SUM.viewing_ms, Math.max(0, at + ms - Math.max(at, view.viewedToMs)));
      if (state === STATE.playing) this.#creditPlaying(slot, ms, bitrate, latencyMs);
      else if (rebuffering) cells.add(slot, SUM.rebuffer_ms, ms);
      this.#countViewer(view, window, state);
      at += ms;
    }
    if (toMs > view.viewedToMs) view.viewedToMs = toMs;
  }

  #creditPlaying(slot: number, ms: number, bitrate: number, latencyMs: number): void {
    const cells = this.#cells;
    this.playingMs += ms;
    cells.add(slot, SUM.playing_ms, ms);
    if (bitrate > 0) {
      cells.add(slot, SUM.bitrate_bit_ms, bitrate * ms);
      cells.add(slot, SUM.bitrate_known_ms, ms);
      cells.addToSketch(slot, SKETCH.bitrate_sketch, sketchBucket(bitrate / 1_000), ms);
    }
    if (latencyMs >= 0) {
      cells.add(slot, SUM.latency_ms_ms, latencyMs * ms);
      cells.add(slot, SUM.latency_known_ms, ms);
      cells.addToSketch(slot, SKETCH.latency_sketch, sketchBucket(latencyMs), ms);
    }
  }

  /** Counts a view once a window, and once more while it is starting. */
  #countViewer(view: View, window: number, state: number): void {
    if (window > view.viewerWindow) {
      view.viewerWindow = window;
      this.#cells.add(this.#slotOf(view, window), SUM.viewers, 1);
    }
    if (state === STATE.starting && window > view.startingWindow) {
      view.startingWindow = window;
      this.#cells.add(this.#slotOf(view, window), SUM.starting_viewers, 1);
    }
  }

  #endedCell(view: View): EndedCell {
    const window = Math.floor(view.endMs / WINDOW_MS);
    const technical = hasFailed(view) && !view.errorBusiness;
    const { started } = view.machine;
    return {
      window,
      tuple:
        view.endedCell?.window === window
          ? view.endedCell.tuple
          : this.#resolve(window, this.#tupleOf(view)),
      decided: view.startedWindow === window ? 0 : 1,
      exit: !started && !hasFailed(view) ? 1 : 0,
      startupFailure: technical && !started ? 1 : 0,
      failure: technical ? 1 : 0,
    };
  }

  #addEnd(cell: EndedCell, sign: 1 | -1): void {
    const slot = this.#cells.slot(cell.window, cell.tuple);
    this.#cells.add(slot, SUM.views_ended, sign);
    this.#cells.add(slot, SUM.views_decided, sign * cell.decided);
    this.#cells.add(slot, SUM.exits_before_start, sign * cell.exit);
    this.#cells.add(slot, SUM.startup_failures, sign * cell.startupFailure);
    this.#cells.add(slot, SUM.failures, sign * cell.failure);
  }

  #tupleOf(view: View): number {
    if (view.tuple < 0) view.tuple = this.tuples.ofView(view.project, view.context.values);
    return view.tuple;
  }

  #slotOf(view: View, window: number): number {
    return this.#cells.slot(window, this.#resolve(window, this.#tupleOf(view)));
  }

  /** The tuple that a window has room for: beyond its limit video_id, then asn, then all become `(other)`. */
  #resolve(window: number, tuple: number): number {
    let held = this.#windows.get(window);
    if (held === undefined) {
      held = new Set();
      this.#windows.set(window, held);
    }
    if (held.has(tuple)) return tuple;
    const { intervalTuplesMax } = this.settings;
    let taken = tuple;
    if (held.size >= intervalTuplesMax) {
      this.tuplesCut++;
      taken = this.tuples.withoutVideo(tuple);
      // As much again for what is left of the tuple, then for the dimensions with few values; after that for none.
      if (!held.has(taken) && held.size >= 2 * intervalTuplesMax)
        taken = this.tuples.withoutBoth(tuple);
      if (!held.has(taken) && held.size >= TUPLE_STEPS * intervalTuplesMax)
        taken = this.tuples.withoutAll(tuple);
    }
    held.add(taken);
    return taken;
  }
}

/** Playing time that a view has and no row says yet, ms. */
export function pendingPlayingMs({ pendingCredits }: View): number {
  let pendingMs = 0;
  for (const credit of pendingCredits) {
    if (credit.kind === 'credit' && credit.state === STATE.playing) pendingMs += credit.durationMs;
  }
  return pendingMs;
}

/** States in which somebody watches: starting, playing, rebuffering, seeking. */
function isViewing(state: number): boolean {
  return state >= STATE.starting && state <= STATE.seeking;
}

function sameCell(one: EndedCell | undefined, other: EndedCell | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.window === other.window &&
    one.tuple === other.tuple &&
    one.decided === other.decided &&
    one.exit === other.exit &&
    one.startupFailure === other.startupFailure &&
    one.failure === other.failure
  );
}
