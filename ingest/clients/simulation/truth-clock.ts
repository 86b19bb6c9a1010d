/**
 * The truth of one view: what the player did, by its own clock, with the definitions of METRICS "A view".
 *
 * Guarantee: it reads the player's states, never a message. Times are the same whole milliseconds that are sent, so its
 * figures are those that a faultless collector must find, to the unit. What happened after the last report of a viewer
 * who vanished is taken back, because the view ends there for everyone else.
 */
import type { PlayerState } from '../../../schemas/beat.ts';
import { type Exchange, succeeded } from './exchange.ts';
import { type KnownFigures, noFigures } from './view-figures.ts';

/** Takes note of active viewers by window. */
export interface ActiveWindows {
  /** One more viewer is active in a window. */
  add(window: number): void;
  /** Number of the window that a moment lies in, ms since the simulation's start. */
  indexOf(nowMs: number): number;
}

/** A value over playing time. */
class Weighed {
  knownMs = 0;
  positive = 0;
  negative = 0;
  max = 0;
  min = 0;

  add(value: number, ms: number): void {
    this.knownMs += ms;
    if (value > 0) this.positive += value * ms;
    else this.negative += value * ms;
    this.max = Math.max(this.max, value);
    this.min = Math.min(this.min, value);
  }

  copy(): Weighed {
    return Object.assign(new Weighed(), this);
  }
}

interface Saved {
  readonly figures: KnownFigures;
  readonly scale: Weighed;
  readonly latency: Weighed;
  readonly cdn: string;
  readonly atMs: number;
  readonly startMs: number;
  readonly started: boolean;
}

const NOT_SHOWN = -1;
const NOT_LIVE = -1;
const UNKNOWN_SCALE = Number.NaN;

export class TruthClock {
  figures = noFigures();
  /** CDN of the view as it is reported. */
  cdn: string;
  /** First `starting`, or birth before that; ms since the simulation's start. */
  startMs: number;
  /** When the last report left; the end of the view. */
  lastReportMs: number;
  started = false;
  readonly #windows: ActiveWindows;
  readonly #canVanish: boolean;
  #scale = new Weighed();
  #latency = new Weighed();
  #state: PlayerState = 'preloading';
  #sinceMs: number;
  #startSeen = false;
  #seekOpen = false;
  #seekOpenMs = 0;
  #rebufferOpen = false;
  #bitrate = NOT_SHOWN;
  #bitrateBefore = NOT_SHOWN;
  #scalePpm = UNKNOWN_SCALE;
  #latencyMs = NOT_LIVE;
  /** Windows in which the viewer was active, not reported yet; the last that was noted. */
  #windowsNoted: number[] = [];
  #windowLast = -1;
  #saved: Saved | undefined;

  /** @param canVanish The viewer may leave without a word: each report is a place to go back to. */
  constructor(bornMs: number, cdn: string, windows: ActiveWindows, canVanish: boolean) {
    this.startMs = bornMs;
    this.lastReportMs = bornMs;
    this.#sinceMs = bornMs;
    this.cdn = cdn;
    this.#windows = windows;
    this.#canVanish = canVanish;
  }

  enter(state: PlayerState, nowMs: number): void {
    this.settle(nowMs);
    const before = this.#state;
    this.#state = state;
    if (state === 'starting' && !this.#startSeen) this.#begin(nowMs);
    else if (state === 'playing') this.#play();
    else if (state === 'seeking') this.#seekOpen = this.started;
    else if (state === 'rebuffering') this.#rebuffer(before);
  }

  /** Gives the time until now to the state held. */
  settle(nowMs: number): void {
    const passedMs = nowMs - this.#sinceMs;
    if (passedMs < 0) throw new RangeError(`the player's clock went back by ${-passedMs} ms`);
    if (passedMs > 0) {
      this.#noteWindows(nowMs);
      this.#credit(passedMs);
    }
    this.#sinceMs = nowMs;
  }

  /** What is on screen from now on. `scalePpm` is how much it is enlarged, 10⁻⁶. */
  show(bitrate: number, scalePpm: number, nowMs: number): void {
    this.settle(nowMs);
    this.#bitrate = bitrate;
    this.#scalePpm = scalePpm;
  }

  /** How far behind the live picture the viewer plays from now on, ms. */
  latency(ms: number, nowMs: number): void {
    this.settle(nowMs);
    this.#latencyMs = ms;
  }

  request(exchange: Exchange): void {
    const { figures } = this;
    const { status, ttfbMs, ttlbMs, bytes, wanted } = exchange;
    figures.request_count++;
    if (status === 0 || status >= 400) figures.request_failed_count++;
    if (!succeeded(exchange) || wanted.kind === 'manifest') return;
    figures.media_ttfb_sum_ms += ttfbMs;
    figures.media_ttfb_count++;
    figures.media_ttfb_max_ms = Math.max(figures.media_ttfb_max_ms, ttfbMs);
    figures.media_bytes += bytes;
    figures.media_time_ms += ttlbMs;
  }

  /** An advertisement was asked for, and played or failed. */
  ad(failed: boolean): void {
    this.figures.ad_break_count++;
    this.figures.ad_attempt_count++;
    if (failed) this.figures.ad_error_count++;
    else this.figures.ad_impression_count++;
  }

  /** A report has left: all until now can be known. */
  reported(nowMs: number): void {
    this.settle(nowMs);
    this.lastReportMs = nowMs;
    for (const window of this.#windowsNoted) this.#windows.add(window);
    this.#windowsNoted = [];
    if (this.#canVanish) this.#save(nowMs);
  }

  /** The viewer has vanished: back to the last report. Without one there was no view. */
  takeBack(): boolean {
    const saved = this.#saved;
    if (saved === undefined) return false;
    this.figures = saved.figures;
    this.#scale = saved.scale;
    this.#latency = saved.latency;
    this.cdn = saved.cdn;
    this.lastReportMs = saved.atMs;
    this.startMs = saved.startMs;
    this.started = saved.started;
    return true;
  }

  /** Writes what is a mean over playing time into the figures. */
  close(): void {
    const { figures } = this;
    const { knownMs, positive, negative, max, min } = this.#scale;
    if (knownMs > 0) {
      figures.upscale_ppm = Math.round(positive / knownMs);
      // Taken from zero, because a negated zero is another number.
      figures.downscale_ppm = Math.round((0 - negative) / knownMs);
      figures.max_upscale_ppm = max;
      figures.max_downscale_ppm = 0 - min;
    }
    const latency = this.#latency;
    if (latency.knownMs > 0)
      figures.live_latency_ms = Math.round(latency.positive / latency.knownMs);
  }

  #begin(nowMs: number): void {
    this.#startSeen = true;
    this.startMs = nowMs;
    this.figures.startup_ms = 0;
    this.figures.paused_ms = 0;
  }

  #play(): void {
    this.started = true;
    if (this.#seekOpen) {
      this.figures.seek_count++;
      this.figures.seek_done_ms += this.#seekOpenMs;
    }
    this.#seekOpen = false;
    this.#seekOpenMs = 0;
    this.#rebufferOpen = false;
  }

  #rebuffer(before: PlayerState): void {
    if (!this.started || this.#seekOpen || this.#rebufferOpen) return;
    if (before !== 'playing' && before !== 'paused') return;
    this.#rebufferOpen = true;
    this.figures.rebuffer_count++;
  }

  #credit(ms: number): void {
    const { figures } = this;
    if (this.#state === 'paused') figures.paused_ms += ms;
    else if (!this.started) figures.startup_ms += ms;
    else if (this.#state === 'playing') this.#creditPlaying(ms);
    else if (this.#seekOpen) {
      figures.seek_ms += ms;
      this.#seekOpenMs += ms;
    } else if (this.#state === 'rebuffering') figures.rebuffer_ms += ms;
  }

  #creditPlaying(ms: number): void {
    const { figures } = this;
    figures.playing_ms += ms;
    if (!Number.isNaN(this.#scalePpm)) this.#scale.add(this.#scalePpm, ms);
    if (this.#latencyMs !== NOT_LIVE) this.#latency.add(this.#latencyMs, ms);
    if (this.#bitrate === NOT_SHOWN) return;
    figures.bitrate_known_ms += ms;
    figures.bitrate_bit_ms += this.#bitrate * ms;
    const before = this.#bitrateBefore;
    this.#bitrateBefore = this.#bitrate;
    if (before === NOT_SHOWN || before === this.#bitrate) return;
    figures.rendition_changes++;
    if (this.#bitrate > before) figures.rendition_upshifts++;
    else figures.rendition_downshifts++;
  }

  #noteWindows(nowMs: number): void {
    if (this.#state === 'paused' || this.#state === 'preloading') return;
    const from = Math.max(this.#windows.indexOf(this.#sinceMs), this.#windowLast + 1);
    const to = this.#windows.indexOf(nowMs - 1);
    for (let window = from; window <= to; window++) {
      this.#windowsNoted.push(window);
      this.#windowLast = window;
    }
  }

  #save(atMs: number): void {
    this.#saved = {
      figures: { ...this.figures },
      scale: this.#scale.copy(),
      latency: this.#latency.copy(),
      cdn: this.cdn,
      atMs,
      startMs: this.startMs,
      started: this.started,
    };
  }
}
