/**
 * One player: downloads, buffer, states. Startup, rebuffering, switches and failures come out of it; nothing of that is
 * drawn.
 *
 * Guarantees: time is whole milliseconds and never goes back; the buffer is never negative; each change is told to the
 * truth clock and to the reports at the same moment. A player touches no other, so it can be woken at its own times.
 */
import type { PlayerState } from '../../../schemas/beat.ts';
import { LADDER, liveTimeMs, type Rung } from './assets.ts';
import type { Downloads } from './downloads.ts';
import { type Exchange, succeeded } from './exchange.ts';
import type { Habits } from './habits.ts';
import { MediaBuffer } from './media-buffer.ts';
import type { Random } from './random.ts';
import type { PlayerFault, PlayerView, Reports } from './reports.ts';
import type { TruthClock } from './truth-clock.ts';

const NEVER = Number.POSITIVE_INFINITY;
const FRAMES_PER_SECOND = 25;
/** A live viewer who has fallen so far behind is taken to the live edge, ms. */
const LIVE_BEHIND_MS_MAX = 30_000;
/** A player that waits in a seek says `rebuffering` after this, ms. */
const SEEK_WAIT_MS = 250;
/** Media that a start needs, ms; to go on, half a segment is enough. */
const START_BUFFER_MS = 4_000;

export interface PlaybackDeps {
  readonly habits: Habits;
  readonly random: Random;
  readonly downloads: Downloads;
  readonly truth: TruthClock;
  readonly reportsOf: (player: PlayerView) => Reports;
  /** Each request of the player once, when it ends. */
  readonly onExchange: (exchange: Exchange, nowMs: number) => void;
}

export class Playback implements PlayerView {
  state: PlayerState = 'preloading';
  started = false;
  shown: Rung | undefined;
  playheadMs = 0;
  size: readonly [number, number];
  /** How the player came to its end; undefined before. */
  ended: 'ended' | 'quit' | 'failed' | undefined;
  businessFailure = false;
  /** Something happened that the viewer's next beat does not wait for. */
  urgent = false;
  /** Since when the viewer has waited for playing, ms; infinite while it does not. */
  waitingSinceMs = NEVER;
  /** Once it could play, it pauses: so the viewer wished, or the browser. */
  wantsPause: boolean;
  readonly reports: Reports;
  readonly truth: TruthClock;
  readonly #habits: Habits;
  readonly #random: Random;
  readonly #downloads: Downloads;
  readonly #onExchange: (exchange: Exchange, nowMs: number) => void;
  readonly #buffer = new MediaBuffer();
  #shownRung = -1;
  #movedMs: number;
  #placed = false;
  /** When the player can go on, enough media given: after preloading, after a seek. */
  #readyAtMs = NEVER;
  #waitAtMs = NEVER;

  constructor(deps: PlaybackDeps, bornMs: number) {
    const { habits, random, downloads, truth, reportsOf, onExchange } = deps;
    this.#habits = habits;
    this.#random = random;
    this.#downloads = downloads;
    this.#onExchange = onExchange;
    this.truth = truth;
    this.size = habits.device.inline;
    this.wantsPause = habits.autoplayBlocked;
    this.#movedMs = bornMs;
    this.reports = reportsOf(this);
    if (habits.preloadMs > 0) {
      this.#enter('preloading', bornMs);
      this.#readyAtMs = bornMs + habits.preloadMs;
    } else this.#start(bornMs);
  }

  get bufferMs(): number {
    return this.#buffer.ms;
  }

  get frames(): { readonly dropped: number; readonly shown: number } {
    const all = Math.floor((this.truth.figures.playing_ms * FRAMES_PER_SECOND) / 1_000);
    const dropped = Math.floor(all * this.#habits.device.droppedFrameShare);
    return { dropped, shown: all - dropped };
  }

  /** The next moment at which something happens by itself, ms. */
  get nextMs(): number {
    const drainedMs = this.state === 'playing' ? this.#movedMs + this.#buffer.headMs : NEVER;
    const { endMs, fetchAtMs } = this.#downloads;
    return Math.min(drainedMs, endMs, fetchAtMs, this.#readyAtMs, this.#waitAtMs);
  }

  liveLatencyMs(nowMs: number): number {
    if (!this.#habits.viewer.asset.live || !this.#placed) return -1;
    return liveTimeMs(nowMs) - this.playheadMs;
  }

  /** Lets happen what is due. What came at this moment counts before what it could have prevented. */
  wake(nowMs: number): void {
    this.#move(nowMs);
    if (this.#downloads.endMs <= nowMs) this.#receive(nowMs);
    this.#watch(nowMs);
    if (this.#readyAtMs <= nowMs) this.#ready(nowMs);
    if (this.#waitAtMs <= nowMs) this.#waitInSeek(nowMs);
    if (this.ended === undefined && this.#downloads.fetchAtMs <= nowMs) {
      const waiting = this.state !== 'playing' && this.state !== 'paused';
      this.#downloads.begin(nowMs, this.#buffer.ms, waiting);
    }
  }

  /** Ends with a word, whatever it does. */
  quit(nowMs: number): void {
    this.#move(nowMs);
    this.#giveUpRequest(nowMs);
    this.#end('quit', nowMs);
  }

  /** Is gone without a word: only the edge hears of it. */
  vanish(nowMs: number): void {
    const cut = this.#downloads.cancel(nowMs);
    if (cut !== undefined) this.#onExchange(cut, nowMs);
    this.truth.settle(nowMs);
  }

  pause(nowMs: number): void {
    this.wantsPause = true;
    this.#enter('paused', nowMs);
  }

  resume(nowMs: number): void {
    this.wantsPause = false;
    if (this.state !== 'paused') return;
    if (this.#isEnough()) this.#play(nowMs);
    else this.#enter('rebuffering', nowMs);
    this.#plan(nowMs);
  }

  /** Goes to a media time, ms. */
  seek(targetMs: number, nowMs: number): void {
    const aheadMs = targetMs - this.playheadMs;
    if (aheadMs >= 0 && aheadMs < this.#buffer.ms) this.#buffer.consume(aheadMs);
    else {
      this.#giveUpRequest(nowMs);
      this.#buffer.clear();
      this.#downloads.jumpTo(targetMs);
    }
    this.playheadMs = targetMs;
    this.#land(nowMs);
  }

  /** Takes the whole screen. */
  enlarge(nowMs: number): void {
    this.size = this.#habits.device.screen;
    this.#measureScale(nowMs);
    this.reports.fullscreen(nowMs);
  }

  /** Says how it stands. */
  progress(nowMs: number): void {
    this.truth.settle(nowMs);
    const { dropped, shown } = this.frames;
    this.truth.figures.dropped_frames = dropped;
    this.truth.figures.shown_frames = shown;
    this.reports.progress(nowMs);
  }

  /** Plays what time has passed. */
  #move(nowMs: number): void {
    if (this.state === 'playing') {
      this.#buffer.consume(nowMs - this.#movedMs);
      this.playheadMs += nowMs - this.#movedMs;
    }
    this.#movedMs = nowMs;
  }

  #enter(state: PlayerState, nowMs: number): void {
    this.state = state;
    this.truth.enter(state, nowMs);
    this.reports.state(nowMs);
    if (!isWaiting(state)) this.waitingSinceMs = NEVER;
    else if (this.waitingSinceMs === NEVER) this.waitingSinceMs = nowMs;
    if (state !== 'seeking') this.#waitAtMs = NEVER;
  }

  #start(nowMs: number): void {
    const { pageLoadMs, playerStartupMs } = this.#habits;
    this.#readyAtMs = NEVER;
    this.#enter('starting', nowMs);
    this.reports.timing(pageLoadMs, playerStartupMs, nowMs);
    this.truth.figures.page_load_ms = pageLoadMs;
    this.truth.figures.player_startup_ms = playerStartupMs;
    this.#plan(nowMs);
  }

  #plan(nowMs: number): void {
    this.#downloads.plan(nowMs, this.#buffer.ms, this.state === 'playing');
  }

  #receive(nowMs: number): void {
    const exchange = this.#downloads.take(nowMs);
    if (exchange === undefined) return;
    this.#report(exchange, nowMs);
    const { kind } = exchange.wanted;
    if (!succeeded(exchange)) this.#missed(exchange, nowMs);
    else if (kind === 'segment') this.#append(exchange, nowMs);
    else if (kind === 'manifest' && this.#habits.refused) this.#refuse(nowMs);
    this.#plan(nowMs);
  }

  #report(exchange: Exchange, nowMs: number): void {
    this.truth.request(exchange);
    this.reports.request(exchange, nowMs);
    this.#onExchange(exchange, nowMs);
  }

  #refuse(nowMs: number): void {
    this.businessFailure = true;
    const message = 'Not available where you are';
    this.#fail({ code: 'geo_blocked', message, fatal: true, business: true }, nowMs);
  }

  #append({ wanted }: Exchange, nowMs: number): void {
    const { segmentMs } = this.#habits.viewer.asset;
    const beginMs = wanted.segment * segmentMs;
    if (!this.#placed) this.playheadMs = beginMs;
    this.#placed = true;
    // After a seek into a segment, its first part is never shown.
    const skippedMs = Math.max(0, this.playheadMs + this.#buffer.ms - beginMs);
    this.#buffer.append(wanted.rung, segmentMs - skippedMs);
    this.#tryPlay(nowMs);
  }

  #missed({ wanted, status }: Exchange, nowMs: number): void {
    const code = `${wanted.kind}_${status === 0 ? 'timeout' : status}`;
    const message = status === 0 ? 'No answer in time' : `Answered ${status}`;
    const fatal = this.#downloads.exhausted && !this.#downloads.switchCdn();
    const fault = { code, message, fatal, business: false };
    if (fatal) {
      this.#fail(fault, nowMs);
      return;
    }
    if (this.reports.error(fault, nowMs)) {
      this.truth.figures.error_count++;
      this.urgent = true;
    }
    const { id } = this.#downloads.route.cdn;
    if (id === this.truth.cdn) return;
    this.truth.cdn = id;
    this.reports.cdn(id, nowMs);
  }

  #fail(fault: PlayerFault, nowMs: number): void {
    this.reports.error(fault, nowMs);
    this.truth.figures.error_count++;
    this.#end('failed', nowMs);
  }

  #isEnough(): boolean {
    const { segmentMs } = this.#habits.viewer.asset;
    const neededMs = this.started ? segmentMs / 2 : START_BUFFER_MS;
    return this.#buffer.ms >= neededMs || (this.#buffer.ms > 0 && this.#downloads.finished);
  }

  /** Plays, or pauses, when it waited for media and now has enough. */
  #tryPlay(nowMs: number): void {
    if (!isWaiting(this.state) || this.#readyAtMs < NEVER || !this.#isEnough()) return;
    if (this.started && this.liveLatencyMs(nowMs) > LIVE_BEHIND_MS_MAX) this.#skipToLive(nowMs);
    else if (this.wantsPause) this.#enter('paused', nowMs);
    else this.#play(nowMs);
  }

  #play(nowMs: number): void {
    if (!this.started) this.urgent = true;
    this.started = true;
    this.#show(nowMs);
    const latencyMs = this.liveLatencyMs(nowMs);
    if (latencyMs >= 0) this.truth.latency(latencyMs, nowMs);
    this.#enter('playing', nowMs);
    this.reports.latency(nowMs);
    this.#plan(nowMs);
  }

  /** Says which rendition is at the playhead, if it is another than before. */
  #show(nowMs: number): void {
    if (this.#buffer.headRung === this.#shownRung) return;
    this.#shownRung = this.#buffer.headRung;
    this.shown = LADDER[this.#shownRung];
    if (this.shown === undefined) return;
    this.#measureScale(nowMs);
    this.reports.rendition(this.shown, nowMs);
  }

  #measureScale(nowMs: number): void {
    if (this.shown === undefined) return;
    const { bitrate, width, height } = this.shown;
    const fit = Math.min(this.size[0] / width, this.size[1] / height);
    this.truth.show(bitrate, Math.round((fit - 1) * 1e6), nowMs);
  }

  /** What playing comes to: the next rendition, the end, or an empty buffer. */
  #watch(nowMs: number): void {
    if (this.state !== 'playing') return;
    if (this.#buffer.ms > 0) this.#show(nowMs);
    else if (this.#downloads.finished) this.#end('ended', nowMs);
    else {
      this.#enter('rebuffering', nowMs);
      this.#plan(nowMs);
    }
  }

  #ready(nowMs: number): void {
    this.#readyAtMs = NEVER;
    if (this.state === 'preloading') this.#start(nowMs);
    else this.#tryPlay(nowMs);
  }

  #waitInSeek(nowMs: number): void {
    this.#waitAtMs = NEVER;
    if (this.state === 'seeking') this.#enter('rebuffering', nowMs);
  }

  #skipToLive(nowMs: number): void {
    this.#giveUpRequest(nowMs);
    this.#buffer.clear();
    this.#downloads.jumpToLive(nowMs);
    this.playheadMs = this.#downloads.nextMediaMs;
    this.#land(nowMs);
  }

  #land(nowMs: number): void {
    this.#enter('seeking', nowMs);
    this.#readyAtMs = nowMs + Math.ceil(this.#random.between(50, 200));
    if (this.#habits.device.waitsInSeek) this.#waitAtMs = nowMs + SEEK_WAIT_MS;
    this.#plan(nowMs);
  }

  #giveUpRequest(nowMs: number): void {
    const cut = this.#downloads.cancel(nowMs);
    if (cut !== undefined) this.#report(cut, nowMs);
  }

  #end(how: 'ended' | 'quit' | 'failed', nowMs: number): void {
    this.#enter(how, nowMs);
    this.ended = how;
    this.urgent = true;
    this.#readyAtMs = NEVER;
  }
}

function isWaiting(state: PlayerState): boolean {
  return state === 'starting' || state === 'rebuffering' || state === 'seeking';
}
