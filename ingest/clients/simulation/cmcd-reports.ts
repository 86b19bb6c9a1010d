/**
 * Reports as CMCD version 2, event mode (CTA-5004-B): one dictionary a line, keys sorted. Events go to one target,
 * responses to another, each numbered from 0, as real players are set up.
 *
 * CMCD has no words for the sizes of the picture, bytes of a response, page load, a requested ad or an error that does
 * not matter; who watches and where is not said either. An error is only reported when it is fatal, because a reader
 * must take one that nothing follows for fatal.
 */
import type { PlayerState } from '../../../schemas/beat.ts';
import { LADDER, type Rung } from './assets.ts';
import { type Exchange, pathOf } from './exchange.ts';
import type { AdMoment, Emit, PlayerFault, PlayerView, Reports, Viewer } from './reports.ts';

const STATES: Readonly<Record<PlayerState, string>> = {
  preloading: 'd',
  starting: 's',
  playing: 'p',
  rebuffering: 'r',
  seeking: 'k',
  paused: 'a',
  ended: 'e',
  failed: 'f',
  quit: 'q',
};

const ADS: Readonly<Partial<Record<AdMoment, string>>> = {
  start: 'as',
  end: 'ae',
  skip: 'sk',
  break_start: 'abs',
  break_end: 'abe',
};

/** Object types of CMCD by kind of request. */
export const OBJECT_TYPES = {
  manifest: 'm',
  init: 'i',
  segment: 'av',
  key: 'k',
  other: 'o',
} as const;

export class CmcdReports implements Reports {
  readonly #viewer: Viewer;
  readonly #player: PlayerView;
  readonly #startAtMs: number;
  readonly #emit: Emit;
  /** Keys that stand in every line, in two pieces around those that sort between them. */
  readonly #idKeys: string;
  readonly #streamType: string;
  #cdn: string;
  #events = '';
  #responses = '';
  #pendingEvents = 0;
  #pendingResponses = 0;
  #eventNumber = 0;
  #responseNumber = 0;

  constructor(viewer: Viewer, player: PlayerView, startAtMs: number, emit: Emit) {
    this.#viewer = viewer;
    this.#player = player;
    this.#startAtMs = startAtMs;
    this.#emit = emit;
    this.#cdn = viewer.context.cdn ?? '';
    this.#idKeys = `sf=${viewer.device.format},sid="${viewer.id}"`;
    this.#streamType = viewer.asset.live ? 'l' : 'v';
  }

  get count(): number {
    return this.#eventNumber + this.#responseNumber;
  }

  state(nowMs: number): void {
    this.#add('ps', nowMs);
  }

  rendition(_rung: Rung, nowMs: number): void {
    this.#add('bc', nowMs);
  }

  /** Every event says it. */
  latency(): void {}

  progress(nowMs: number): void {
    this.#add('t', nowMs, { dfa: `dfa=${this.#player.frames.dropped},` });
  }

  request({ wanted, route, startMs, status, ttfbMs, ttlbMs }: Exchange): void {
    const { cdn } = route;
    const rung = LADDER[wanted.rung];
    const rate = rung === undefined ? '' : `br=(${rung.bitrate / 1_000}),`;
    const first = ttfbMs >= 0 ? `ttfb=${ttfbMs},` : '';
    this.#responses +=
      `${rate}cdn="${cdn.id}",cid="${this.#viewer.asset.id}",e=rr,` +
      `ot=${OBJECT_TYPES[wanted.kind]},rc=${status},${this.#idKeys},sn=${this.#responseNumber},` +
      `st=${this.#streamType},ts=${this.#startAtMs + startMs},${first}ttlb=${ttlbMs},` +
      `url="https://${cdn.host}${pathOf(wanted)}",v=2\n`;
    this.#responseNumber++;
    this.#pendingResponses++;
  }

  error({ code, fatal }: PlayerFault, nowMs: number): boolean {
    if (fatal) this.#add('e', nowMs, { ec: `ec=("${code}"),` });
    return fatal;
  }

  timing(): void {}

  /** Every event says it: a time report does so at once. */
  cdn(name: string, nowMs: number): void {
    this.#cdn = name;
    this.#add('t', nowMs);
  }

  fullscreen(nowMs: number): void {
    this.#add('pe', nowMs);
  }

  ad(moment: AdMoment, nowMs: number): void {
    const event = ADS[moment];
    if (event !== undefined) this.#add(event, nowMs);
  }

  flush(nowMs: number): void {
    const { origin } = this.#viewer;
    const item = { atMs: nowMs, kind: 'cmcd', origin } as const;
    if (this.#pendingEvents > 0)
      this.#emit({ ...item, payload: this.#events, reports: this.#pendingEvents });
    if (this.#pendingResponses > 0)
      this.#emit({ ...item, payload: this.#responses, reports: this.#pendingResponses });
    this.#events = '';
    this.#responses = '';
    this.#pendingEvents = 0;
    this.#pendingResponses = 0;
  }

  #add(event: string, nowMs: number, keys: { dfa?: string; ec?: string } = {}): void {
    const { shown, bufferMs, playheadMs, state } = this.#player;
    const kilobits = shown === undefined ? 0 : shown.bitrate / 1_000;
    const latencyMs = this.#player.liveLatencyMs(nowMs);
    this.#events +=
      `bl=(${bufferMs}),${kilobits > 0 ? `br=(${kilobits}),` : ''}cdn="${this.#cdn}",` +
      `cid="${this.#viewer.asset.id}",${keys.dfa ?? ''}e=${event},${keys.ec ?? ''}` +
      `${latencyMs >= 0 ? `ltc=${latencyMs},` : ''}${kilobits > 0 ? `pb=(${kilobits}),` : ''}` +
      `pt=${playheadMs},${this.#idKeys},sn=${this.#eventNumber},st=${this.#streamType},` +
      `sta=${STATES[state]},ts=${this.#startAtMs + nowMs},v=2\n`;
    this.#eventNumber++;
    this.#pendingEvents++;
  }
}
