/**
 * What the time of a view counts as, from its events: the bands of the timeline. The rules are those of the view's own
 * figures (CTA-2066): before first playing all is startup; after a seek, rebuffering is part of the seek until playing.
 */
import type { TimelineEvent } from '../api/answers.ts';

export type BandKind =
  | 'preloading'
  | 'starting'
  | 'playing'
  | 'rebuffering'
  | 'seeking'
  | 'paused'
  | 'restarting'
  | 'failed'
  | 'ended'
  | 'quit'
  | 'unknown';

export interface Band {
  /** What the time counts as. */
  readonly kind: BandKind;
  /** State that the player reported. */
  readonly reported: string;
  /** The log's clock, ms since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A silence beyond this is unknown time, unless paused, ms: the fold's `gapMs`. */
const GAP_MS = 60_000;

/** Events that drive the states of the view: not late, not of another source, no reports of responses. */
export const drives = ({ lane, taken, state }: TimelineEvent): boolean =>
  lane === 'main' && taken === 'yes' && state !== '';

/** The bands up to `endMs`, in order and without holes. `events` are in order of time. */
export function bandsOf(events: readonly TimelineEvent[], endMs: number): readonly Band[] {
  const bands: Band[] = [];
  const reading: Reading = { played: false, sought: false };
  const driving = events.filter(drives);
  driving.forEach((event, index) => {
    const toMs = Math.max(event.event_time, driving[index + 1]?.event_time ?? endMs);
    const kind = kindOf(event.state, reading);
    for (const band of cut({ kind, reported: event.state, fromMs: event.event_time, toMs })) {
      append(bands, band);
    }
  });
  return bands;
}

interface Reading {
  played: boolean;
  /** A seek has begun and no playing came since. */
  sought: boolean;
}

function kindOf(state: string, reading: Reading): BandKind {
  switch (state) {
    case 'playing':
      reading.played = true;
      reading.sought = false;
      return 'playing';
    case 'seeking':
      if (!reading.played) return 'starting';
      reading.sought = true;
      return 'seeking';
    case 'rebuffering':
      if (!reading.played) return 'starting';
      return reading.sought ? 'seeking' : 'rebuffering';
    case 'preloading':
    case 'starting':
      return reading.played ? 'restarting' : state;
    case 'paused':
    case 'failed':
    case 'ended':
    case 'quit':
      return state;
    default:
      return 'unknown';
  }
}

/** After an end nothing is missing; while paused, silence is no gap. */
const MAY_BE_SILENT: ReadonlySet<BandKind> = new Set(['paused', 'ended', 'quit', 'failed']);

function cut(band: Band): readonly Band[] {
  if (MAY_BE_SILENT.has(band.kind) || band.toMs - band.fromMs <= GAP_MS) return [band];
  const edgeMs = band.fromMs + GAP_MS;
  return [
    { ...band, toMs: edgeMs },
    { kind: 'unknown', reported: '', fromMs: edgeMs, toMs: band.toMs },
  ];
}

function append(bands: Band[], band: Band): void {
  const last = bands.at(-1);
  if (last?.kind === band.kind && last.reported === band.reported) {
    bands[bands.length - 1] = { ...last, toMs: band.toMs };
  } else {
    bands.push(band);
  }
}

/** Time of each kind, ms, largest first. */
export function totalsOf(bands: readonly Band[]): readonly (readonly [BandKind, number])[] {
  const totals = new Map<BandKind, number>();
  for (const { kind, fromMs, toMs } of bands) {
    totals.set(kind, (totals.get(kind) ?? 0) + toMs - fromMs);
  }
  return [...totals].sort(([, one], [, other]) => other - one);
}

/** The band that a time lies in. */
export function bandAt(bands: readonly Band[], timeMs: number): Band | undefined {
  return bands.findLast(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs);
}
