/**
 * Equations that must hold over what was folded, whatever the rows are. Pure: numbers in, equations out.
 *
 * Each names two ways to the same number. One whose numbers are not known is not asked.
 */

export interface AuditNumbers {
  /** Records that the log gave up to the end of the last epoch. */
  readonly recordsRead: number;
  /** Records that the epochs say they folded. */
  readonly recordsInEpochs: number;
  /** What became of the events, where the fold has told. */
  readonly events?: EventNumbers;
  /** Playing time told twice, where the fold has told. */
  readonly playing?: PlayingNumbers;
}

export interface EventNumbers {
  /** Events in the beats that came. */
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: number;
  /** Events that views have taken. */
  readonly inViews: number;
}

export interface PlayingNumbers {
  /** Sum over all interval rows, ms. */
  readonly intervalsMs: number;
  /** Sum over all views, ms. */
  readonly viewsMs: number;
}

export interface Equation {
  readonly name: string;
  readonly expected: number;
  readonly found: number;
}

/** The equations that do not hold. */
export function brokenEquations(numbers: AuditNumbers): Equation[] {
  return equationsOf(numbers).filter(({ expected, found }) => expected !== found);
}

function equationsOf({ recordsRead, recordsInEpochs, events, playing }: AuditNumbers): Equation[] {
  const equations: Equation[] = [
    { name: 'records_in_epochs', expected: recordsRead, found: recordsInEpochs },
  ];
  if (events !== undefined) {
    const expected = events.accepted - events.duplicate - events.rejected;
    equations.push({ name: 'events_in_views', expected, found: events.inViews });
  }
  if (playing !== undefined) {
    const { viewsMs, intervalsMs } = playing;
    equations.push({ name: 'playing_ms_in_intervals', expected: viewsMs, found: intervalsMs });
  }
  return equations;
}
