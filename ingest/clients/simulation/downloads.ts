/**
 * What a player fetches: the manifest, the init segment, then one media segment after the other. One request at a time.
 *
 * Guarantee: never asks for a live segment before it is published, nor for more than the buffer may hold.
 */
import {
  type Asset,
  initBytes,
  LADDER,
  manifestBytes,
  newestSegment,
  publishedMs,
  segmentBytes,
} from './assets.ts';
import type { Delivery, Route, Whereabouts } from './delivery.ts';
import {
  cutShort,
  type Exchange,
  endOf,
  planExchange,
  succeeded,
  type Wanted,
} from './exchange.ts';
import type { NetworkTrace } from './network-trace.ts';
import type { Access } from './population.ts';
import { mix } from './random.ts';
import type { RateAdaptation } from './rate-adaptation.ts';
import { Luck } from './request-luck.ts';
import type { Troubles } from './troubles.ts';

/** Failures of one object in a row before the player gives up, or goes to another CDN. */
export const FAILURES_MAX = 3;
const RETRY_MS = 500;
/** Live players begin so many segments behind the newest. */
const LIVE_HOLD_BACK = 3;
const BUFFER_MS_MAX = 30_000;

export interface DownloadDeps {
  readonly asset: Asset;
  readonly delivery: Delivery;
  readonly place: Whereabouts;
  readonly access: Access;
  readonly trace: NetworkTrace;
  /** Names the viewer's stream of luck. */
  readonly luckKey: number;
  readonly adaptation: RateAdaptation;
  readonly troubles: Troubles;
  /** The player knows of a second CDN. */
  readonly hasOtherCdn: boolean;
  /** File name of the manifest. */
  readonly manifest: string;
}

type Stage = 'manifest' | 'init' | 'media';

export class Downloads {
  /** The request under way. */
  exchange: Exchange | undefined;
  /** When the next begins, ms; infinite when nothing is to be fetched until the player moves on. */
  fetchAtMs = Number.POSITIVE_INFINITY;
  route: Route;
  readonly #deps: DownloadDeps;
  #stage: Stage = 'manifest';
  #segment = 0;
  #failures = 0;
  #fresh = true;
  #switched = false;

  constructor(route: Route, deps: DownloadDeps) {
    this.route = route;
    this.#deps = deps;
  }

  /** End of the request under way, ms; infinite without. */
  get endMs(): number {
    return this.exchange === undefined ? Number.POSITIVE_INFINITY : endOf(this.exchange);
  }

  /** True when all of the asset has been fetched. */
  get finished(): boolean {
    const { segmentMs, durationMs } = this.#deps.asset;
    return this.#segment * segmentMs >= durationMs;
  }

  /** Media time at which the next segment begins, ms. */
  get nextMediaMs(): number {
    return this.#segment * this.#deps.asset.segmentMs;
  }

  /** True once the failures of one object are too many. */
  get exhausted(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  /** Sets when the next request begins. `playing`: the buffer is drained in real time. */
  plan(nowMs: number, bufferMs: number, playing: boolean): void {
    if (this.exchange !== undefined || this.finished) {
      this.fetchAtMs = Number.POSITIVE_INFINITY;
      return;
    }
    const { asset } = this.#deps;
    const overMs = bufferMs + asset.segmentMs - BUFFER_MS_MAX;
    let atMs = this.#failures > 0 ? nowMs + RETRY_MS * this.#failures : nowMs;
    if (overMs > 0) atMs = playing ? Math.max(atMs, nowMs + overMs) : Number.POSITIVE_INFINITY;
    if (asset.live && this.#stage === 'media')
      atMs = Math.max(atMs, publishedMs(asset, this.#segment));
    this.fetchAtMs = atMs;
  }

  /** Begins the next request. `urgent`: the player waits for it. */
  begin(nowMs: number, bufferMs: number, urgent: boolean): void {
    this.fetchAtMs = Number.POSITIVE_INFINITY;
    const { asset, trace, access, luckKey } = this.#deps;
    const troubles = this.#deps.troubles.at(nowMs, this.route);
    const wanted = this.#want(bufferMs, urgent);
    const luck = new Luck(luckKey, this.#objectKey());
    const line = { route: this.route, asset, trace, luck, troubles, fresh: this.#fresh };
    this.#fresh = false;
    this.exchange = planExchange(wanted, { ...line, accessRttMs: access.rttMs }, nowMs);
  }

  /** Takes what came; undefined when nothing is under way. */
  take(nowMs: number): Exchange | undefined {
    const exchange = this.exchange;
    if (exchange === undefined) return undefined;
    this.exchange = undefined;
    if (!succeeded(exchange)) {
      this.#failures++;
      return exchange;
    }
    this.#failures = 0;
    this.#deps.adaptation.measure(exchange.bytes, exchange.ttlbMs);
    if (this.#stage === 'manifest') {
      this.#stage = 'init';
      if (this.#deps.asset.live) this.jumpToLive(nowMs);
    } else if (this.#stage === 'init') this.#stage = 'media';
    else this.#segment++;
    return exchange;
  }

  /** Gives up the request under way; undefined when there is none. */
  cancel(nowMs: number): Exchange | undefined {
    const exchange = this.exchange;
    this.exchange = undefined;
    return exchange === undefined ? undefined : cutShort(exchange, nowMs);
  }

  /** Goes on with the segment that holds a media time, ms. */
  jumpTo(mediaMs: number): void {
    this.#segment = Math.floor(mediaMs / this.#deps.asset.segmentMs);
    this.#failures = 0;
  }

  /** Goes on near the newest live segment. */
  jumpToLive(nowMs: number): void {
    this.#segment = newestSegment(this.#deps.asset, nowMs) - (LIVE_HOLD_BACK - 1);
  }

  /** Goes to another CDN where the player knows one. Returns false when it has nowhere to go. */
  switchCdn(): boolean {
    if (!this.#deps.hasOtherCdn || this.#switched) return false;
    this.#switched = true;
    this.#fresh = true;
    this.#failures = 0;
    const { delivery, place } = this.#deps;
    this.route = delivery.routeTo(place, delivery.other(this.route.cdn));
    return true;
  }

  /** What luck goes by: the object and how often it failed, not what has been asked for before. */
  #objectKey(): number {
    const objects = { manifest: -2, init: -1, media: this.#segment };
    return mix(objects[this.#stage], this.#failures);
  }

  #want(bufferMs: number, urgent: boolean): Wanted {
    const { asset, adaptation, manifest } = this.#deps;
    const measuredKilobits = Math.round(adaptation.kilobits / 100) * 100;
    const said = { asset, manifest, bufferMs, measuredKilobits, urgent, segment: -1, rung: -1 };
    if (this.#stage === 'manifest')
      return { ...said, kind: 'manifest', bytes: manifestBytes(asset) };
    if (this.#stage === 'init') return { ...said, kind: 'init', bytes: initBytes(asset) };
    const rung = adaptation.choose(bufferMs, asset.segmentMs);
    const segment = this.#segment;
    const chosen = LADDER[rung] ?? { bitrate: 0, width: 0, height: 0 };
    return { ...said, kind: 'segment', bytes: segmentBytes(asset, segment, chosen), segment, rung };
  }
}
