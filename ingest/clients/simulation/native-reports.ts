/**
 * Reports as native beats. Text is put together by hand, because it is most of what a simulation does; every text in it
 * is one of ours, without quotes or control characters.
 */
import type { Rung } from './assets.ts';
import { type Exchange, pathOf } from './exchange.ts';
import type { AdMoment, Emit, PlayerFault, PlayerView, Reports, Viewer } from './reports.ts';

export class NativeReports implements Reports {
  count = 0;
  readonly #viewer: Viewer;
  readonly #player: PlayerView;
  readonly #startAtMs: number;
  readonly #emit: Emit;
  #events = '';
  #pending = 0;
  #contextSaid = false;
  #sizeSaid = '';

  constructor(viewer: Viewer, player: PlayerView, startAtMs: number, emit: Emit) {
    this.#viewer = viewer;
    this.#player = player;
    this.#startAtMs = startAtMs;
    this.#emit = emit;
  }

  state(nowMs: number): void {
    this.#add('state', nowMs, `,"state":"${this.#player.state}"`);
  }

  rendition({ bitrate, width, height }: Rung, nowMs: number): void {
    const fields = `,"bitrate":${bitrate},"width":${width},"height":${height},"frameRate":25`;
    this.#add('rendition', nowMs, fields);
  }

  latency(nowMs: number): void {
    const latencyMs = this.#player.liveLatencyMs(nowMs);
    if (latencyMs >= 0) this.#add('status', nowMs, `,"liveLatency":${latencyMs}`);
  }

  progress(nowMs: number): void {
    const { playheadMs, bufferMs, frames } = this.#player;
    const latencyMs = this.#player.liveLatencyMs(nowMs);
    let fields = `,"playhead":${playheadMs},"buffer":${bufferMs}`;
    if (latencyMs >= 0) fields += `,"liveLatency":${latencyMs}`;
    fields += `,"droppedFrames":${frames.dropped},"shownFrames":${frames.shown}`;
    this.#add('status', nowMs, fields + this.#newSize());
  }

  request({ wanted, route, status, bytes, ttfbMs, ttlbMs }: Exchange, nowMs: number): void {
    const { cdn } = route;
    let fields = `,"kind":"${wanted.kind}","status":${status},"bytes":${bytes}`;
    if (ttfbMs >= 0) fields += `,"ttfb":${ttfbMs}`;
    fields += `,"ttlb":${ttlbMs},"url":"https://${cdn.host}${pathOf(wanted)}"`;
    this.#add('request', nowMs, `${fields},"cdn":"${cdn.id}","host":"${cdn.host}"`);
  }

  error({ code, message, fatal, business }: PlayerFault, nowMs: number): boolean {
    const said = `,"code":"${code}","message":"${message}","fatal":${fatal}`;
    this.#add('error', nowMs, business ? `${said},"business":true` : said);
    return true;
  }

  timing(pageLoadMs: number, playerStartupMs: number, nowMs: number): void {
    const fields = `,"pageLoad":${pageLoadMs},"playerStartup":${playerStartupMs}`;
    this.#add('timing', nowMs, fields);
    this.#saySize(nowMs);
  }

  cdn(name: string, nowMs: number): void {
    this.#add('context', nowMs, `,"context":{"cdn":"${name}"}`);
  }

  fullscreen(nowMs: number): void {
    this.#add('playback_mode', nowMs, ',"mode":"fullscreen"');
    this.#saySize(nowMs);
  }

  ad(moment: AdMoment, nowMs: number): void {
    this.#add(`ad_${moment}`, nowMs, ',"kind":"midroll"');
  }

  flush(nowMs: number): void {
    if (this.#pending === 0) return;
    const { id, context, origin } = this.#viewer;
    const head = `{"view":"${id}","sentAt":${this.#startAtMs + nowMs}`;
    const said = this.#contextSaid ? '' : `,"context":${JSON.stringify(context)}`;
    const payload = `${head}${said},"events":[${this.#events}]}`;
    this.#emit({ atMs: nowMs, kind: 'native', origin, payload, reports: this.#pending });
    this.#contextSaid = true;
    this.#events = '';
    this.#pending = 0;
  }

  #add(type: string, nowMs: number, fields: string): void {
    const at = this.#startAtMs + nowMs;
    const comma = this.#pending === 0 ? '' : ',';
    this.#events += `${comma}{"seq":${this.count},"at":${at},"type":"${type}"${fields}}`;
    this.count++;
    this.#pending++;
  }

  #saySize(nowMs: number): void {
    const size = this.#newSize();
    if (size !== '') this.#add('status', nowMs, size);
  }

  /** The size of the player, where it is another than was said. */
  #newSize(): string {
    const [width, height] = this.#player.size;
    const size = `,"playerWidth":${width},"playerHeight":${height}`;
    if (size === this.#sizeSaid) return '';
    this.#sizeSaid = size;
    return size;
  }
}
