/**
 * One viewer before one player: presses pause, seeks, takes the whole screen, loses patience, leaves; and the beats in
 * which the player reports.
 *
 * Guarantee: what a beat has not carried away when the tab closes is known to nobody, and the truth says so.
 */
import type { Habits } from './habits.ts';
import type { Playback } from './playback.ts';
import type { Random } from './random.ts';
import type { ViewFigures, ViewOutcome, ViewTruth } from './view-figures.ts';

const NEVER = Number.POSITIVE_INFINITY;
const FIRST_BEAT_MS = 300;
const AD_MS = 6_000;
/** An advertisement that finds the player not playing waits so long, ms. */
const AD_RETRY_MS = 5_000;
/** Viewers who wait press pause and play again, as if that helped: so soon, and for so long at most, ms. */
const TAP_AFTER_MS = 500;
const TAP_MS_MAX = 700;
const SHARES = {
  tap: 0.25,
  longPause: 0.08,
  seekWhilePaused: 0.15,
  seek: 0.5,
  nearSeek: 0.5,
} as const;
const AD_SHARES = { fails: 0.1, skipped: 0.2 } as const;
const PAUSE_MEAN_MS = 9_000;
const LONG_PAUSE_MEAN_MS = 120_000;

export class Viewing {
  /** True when the viewer has gone. */
  over = false;
  readonly #habits: Habits;
  readonly #random: Random;
  readonly #playback: Playback;
  readonly #leaveAtMs: number;
  #outcome: ViewOutcome = 'quit';
  #overMs = 0;
  #reported = 0;
  #beatAtMs: number;
  #actAtMs = NEVER;
  #extraAtMs = NEVER;
  #extraPlanned = false;
  #adRuns = false;
  /** The viewer has been tempted to tap in this wait; and does. */
  #tempted = false;
  #taps = false;

  constructor(habits: Habits, random: Random, playback: Playback, bornMs: number) {
    this.#habits = habits;
    this.#random = random;
    this.#playback = playback;
    this.#leaveAtMs = bornMs + habits.stayMs;
    this.#beatAtMs = bornMs + FIRST_BEAT_MS;
  }

  /** The next moment at which something happens, ms. */
  get nextMs(): number {
    const { nextMs } = this.#playback;
    const patienceMs = this.#patienceAtMs;
    const ownMs = Math.min(this.#beatAtMs, this.#actAtMs, this.#extraAtMs);
    return Math.min(nextMs, patienceMs, this.#leaveAtMs, ownMs);
  }

  /** Lets happen what is due. */
  wake(nowMs: number): void {
    const playback = this.#playback;
    playback.wake(nowMs);
    if (playback.ended === undefined && this.#extraAtMs <= nowMs) this.#extra(nowMs);
    if (playback.ended === undefined && this.#actAtMs <= nowMs) this.#act(nowMs);
    const leaves = this.#leaveAtMs <= nowMs || this.#patienceAtMs <= nowMs;
    if (playback.ended === undefined && leaves) this.#leave(nowMs);
    if (this.over) return;
    this.#plan(nowMs);
    if (playback.ended === undefined && this.#beatAtMs <= nowMs) {
      playback.progress(nowMs);
      playback.urgent = true;
    }
    if (playback.urgent) this.#flush(nowMs);
    if (playback.ended !== undefined) this.#close(playback.ended, nowMs);
  }

  /** Leaves with a word. */
  quit(nowMs: number): void {
    if (this.over) return;
    this.#playback.quit(nowMs);
    this.#flush(nowMs);
    this.#close('quit', nowMs);
  }

  /** What the view came to. Only once it is over. */
  truth(startAtMs: number): ViewTruth {
    const { truth, businessFailure } = this.#playback;
    const { viewer, speaks } = this.#habits;
    const failed = this.#outcome === 'failed';
    truth.close();
    return {
      view_id: viewer.id,
      source: speaks,
      outcome: this.#outcome,
      started: truth.started,
      failed: failed && !businessFailure,
      failed_business: failed && businessFailure,
      view_start: startAtMs + truth.startMs,
      view_end: startAtMs + truth.lastReportMs,
      unreported_ms: this.#overMs - truth.lastReportMs,
      video_id: viewer.asset.id,
      stream_type: viewer.asset.live ? 'live' : 'on-demand',
      country: this.#habits.country.code,
      cdn: truth.cdn,
      viewer_user_id: speaks === 'native' ? viewer.userId : '',
      reports: this.#reported,
      figures: speaks === 'native' ? truth.figures : inCmcd(truth.figures),
    };
  }

  get #patienceAtMs(): number {
    const { started, waitingSinceMs } = this.#playback;
    const { startPatienceMs, stallPatienceMs } = this.#habits;
    return waitingSinceMs + (started ? stallPatienceMs : startPatienceMs);
  }

  #plan(nowMs: number): void {
    const { started, state } = this.#playback;
    if (started && !this.#extraPlanned) {
      this.#extraPlanned = true;
      this.#extraAtMs = nowMs + this.#habits.extraAfterMs;
    }
    this.#tempt(nowMs);
    if (this.#actAtMs < NEVER) return;
    if (state === 'paused') this.#actAtMs = nowMs + this.#pauseMs();
    else if (started && !this.#playback.wantsPause)
      this.#actAtMs = nowMs + Math.ceil(this.#random.exponential(this.#habits.actMeanMs));
  }

  #tempt(nowMs: number): void {
    const { state, wantsPause } = this.#playback;
    const waits = state === 'rebuffering' && !wantsPause;
    if (waits && !this.#tempted && this.#random.chance(SHARES.tap)) {
      this.#taps = true;
      this.#actAtMs = nowMs + TAP_AFTER_MS;
    }
    // What follows a tap is the same wait.
    if (state !== 'paused') this.#tempted = state === 'rebuffering';
  }

  #pauseMs(): number {
    if (this.#taps) {
      this.#taps = false;
      return Math.ceil(this.#random.between(100, TAP_MS_MAX));
    }
    const long = this.#random.chance(SHARES.longPause);
    return Math.ceil(this.#random.exponential(long ? LONG_PAUSE_MEAN_MS : PAUSE_MEAN_MS));
  }

  /** The viewer presses something. */
  #act(nowMs: number): void {
    const { state, wantsPause, started } = this.#playback;
    const { live } = this.#habits.viewer.asset;
    this.#actAtMs = NEVER;
    if (state !== 'playing' && state !== 'paused' && state !== 'rebuffering') return;
    const seekShare = wantsPause ? SHARES.seekWhilePaused : SHARES.seek;
    if (this.#taps) this.#playback.pause(nowMs);
    else if (!live && started && this.#random.chance(seekShare)) this.#seek(nowMs);
    else if (wantsPause) this.#playback.resume(nowMs);
    else this.#playback.pause(nowMs);
  }

  #seek(nowMs: number): void {
    const { durationMs, segmentMs } = this.#habits.viewer.asset;
    const lastMs = Math.max(0, durationMs - segmentMs);
    const near = this.#random.chance(SHARES.nearSeek);
    const stepMs = this.#random.between(-10_000, 20_000);
    const wishedMs = near ? this.#playback.playheadMs + stepMs : this.#random.between(0, lastMs);
    this.#playback.seek(Math.floor(Math.min(lastMs, Math.max(0, wishedMs))), nowMs);
  }

  /** Something that happens once in a view: an advertisement stitched in, or the whole screen. */
  #extra(nowMs: number): void {
    this.#extraAtMs = NEVER;
    if (this.#habits.extra === 'fullscreen') this.#playback.enlarge(nowMs);
    else if (this.#adRuns) this.#endAd(nowMs);
    else if (this.#playback.state === 'playing') this.#startAd(nowMs);
    else this.#extraAtMs = nowMs + AD_RETRY_MS;
  }

  #startAd(nowMs: number): void {
    const { reports, truth } = this.#playback;
    const fails = this.#random.chance(AD_SHARES.fails);
    reports.ad('break_start', nowMs);
    reports.ad('request', nowMs);
    reports.ad(fails ? 'error' : 'start', nowMs);
    truth.ad(fails);
    if (fails) reports.ad('break_end', nowMs);
    else {
      this.#adRuns = true;
      this.#extraAtMs = nowMs + AD_MS;
    }
  }

  #endAd(nowMs: number): void {
    const { reports } = this.#playback;
    reports.ad(this.#random.chance(AD_SHARES.skipped) ? 'skip' : 'end', nowMs);
    reports.ad('break_end', nowMs);
  }

  #leave(nowMs: number): void {
    if (!this.#habits.vanishes || this.#playback.state === 'paused') {
      this.#playback.quit(nowMs);
      return;
    }
    this.#playback.vanish(nowMs);
    this.#playback.truth.takeBack();
    this.#close('dropped', nowMs);
  }

  #flush(nowMs: number): void {
    const { reports, truth } = this.#playback;
    reports.flush(nowMs);
    truth.reported(nowMs);
    this.#reported = reports.count;
    this.#playback.urgent = false;
    this.#beatAtMs = nowMs + this.#habits.beatMs;
  }

  #close(how: ViewOutcome, nowMs: number): void {
    const { started } = this.#playback.truth;
    this.#outcome = how !== 'failed' && !started ? 'exit_before_start' : how;
    this.#overMs = nowMs;
    this.over = true;
  }
}

/** The figures that CMCD has words for. */
function inCmcd(figures: ViewFigures): ViewFigures {
  return {
    ...figures,
    upscale_ppm: null,
    downscale_ppm: null,
    max_upscale_ppm: null,
    max_downscale_ppm: null,
    shown_frames: null,
    media_bytes: null,
    media_time_ms: null,
    page_load_ms: null,
    player_startup_ms: null,
    ad_attempt_count: null,
    ad_error_count: null,
  };
}
