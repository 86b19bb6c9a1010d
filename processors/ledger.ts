/**
 * What became of everything that came: the numbers that a commit carries, and that anybody can add up again.
 * Records in an epoch = folded + rejected; events taken into views = events − duplicates − rejected.
 */

/** Counts of one epoch. */
export interface EpochCounts {
  /** Records of which nothing could be folded. */
  readonly recordsRejected: number;
  /** Events in its beats, places of refused ones left out. */
  readonly events: number;
  readonly eventsDuplicate: number;
  readonly eventsRejected: number;
}

export class Ledger {
  recordsRejected = 0;
  events = 0;
  eventsDuplicate = 0;
  eventsRejected = 0;

  /** Events that views must have taken since the counts were taken last. */
  get eventsTaken(): number {
    return this.events - this.eventsDuplicate - this.eventsRejected;
  }

  /** The counts since they were taken last. */
  take(): EpochCounts {
    const { recordsRejected, events, eventsDuplicate, eventsRejected } = this;
    this.recordsRejected = 0;
    this.events = 0;
    this.eventsDuplicate = 0;
    this.eventsRejected = 0;
    return { recordsRejected, events, eventsDuplicate, eventsRejected };
  }
}
