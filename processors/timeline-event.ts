/**
 * One line of a view's timeline, before it is a row. One object is filled again and again for what is written at once;
 * what must wait for the view's place in time is copied.
 */
import type { View } from './view.ts';

/** What became of a report: taken whole, too late for its state, or not from the source that drives the view. */
export type Taken = 'yes' | 'late' | 'shadowed';

/** Codes of lanes and sources beyond those of a beat. */
export const LANE_EDGE = 2;
export const SOURCE_EDGE = 3;

const EMPTY = Buffer.alloc(0);

/** A line that `held` gave: its bytes are its own. */
export type SavedEvent = Omit<
  TimelineEvent,
  'nameStart' | 'nameEnd' | 'partsStart' | 'partsEnd' | 'setTotals' | 'held'
>;

export class TimelineEvent {
  /** Moment on the view's line, ms; for an edge request on the log's clock. */
  lineMs = 0;
  clientAt = 0;
  source = 0;
  lane = 0;
  run = 0;
  seq = -1;
  /** State of the view after it, -1 without. */
  state = -1;
  taken: Taken = 'yes';
  /** Running totals of the view after it. */
  startupMs = 0;
  playingMs = 0;
  rebufferMs = 0;
  rebufferCount = 0;
  seekMs = 0;
  /** Where its name and its parts lie. */
  nameBytes: Buffer = EMPTY;
  nameStart = 0;
  nameEnd = 0;
  bytes: Buffer = EMPTY;
  partsStart = 0;
  partsEnd = 0;

  static load(saved: SavedEvent): TimelineEvent {
    const event = Object.assign(new TimelineEvent(), saved);
    event.nameEnd = event.nameBytes.length;
    event.partsEnd = event.bytes.length;
    return event;
  }

  setTotals({ machine }: View): void {
    this.startupMs = machine.startupMs;
    this.playingMs = machine.playing.totalMs;
    this.rebufferMs = machine.rebufferMs;
    this.rebufferCount = machine.rebufferCount;
    this.seekMs = machine.seekMs;
  }

  /** A copy that keeps its bytes. */
  held(): TimelineEvent {
    const copy = Object.assign(new TimelineEvent(), this);
    copy.nameBytes = Buffer.from(this.nameBytes.subarray(this.nameStart, this.nameEnd));
    copy.nameStart = 0;
    copy.nameEnd = copy.nameBytes.length;
    copy.bytes = Buffer.from(this.bytes.subarray(this.partsStart, this.partsEnd));
    copy.partsStart = 0;
    copy.partsEnd = copy.bytes.length;
    return copy;
  }
}
