/**
 * The obvious fold, to compare with: records decoded into objects, views in a Map, sums in a Map keyed by a joined
 * string, rows as JSON strings that are joined at the epoch's end.
 *
 * It is honest by doing less, never more: it knows duplicates, credits time to states and to windows, keeps the sketch of
 * first bytes, and writes the same three kinds of rows with fewer columns. It does not reorder, correct clocks, wait for a
 * view's place in time, close silent views, score, or write `viewers_now`. A test compares its playing time with the fold's.
 */
import type { FoldRecord } from '../processors/fold-record.ts';
import type { Beat, BeatEvent, Part } from '../schemas/beat.ts';
import { decodeBody, recordVersionOf } from '../schemas/records.ts';
import { sketchBucket } from '../schemas/sketch.ts';

const EPOCH_MS = 2_000;
const WINDOW_MS = 5_000;
/** The interval dimensions. */
const TUPLE = [
  'stream_type',
  'country',
  'asn',
  'cdn',
  'operating_system',
  'player_name',
  'viewer_device_category',
  'video_id',
  'sub_property_id',
];

interface NaiveView {
  readonly id: string;
  readonly context: Record<string, string>;
  readonly seen: Set<number>;
  state: string;
  lastAt: number;
  bitrate: number;
  startedAt: number;
  playingMs: number;
  rebufferMs: number;
  requests: number;
  bytes: number;
  window: number;
  changed: boolean;
}

interface NaiveCell {
  viewers: number;
  viewingMs: number;
  playingMs: number;
  rebufferMs: number;
  bitrateBitMs: number;
  readonly ttfb: Map<number, number>;
}

export class NaiveFold {
  readonly views = new Map<string, NaiveView>();
  events = 0;
  rows = 0;
  readonly #cells = new Map<string, NaiveCell>();
  #eventRows: string[] = [];
  #epoch = 0;

  /** Folds a beat; returns the rows of the epoch that it ended, if it did. */
  fold({ value, appendTimeMs }: FoldRecord): Buffer | undefined {
    const epoch = Math.floor(appendTimeMs / EPOCH_MS);
    const ended = this.#epoch > 0 && epoch > this.#epoch ? this.endEpoch() : undefined;
    this.#epoch = Math.max(this.#epoch, epoch);
    const version = recordVersionOf(value);
    if (version?.kind !== 'beat') return ended;
    this.#beat(decodeBody(version as typeof version & { kind: 'beat' }, value));
    return ended;
  }

  endEpoch(): Buffer {
    const rows = this.#eventRows;
    for (const [key, { ttfb, ...sums }] of this.#cells)
      rows.push(JSON.stringify({ key, ...sums, ttfb: Object.fromEntries(ttfb) }));
    for (const view of this.views.values()) {
      if (!view.changed) continue;
      view.changed = false;
      const { seen, context, changed, ...figures } = view;
      rows.push(JSON.stringify({ ...context, ...figures, received: seen.size }));
    }
    this.rows += rows.length;
    this.#eventRows = [];
    this.#cells.clear();
    return Buffer.from(rows.join('\n'));
  }

  #beat(beat: Beat): void {
    const key = `${beat.project}/${beat.view}`;
    const view = this.views.get(key) ?? newView(beat.view);
    this.views.set(key, view);
    for (const { name, value } of beat.context) view.context[name] = value;
    for (const event of beat.events) {
      if (view.seen.has(event.seq)) continue;
      view.seen.add(event.seq);
      this.events++;
      this.#credit(view, event.at);
      for (const part of event.parts) this.#part(view, event, part);
      this.#eventRows.push(eventRow(view, event));
    }
  }

  #part(view: NaiveView, { at }: BeatEvent, part: Part): void {
    if ('streamgauge.v1.State' in part) {
      view.state = part['streamgauge.v1.State'].state;
      if (view.state === 'playing' && view.startedAt === 0) view.changed = true;
      if (view.state === 'playing' && view.startedAt === 0) view.startedAt = at;
      if (['ended', 'quit', 'failed'].includes(view.state)) view.changed = true;
    } else if ('streamgauge.v1.Rendition' in part) {
      view.bitrate = part['streamgauge.v1.Rendition'].bitrate;
    } else if ('streamgauge.v1.Request' in part) {
      const { bytes, ttfb, cdn } = part['streamgauge.v1.Request'];
      view.requests++;
      view.bytes += Math.max(0, bytes);
      if (cdn !== '') view.context.cdn = cdn;
      if (ttfb < 0) return;
      const { ttfb: sketch } = this.#cell(view, Math.floor(at / WINDOW_MS));
      sketch.set(sketchBucket(ttfb), (sketch.get(sketchBucket(ttfb)) ?? 0) + 1);
    } else if (
      'streamgauge.v1.PlayerError' in part &&
      part['streamgauge.v1.PlayerError'].fatal === 'yes'
    ) {
      view.state = 'failed';
      view.changed = true;
    } else if ('streamgauge.v1.ContextChange' in part) {
      for (const { name, value } of part['streamgauge.v1.ContextChange'].entries)
        view.context[name] = value;
    }
  }

  /** Credits the time since the view's last event to its state, window by window. */
  #credit(view: NaiveView, at: number): void {
    const from = view.lastAt;
    view.lastAt = Math.max(view.lastAt, at);
    if (from === 0 || !['starting', 'playing', 'rebuffering', 'seeking'].includes(view.state))
      return;
    for (let start = from; start < at; ) {
      const window = Math.floor(start / WINDOW_MS);
      const ms = Math.min(at, (window + 1) * WINDOW_MS) - start;
      const cell = this.#cell(view, window);
      if (view.window !== window) cell.viewers++;
      view.window = window;
      cell.viewingMs += ms;
      if (view.state === 'playing') {
        view.playingMs += ms;
        cell.playingMs += ms;
        cell.bitrateBitMs += view.bitrate * ms;
      } else if (view.state === 'rebuffering') {
        view.rebufferMs += ms;
        cell.rebufferMs += ms;
      }
      start += ms;
    }
  }

  #cell(view: NaiveView, window: number): NaiveCell {
    const key = [window, ...TUPLE.map((name) => view.context[name] ?? '')].join('|');
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const sums = { viewers: 0, viewingMs: 0, playingMs: 0, rebufferMs: 0, bitrateBitMs: 0 };
    const cell = { ...sums, ttfb: new Map<number, number>() };
    this.#cells.set(key, cell);
    return cell;
  }
}

function newView(id: string): NaiveView {
  return {
    id,
    context: {},
    seen: new Set(),
    state: '',
    lastAt: 0,
    bitrate: 0,
    startedAt: 0,
    playingMs: 0,
    rebufferMs: 0,
    requests: 0,
    bytes: 0,
    window: -1,
    changed: false,
  };
}

function eventRow(view: NaiveView, { seq, at, lane, name, parts }: BeatEvent): string {
  const { id, state, playingMs, rebufferMs } = view;
  return JSON.stringify({ view: id, seq, at, lane, name, state, playingMs, rebufferMs, parts });
}
