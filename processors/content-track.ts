/**
 * Where in its content a view was: what parts it played, and where it met trouble.
 *
 * Players say a position now and then. Between two positions with nothing but playing (and pauses and rebuffering, which
 * do not move it) the content lies between them. What was played before a seek, or up to the end, goes on at the rate
 * seen last; what was played after a seek before a position is said goes back from that one. A position that playing
 * cannot have led to is a jump that nobody reported.
 */
import { addRange, secondOf } from './content-ranges.ts';
import type { FoldCounters } from './fold-counters.ts';
import type { FoldSettings } from './settings.ts';

/** Positions beyond are none: players of live streams may give a time of day, ms. */
export const CONTENT_MS_MAX = 86_400_000;
/** The fastest that playing moves, content ms a ms, and what clocks and rounding may add, ms. */
const RATE_MAX = 4;
const SLACK_MS = 2_000;
/** A stretch tells its rate when it is at least so long, ms, and has moved at least so fast: an ad moves nothing. */
const RATE_KNOWN_MS = 1_000;
const RATE_LEAST = 0.25;

/** Kinds of trouble, in the order of their numbers. */
export const TROUBLES = ['rebuffer', 'downswitch', 'error'] as const;
export const TROUBLE = { rebuffer: 0, downswitch: 1, error: 2 } as const;

/** Troubles of one kind in one second of the content. */
export interface Trouble {
  /** Place in `TROUBLES`. */
  readonly kind: number;
  readonly second: number;
  count: number;
  /** Time that they took, ms; 0 where they take none. */
  durationMs: number;
}

export interface SavedContent {
  readonly anchorMs: number;
  readonly anchorPlayedMs: number;
  readonly rate: number;
  readonly furthestMs: number;
  readonly rebufferSecond: number;
  readonly ranges: readonly number[];
  readonly troubles: readonly Trouble[];
}

export type ContentLimits = Pick<FoldSettings, 'contentRangesMax' | 'troublesPerViewMax'>;

const NO_TROUBLE: readonly Trouble[] = [];

export class ContentTrack {
  readonly #counters: FoldCounters;
  /** Position that was said last; not a number when none was since a seek. */
  #anchorMs = Number.NaN;
  /** Playing time of the view there, or at the seek, ms. */
  #anchorPlayedMs: number;
  #rate = 1;
  #furthestMs = 0;
  /** Where the rebuffering that is open began; -1 where that is not known. */
  #rebufferSecond = -1;
  #ranges: number[] = [];
  #troubles: Trouble[] | undefined;

  /** @param playedMs Playing time of the view when it sought last, ms; 0 when it never did. */
  constructor(playedMs: number, counters: FoldCounters) {
    this.#anchorPlayedMs = playedMs;
    this.#counters = counters;
  }

  static load(saved: SavedContent, counters: FoldCounters): ContentTrack {
    const track = new ContentTrack(saved.anchorPlayedMs, counters);
    track.#anchorMs = saved.anchorMs;
    track.#rate = saved.rate;
    track.#furthestMs = saved.furthestMs;
    track.#rebufferSecond = saved.rebufferSecond;
    track.#ranges = [...saved.ranges];
    if (saved.troubles.length > 0) track.#troubles = [...saved.troubles];
    return track;
  }

  save(): SavedContent {
    return {
      anchorMs: this.#anchorMs,
      anchorPlayedMs: this.#anchorPlayedMs,
      rate: this.#rate,
      furthestMs: this.#furthestMs,
      rebufferSecond: this.#rebufferSecond,
      ranges: this.#ranges,
      troubles: this.troubles,
    };
  }

  get troubles(): readonly Trouble[] {
    return this.#troubles ?? NO_TROUBLE;
  }

  /** Numbers that its columns hold, for who asks how long a row will be. */
  get size(): number {
    return this.#ranges.length + 4 * this.troubles.length;
  }

  /** Where the view stands after so much playing, ms; not a number where that is not known. */
  positionAt(playedMs: number): number {
    const movedMs = Math.round((playedMs - this.#anchorPlayedMs) * this.#rate);
    return Math.min(this.#anchorMs + movedMs, CONTENT_MS_MAX);
  }

  /** The largest position said or played, ms. */
  furthestAt(playedMs: number): number {
    const atMs = this.positionAt(playedMs);
    return Number.isNaN(atMs) ? this.#furthestMs : Math.max(this.#furthestMs, atMs);
  }

  /** The parts played up to where the view stands, seconds: from and to of each in turn. One more than the limit. */
  rangesAt(playedMs: number): number[] {
    const ranges = [...this.#ranges];
    addRange(ranges, this.#anchorMs, this.positionAt(playedMs), Number.POSITIVE_INFINITY);
    return ranges;
  }

  /** A seek begins: what was played up to it lies before, and where it leads is not known yet. */
  seek(playedMs: number, limits: ContentLimits): void {
    this.#play(this.#anchorMs, this.positionAt(playedMs), limits);
    this.#anchorMs = Number.NaN;
    this.#anchorPlayedMs = playedMs;
  }

  /** The player says where it is. */
  say(contentMs: number, playedMs: number, limits: ContentLimits): void {
    const sinceMs = playedMs - this.#anchorPlayedMs;
    if (sinceMs > 0) this.#reach(contentMs, sinceMs, limits);
    this.#anchorMs = contentMs;
    this.#anchorPlayedMs = playedMs;
    this.#furthestMs = Math.max(this.#furthestMs, contentMs);
  }

  #reach(contentMs: number, sinceMs: number, limits: ContentLimits): void {
    const anchorMs = this.#anchorMs;
    if (Number.isNaN(anchorMs)) {
      this.#play(Math.max(0, contentMs - Math.round(sinceMs * this.#rate)), contentMs, limits);
      return;
    }
    const movedMs = contentMs - anchorMs;
    if (movedMs < 0 || movedMs > sinceMs * RATE_MAX + SLACK_MS) {
      this.#play(anchorMs, this.positionAt(this.#anchorPlayedMs + sinceMs), limits);
      return;
    }
    this.#play(anchorMs, contentMs, limits);
    const rate = Math.min(RATE_MAX, movedMs / sinceMs);
    if (sinceMs >= RATE_KNOWN_MS && rate >= RATE_LEAST) this.#rate = rate;
  }

  #play(fromMs: number, toMs: number, { contentRangesMax }: ContentLimits): void {
    if (Number.isNaN(fromMs)) return;
    this.#furthestMs = Math.max(this.#furthestMs, toMs);
    this.#counters.contentGapsClosed += addRange(this.#ranges, fromMs, toMs, contentRangesMax);
  }

  /** A rebuffering begins where the view stands. */
  beginRebuffering(playedMs: number, limits: ContentLimits): void {
    const contentMs = this.positionAt(playedMs);
    this.#rebufferSecond = Number.isNaN(contentMs) ? -1 : secondOf(contentMs);
    this.#add(TROUBLE.rebuffer, this.#rebufferSecond, limits, { count: 1, durationMs: 0 });
  }

  /** Time of the rebuffering that is open. */
  addRebuffering(durationMs: number, limits: ContentLimits): void {
    this.#add(TROUBLE.rebuffer, this.#rebufferSecond, limits, { count: 0, durationMs });
  }

  /** Troubles that take no time, where the view stood after so much playing. */
  meet(kind: number, count: number, playedMs: number, limits: ContentLimits): void {
    const contentMs = this.positionAt(playedMs);
    const second = Number.isNaN(contentMs) ? -1 : secondOf(contentMs);
    this.#add(kind, second, limits, { count, durationMs: 0 });
  }

  /** What has no place, or no room, is in the view's figures alone. */
  #add(
    kind: number,
    second: number,
    { troublesPerViewMax }: ContentLimits,
    { count, durationMs }: Pick<Trouble, 'count' | 'durationMs'>,
  ): void {
    if (second < 0) return;
    this.#troubles ??= [];
    const troubles = this.#troubles;
    const known = troubles.findLast(
      (trouble) => trouble.second === second && trouble.kind === kind,
    );
    if (known !== undefined) {
      known.count += count;
      known.durationMs += durationMs;
    } else if (troubles.length < troublesPerViewMax) {
      troubles.push({ kind, second, count, durationMs });
    } else {
      this.#counters.troublesUnplaced++;
    }
  }
}
