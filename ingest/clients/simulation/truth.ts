/**
 * What a simulation knows to be true, in all: the figures that a faultless collector must come to.
 *
 * Guarantee: every number is a sum of whole numbers of closed views, or a count; nothing is estimated. Names are those
 * of the columns of `views` where there is one.
 */
import type { Delivered } from './edge-log.ts';
import type { Trouble } from './troubles.ts';
import type { ActiveWindows } from './truth-clock.ts';
import type { ViewFigures, ViewTruth } from './view-figures.ts';

/** Windows of viewers who were active at the same time, ms. */
export const WINDOW_MS = 5_000;
/** Views of which each is kept; beyond, only the sums have them. */
const VIEWS_MAX = 200_000;

/** Figures that are summed over views. Startup counts for views that have started only. */
const SUMMED = [
  'startup_ms',
  'playing_ms',
  'rebuffer_ms',
  'rebuffer_count',
  'seek_ms',
  'seek_done_ms',
  'seek_count',
  'paused_ms',
  'bitrate_bit_ms',
  'bitrate_known_ms',
  'rendition_changes',
  'rendition_upshifts',
  'rendition_downshifts',
  'request_count',
  'request_failed_count',
  'media_ttfb_sum_ms',
  'media_ttfb_count',
  'media_bytes',
  'media_time_ms',
  'error_count',
  'ad_attempt_count',
  'ad_impression_count',
  'ad_break_count',
  'ad_error_count',
] as const satisfies readonly (keyof ViewFigures)[];

export type Sums = Record<(typeof SUMMED)[number], number>;

interface Breakdown {
  views: number;
  started: number;
  playing_ms: number;
  rebuffer_ms: number;
}

export interface Truth {
  /** The simulated clock, ms since 1970. */
  readonly start_at: number;
  readonly end_at: number;
  readonly seed: number;
  readonly views: number;
  readonly started: number;
  readonly unique_viewers: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failures: {
    readonly startup_technical: number;
    readonly playback_technical: number;
    readonly business: number;
  };
  readonly sources: Readonly<Record<string, number>>;
  readonly sums: Readonly<Sums>;
  /** Reports that left their players. */
  readonly reports: number;
  /** By what the server can know: a CMCD viewer's country is empty. */
  readonly by_country: Readonly<Record<string, Breakdown>>;
  readonly by_cdn: Readonly<Record<string, Breakdown>>;
  /** What the edges delivered, by CDN, whoever reported it. */
  readonly delivered: Readonly<Record<string, Delivered>>;
  /** Views that were active at any time in each window of 5 s, by its start, ms since 1970. */
  readonly concurrent_viewers: Readonly<Record<string, number>>;
  readonly troubles: readonly PlantedTrouble[];
  /** Each view, in the order in which they closed; those beyond the limit are only in the sums. */
  readonly view_list?: readonly ViewTruth[];
  readonly views_left_out?: number;
}

export interface PlantedTrouble {
  readonly kind: string;
  readonly cdn: string;
  readonly pop: string;
  /** ms since 1970. */
  readonly from: number;
  readonly until: number;
  readonly error_share: number;
  readonly added_ms: number;
  readonly rate_share: number;
}

export class TruthTotals implements ActiveWindows {
  readonly #startAtMs: number;
  readonly #keepsViews: boolean;
  readonly #viewList: ViewTruth[] = [];
  readonly #viewers = new Set<string>();
  readonly #windows = new Map<number, number>();
  readonly #outcomes: Record<string, number> = {};
  readonly #sources: Record<string, number> = {};
  readonly #byCountry: Record<string, Breakdown> = {};
  readonly #byCdn: Record<string, Breakdown> = {};
  readonly #failures = { startup_technical: 0, playback_technical: 0, business: 0 };
  readonly #sums: Sums = noSums();
  views = 0;
  #started = 0;
  #reports = 0;
  #leftOut = 0;

  constructor(startAtMs: number, keepsViews: boolean) {
    this.#startAtMs = startAtMs;
    this.#keepsViews = keepsViews;
  }

  indexOf(nowMs: number): number {
    return Math.floor((this.#startAtMs + nowMs) / WINDOW_MS);
  }

  add(window: number): void {
    this.#windows.set(window, (this.#windows.get(window) ?? 0) + 1);
  }

  take(view: ViewTruth): void {
    this.views++;
    if (view.started) this.#started++;
    this.#reports += view.reports;
    if (view.viewer_user_id !== '') this.#viewers.add(view.viewer_user_id);
    count(this.#outcomes, view.outcome);
    count(this.#sources, view.source);
    if (view.failed) this.#failures.playback_technical++;
    if (view.failed && !view.started) this.#failures.startup_technical++;
    if (view.failed_business) this.#failures.business++;
    for (const name of SUMMED) {
      if (name !== 'startup_ms' || view.started) this.#sums[name] += view.figures[name] ?? 0;
    }
    divide(this.#byCountry, view.country, view);
    divide(this.#byCdn, view.cdn, view);
    if (!this.#keepsViews) return;
    if (this.#viewList.length < VIEWS_MAX) this.#viewList.push(view);
    else this.#leftOut++;
  }

  /** All that is true at a moment, when every view has closed. */
  state(about: {
    readonly seed: number;
    readonly nowMs: number;
    readonly delivered: ReadonlyMap<string, Delivered>;
    readonly troubles: readonly Trouble[];
  }): Truth {
    const startAt = this.#startAtMs;
    const windows = [...this.#windows].sort(([one], [other]) => one - other);
    const kept = { view_list: this.#viewList, views_left_out: this.#leftOut };
    return {
      start_at: startAt,
      end_at: startAt + about.nowMs,
      seed: about.seed,
      views: this.views,
      started: this.#started,
      unique_viewers: this.#viewers.size,
      outcomes: this.#outcomes,
      failures: this.#failures,
      sources: this.#sources,
      sums: this.#sums,
      reports: this.#reports,
      by_country: this.#byCountry,
      by_cdn: this.#byCdn,
      delivered: Object.fromEntries(about.delivered),
      concurrent_viewers: Object.fromEntries(
        windows.map(([window, viewers]) => [window * WINDOW_MS, viewers]),
      ),
      troubles: about.troubles.map((trouble) => planted(trouble, startAt)),
      ...(this.#keepsViews ? kept : {}),
    };
  }
}

function noSums(): Sums {
  return Object.fromEntries(SUMMED.map((name) => [name, 0])) as Sums;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function divide(parts: Record<string, Breakdown>, value: string, view: ViewTruth): void {
  const part = parts[value] ?? { views: 0, started: 0, playing_ms: 0, rebuffer_ms: 0 };
  parts[value] = part;
  part.views++;
  if (view.started) part.started++;
  part.playing_ms += view.figures.playing_ms ?? 0;
  part.rebuffer_ms += view.figures.rebuffer_ms ?? 0;
}

function planted(trouble: Trouble, startAtMs: number): PlantedTrouble {
  return {
    kind: trouble.kind,
    cdn: trouble.cdn,
    pop: trouble.pop,
    from: startAtMs + trouble.fromMs,
    until: startAtMs + trouble.untilMs,
    error_share: trouble.errorShare,
    added_ms: trouble.addedMs,
    rate_share: trouble.rateShare,
  };
}
