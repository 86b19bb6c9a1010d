/**
 * What a view divides into: spans of one rendition, spans of one playback mode, and parts of its content.
 *
 * All of it follows from the reports that make the view's states, in their order: what those of another source or about
 * requests say of a rendition is weighed in the view's means alone. Nothing is held for what was never said.
 */
import { CONTENT_MS_MAX, ContentTrack, type SavedContent, TROUBLE } from './content-track.ts';
import type { FoldCounters } from './fold-counters.ts';
import type { FoldSettings } from './settings.ts';
import { NO_SPAN, type SavedSpanSums, SpanSums } from './span-sums.ts';
import { STATE } from './states.ts';
import type { View } from './view.ts';

/** What is shown; 0 and empty where it is not said. */
export interface Rendition {
  readonly bitrate: number;
  readonly width: number;
  readonly height: number;
  readonly milliFps: number;
  readonly codec: string;
}

/** Stands for the renditions beyond `renditionsPerViewMax`. */
const OTHER: Rendition = { bitrate: 0, width: 0, height: 0, milliFps: 0, codec: '(other)' };

/** About what a span takes in a row without its codec, and a number, bytes. */
const SPAN_BYTES = 60;
const NUMBER_BYTES = 8;

export interface SavedSubviews {
  readonly renditions: SavedSpanSums<Rendition> | null;
  readonly modes: SavedSpanSums<number> | null;
  readonly content: SavedContent | null;
  readonly shownSaid: boolean;
}

export class Subviews {
  readonly #counters: FoldCounters;
  renditions: SpanSums<Rendition> | undefined;
  /** By place in `PLAYBACK_MODES`. */
  modes: SpanSums<number> | undefined;
  content: ContentTrack | undefined;
  /** What is shown was said: what is only selected does not count any more. */
  #shownSaid = false;

  constructor(counters: FoldCounters) {
    this.#counters = counters;
  }

  static load(saved: SavedSubviews, counters: FoldCounters): Subviews {
    const { renditions, modes, content, shownSaid } = saved;
    const subviews = new Subviews(counters);
    if (renditions !== null) subviews.renditions = SpanSums.load(renditions);
    if (modes !== null) subviews.modes = SpanSums.load(modes);
    if (content !== null) subviews.content = ContentTrack.load(content, counters);
    subviews.#shownSaid = shownSaid;
    return subviews;
  }

  save(): SavedSubviews {
    return {
      renditions: this.renditions?.save() ?? null,
      modes: this.modes?.save() ?? null,
      content: this.content?.save() ?? null,
      shownSaid: this.#shownSaid,
    };
  }

  /** About what its columns take in a row, bytes. */
  get rowBytes(): number {
    let bytes = NUMBER_BYTES * (this.content?.size ?? 0);
    for (const { value } of this.renditions?.spans ?? []) bytes += SPAN_BYTES + value.codec.length;
    return bytes + SPAN_BYTES * (this.modes?.spans.length ?? 0);
  }

  /** A rendition is said: it holds from now on. One of which nothing is said makes it unknown. */
  holdRendition(rendition: Rendition, selected: boolean, renditionsMax: number): void {
    if (selected && this.#shownSaid) return;
    if (!selected) this.#shownSaid = true;
    this.renditions ??= new SpanSums<Rendition>();
    const sums = this.renditions;
    if (isUnknown(rendition)) {
      sums.release();
      return;
    }
    const place = placeOf(sums, rendition);
    if (place >= 0 || sums.spans.length < renditionsMax) {
      sums.hold(place, rendition);
      return;
    }
    this.#counters.renditionsMerged++;
    sums.hold(placeOf(sums, OTHER), OTHER);
  }

  holdMode(mode: number): void {
    this.modes ??= new SpanSums<number>();
    this.modes.hold(
      this.modes.spans.findIndex(({ value }) => value === mode),
      mode,
    );
  }

  /** The player says where it is. `soughtPlayedMs`: playing time of the view when it sought last. */
  sayPosition(contentMs: number, view: View, settings: FoldSettings): void {
    if (contentMs > CONTENT_MS_MAX) {
      this.#counters.positionsIgnored++;
      return;
    }
    this.content ??= new ContentTrack(view.soughtPlayedMs, this.#counters);
    this.content.say(contentMs, view.machine.playing.totalMs, settings);
  }
}

function isUnknown({ bitrate, width, height, milliFps, codec }: Rendition): boolean {
  return bitrate === 0 && width === 0 && height === 0 && milliFps === 0 && codec === '';
}

function placeOf({ spans, held }: SpanSums<Rendition>, rendition: Rendition): number {
  const now = spans[held];
  if (now !== undefined && isSame(now.value, rendition)) return held;
  return spans.findIndex(({ value }) => isSame(value, rendition));
}

function isSame(one: Rendition, other: Rendition): boolean {
  return (
    one.bitrate === other.bitrate &&
    one.width === other.width &&
    one.height === other.height &&
    one.milliFps === other.milliFps &&
    one.codec === other.codec
  );
}

/** Gives time that the view was just credited with to what held meanwhile. */
export function creditSubviews(
  { machine, subviews }: View,
  playingMs: number,
  rebufferMs: number,
  settings: FoldSettings,
): void {
  if (subviews === undefined) return;
  const { renditions, modes, content } = subviews;
  if (playingMs > 0) {
    if (content !== undefined && renditions !== undefined && isDownswitch(renditions)) {
      content.meet(TROUBLE.downswitch, 1, machine.playing.totalMs - playingMs, settings);
    }
    renditions?.addPlaying(playingMs);
    modes?.addPlaying(playingMs);
  }
  if (rebufferMs > 0) {
    renditions?.addRebuffering(rebufferMs, machine.rebufferOpen);
    modes?.addRebuffering(rebufferMs, machine.rebufferOpen);
    if (machine.rebufferOpen) content?.addRebuffering(rebufferMs, settings);
  }
}

/** What plays now has a lower bitrate than what was played before it. */
function isDownswitch({ spans, held, played }: SpanSums<Rendition>): boolean {
  if (held === played || held === NO_SPAN) return false;
  const before = spans[played]?.value.bitrate ?? 0;
  const now = spans[held]?.value.bitrate ?? 0;
  return now > 0 && now < before;
}

/** What stood before a report of the driving source was taken. */
export interface Before {
  readonly state: number;
  readonly rebufferCount: number;
  readonly errorCount: number;
}

/**
 * Follows a report that was taken, with the position in the content that it says, -1 without. A rebuffering belongs to
 * what holds once the report that begins it was taken: players say state and rendition together.
 */
export function followReport(
  view: View,
  before: Before,
  contentMs: number,
  settings: FoldSettings,
): void {
  const { machine } = view;
  const playedMs = machine.playing.totalMs;
  if (machine.state === STATE.seeking && before.state !== STATE.seeking) {
    view.soughtPlayedMs = playedMs;
    view.subviews?.content?.seek(playedMs, settings);
  }
  if (contentMs >= 0) view.said.sayPosition(contentMs, view, settings);
  if (view.subviews === undefined) return;
  const { renditions, modes, content } = view.subviews;
  if (machine.rebufferCount !== before.rebufferCount) {
    renditions?.beginRebuffering();
    modes?.beginRebuffering();
    content?.beginRebuffering(playedMs, settings);
  }
  const errors = view.errorCount - before.errorCount;
  if (errors > 0) content?.meet(TROUBLE.error, errors, playedMs, settings);
}
