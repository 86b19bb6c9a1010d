/**
 * What a simulation knows to be true, in all: the figures that a faultless collector must come to.
 *
 * Guarantee: every number is a sum of whole numbers of closed views, or a count; nothing is estimated. Names are those
 * of the columns of `views` where there is one.
 */
import type { CdnPrice, CdnProfile } from './cdn-profile.ts';
import type { Delivered, DeliveredIn, DeliveryTruth } from './delivery-truth.ts';
import { type Exchange, pathOf } from './exchange.ts';
import { HOPS, type Hop, type Trouble } from './troubles.ts';
import type { ActiveWindows } from './truth-clock.ts';
import type { ViewFigures, ViewTruth } from './view-figures.ts';

/** Windows of viewers who were active at the same time, ms. */
export const WINDOW_MS = 5_000;
/** Views of which each is kept; beyond, only the sums have them. So many struck requests too. */
const VIEWS_MAX = 200_000;
const STRUCK_MAX = 200_000;

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
  /** By what the server can know: of a CMCD viewer, its edges say the country. */
  readonly by_country: Readonly<Record<string, Breakdown>>;
  readonly by_cdn: Readonly<Record<string, Breakdown>>;
  /** What the edges delivered, by CDN, whoever reported it. */
  readonly delivered: Readonly<Record<string, Delivered>>;
  /** The same by CDN, country and time, as it is billed; each logged request once. */
  readonly delivered_by_month: readonly DeliveredIn[];
  readonly delivered_by_day: readonly DeliveredIn[];
  /** What each CDN costs. */
  readonly prices: Readonly<Record<string, CdnPrice>>;
  /** Views that were active at any time in each window of 5 s, by its start, ms since 1970. */
  readonly concurrent_viewers: Readonly<Record<string, number>>;
  readonly troubles: readonly PlantedTrouble[];
  /** Each view, in the order in which they closed; those beyond the limit are only in the sums. */
  readonly view_list?: readonly ViewTruth[];
  readonly views_left_out?: number;
  /** Each request that a trouble made slower or failed, in the order in which they ended. */
  readonly struck_requests?: readonly StruckRequest[];
  readonly struck_requests_left_out?: number;
}

export interface StruckRequest {
  readonly view_id: string;
  readonly path: string;
  readonly cdn: string;
  readonly pop: string;
  /** When the player asked, by its clock, ms since 1970. */
  readonly at: number;
  readonly hop: Hop;
  /** Place of the trouble in `troubles`. */
  readonly trouble: number;
}

export interface PlantedTrouble {
  readonly kind: string;
  readonly hop: Hop;
  readonly cdn: string;
  readonly pop: string;
  readonly asn: number;
  /** ms since 1970. */
  readonly from: number;
  readonly until: number;
  readonly error_share: number;
  readonly error_status: number;
  readonly added_ms: number;
  readonly rate_share: number;
  readonly rtt_added_ms: number;
  readonly loss_share: number;
  readonly no_answer_share: number;
}

export class TruthTotals implements ActiveWindows {
  readonly #startAtMs: number;
  readonly #keepsViews: boolean;
  readonly #viewList: ViewTruth[] = [];
  readonly #struck: StruckRequest[] = [];
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
  #struckLeftOut = 0;

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

  /** Takes note of a request that troubles have struck. */
  strike(viewId: string, exchange: Exchange, placeOf: (trouble: Trouble) => number): void {
    if (!this.#keepsViews) return;
    const { wanted, route, startMs, troubles } = exchange;
    for (const trouble of troubles) {
      if (this.#struck.length >= STRUCK_MAX) {
        this.#struckLeftOut++;
        continue;
      }
      this.#struck.push({
        view_id: viewId,
        path: pathOf(wanted),
        cdn: route.cdn.id,
        pop: route.pop.name,
        at: this.#startAtMs + startMs,
        hop: HOPS[trouble.kind],
        trouble: placeOf(trouble),
      });
    }
  }

  /** All that is true at a moment, when every view has closed. */
  state(about: {
    readonly seed: number;
    readonly nowMs: number;
    readonly delivered: DeliveryTruth;
    readonly cdns: readonly CdnProfile[];
    readonly troubles: readonly Trouble[];
  }): Truth {
    const startAt = this.#startAtMs;
    const windows = [...this.#windows].sort(([one], [other]) => one - other);
    const kept = {
      view_list: this.#viewList,
      views_left_out: this.#leftOut,
      struck_requests: this.#struck,
      struck_requests_left_out: this.#struckLeftOut,
    };
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
      delivered: Object.fromEntries(about.delivered.byCdn),
      delivered_by_month: about.delivered.months,
      delivered_by_day: about.delivered.days,
      prices: Object.fromEntries(about.cdns.map(({ id, price }) => [id, price])),
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
    hop: HOPS[trouble.kind],
    cdn: trouble.cdn,
    pop: trouble.pop,
    asn: trouble.asn,
    from: startAtMs + trouble.fromMs,
    until: startAtMs + trouble.untilMs,
    error_share: trouble.errorShare,
    error_status: trouble.errorStatus,
    added_ms: trouble.addedMs,
    rate_share: trouble.rateShare,
    rtt_added_ms: trouble.rttAddedMs,
    loss_share: trouble.lossShare,
    no_answer_share: trouble.noAnswerShare,
  };
}
