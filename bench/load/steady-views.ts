/**
 * Many live views that each say a little, again and again: what a partition's state is when it matters. Beats are numbered
 * and go out in turn, so that every view is heard of long before it times out.
 */
import { randomUUID } from 'node:crypto';

/** Events of a beat after the first: what a player says between two changes. */
const EVENTS_PER_BEAT = 5;
const CDNS = ['fastly', 'akamai', 'cloudfront'];
const COUNTRIES = ['DE', 'FR', 'SE', 'US', 'BR', 'IN', 'JP', 'PL'];

export interface SteadyBody {
  readonly bytes: Buffer;
  readonly beats: number;
  readonly events: number;
}

export class SteadyViews {
  readonly count: number;
  readonly #ids: readonly string[];
  /** Next sequence number of each view. */
  readonly #seqs: Uint32Array;
  #next = 0;

  constructor(count: number) {
    this.count = count;
    this.#ids = Array.from({ length: count }, () => randomUUID());
    this.#seqs = new Uint32Array(count);
  }

  /** The next beats, of as many views. */
  body(beats: number, nowMs: number): SteadyBody {
    const texts: string[] = [];
    let events = 0;
    for (let index = 0; index < beats; index++) {
      const view = this.#next;
      this.#next = (this.#next + 1) % this.count;
      const first = this.#seqs[view] === 0;
      texts.push(first ? this.#begin(view, nowMs) : this.#goOn(view, nowMs));
      events += first ? 3 : EVENTS_PER_BEAT;
    }
    return { bytes: Buffer.from(`[${texts.join(',')}]`), beats, events };
  }

  #begin(view: number, nowMs: number): string {
    const context = {
      video_id: `asset-${view % 200}`,
      stream_type: 'live',
      cdn: CDNS[view % CDNS.length],
      country: COUNTRIES[view % COUNTRIES.length],
      player_name: 'bench',
    };
    const events = [
      { at: nowMs - 800, type: 'state', state: 'starting' },
      { at: nowMs - 400, type: 'rendition', bitrate: 3_000_000, width: 1280, height: 720 },
      { at: nowMs, type: 'state', state: 'playing' },
    ];
    return this.#beat(view, nowMs, events, context);
  }

  #goOn(view: number, nowMs: number): string {
    const events = Array.from({ length: EVENTS_PER_BEAT }, (_, index) => {
      const at = nowMs - (EVENTS_PER_BEAT - 1 - index) * 100;
      return index === EVENTS_PER_BEAT - 1
        ? { at, type: 'status', playhead: at, buffer: 12_000, liveLatency: 4_000 }
        : {
            at,
            type: 'request',
            kind: 'segment',
            status: 200,
            bytes: 600_000,
            ttfb: 40,
            ttlb: 160,
          };
    });
    return this.#beat(view, nowMs, events);
  }

  #beat(view: number, nowMs: number, events: readonly object[], context?: object): string {
    let seq = this.#seqs[view] ?? 0;
    const numbered = events.map((event) => ({ seq: seq++, ...event }));
    this.#seqs[view] = seq;
    return JSON.stringify({ view: this.#ids[view], sentAt: nowMs, context, events: numbered });
  }
}
