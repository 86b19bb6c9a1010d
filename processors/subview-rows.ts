/**
 * What a view divides into, as the columns of `views`: one list for each attribute, a place in all of them for a span.
 *
 * They are lists in the view's own row because that row is replaced whole: a view that is opened again replaces its spans
 * with it, and they can be filtered by every dimension without a join. Tables of their own would have to be counted in
 * each epoch, replaced by number of span, and joined.
 */
import type { RowWriter } from '../platform/store/row-binary.ts';
import { PLAYBACK_MODES } from '../schemas/beat.ts';
import { TROUBLES } from './content-track.ts';
import type { Span } from './span-sums.ts';
import type { Subviews } from './subviews.ts';
import type { View } from './view.ts';

const NO_SPANS: readonly Span<never>[] = [];
/** Lists of a view of which nothing is said. */
const LISTS = 18;

/** Writes the columns `viewSpans`, in their order. */
export function writeSubviews(out: RowWriter, view: View): void {
  const { subviews } = view;
  if (subviews === undefined) {
    for (let list = 0; list < LISTS; list++) out.varuint(0);
    out.int64(0);
    out.nullableInt64(null);
    return;
  }
  writeRenditions(out, subviews);
  writeModes(out, subviews);
  writeContent(out, view, subviews);
}

function writeRenditions(out: RowWriter, { renditions }: Subviews): void {
  const spans = renditions?.spans ?? NO_SPANS;
  writeNumbers(out, spans, ({ value }) => value.bitrate);
  writeNumbers(out, spans, ({ value }) => value.width);
  writeNumbers(out, spans, ({ value }) => value.height);
  writeNumbers(out, spans, ({ value }) => value.milliFps);
  out.strings(spans.map(({ value }) => value.codec));
  writeSums(out, spans);
}

function writeModes(out: RowWriter, { modes }: Subviews): void {
  const spans = modes?.spans ?? NO_SPANS;
  out.strings(spans.map(({ value }) => PLAYBACK_MODES[value] ?? ''));
  writeSums(out, spans);
}

function writeSums(out: RowWriter, spans: readonly Span<unknown>[]): void {
  writeNumbers(out, spans, ({ playingMs }) => playingMs);
  writeNumbers(out, spans, ({ rebufferMs }) => rebufferMs);
  writeNumbers(out, spans, ({ rebufferCount }) => rebufferCount);
}

/** A list of numbers, without making one. */
function writeNumbers<Item>(
  out: RowWriter,
  items: readonly Item[],
  numberOf: (item: Item) => number,
): void {
  out.varuint(items.length);
  for (const item of items) out.int64(numberOf(item));
}

function writeContent(out: RowWriter, { closed, machine }: View, { content }: Subviews): void {
  const playedMs = machine.playing.totalMs;
  const ranges = content?.rangesAt(playedMs) ?? [];
  out.int64s(ranges.filter((_, place) => place % 2 === 0));
  out.int64s(ranges.filter((_, place) => place % 2 === 1));
  const troubles = content?.troubles ?? [];
  out.strings(troubles.map(({ kind }) => TROUBLES[kind] ?? ''));
  writeNumbers(out, troubles, ({ second }) => second);
  writeNumbers(out, troubles, ({ count }) => count);
  writeNumbers(out, troubles, ({ durationMs }) => durationMs);
  out.int64(content?.furthestAt(playedMs) ?? 0);
  const stoodMs = content?.positionAt(playedMs) ?? Number.NaN;
  out.nullableInt64(closed && machine.started && !Number.isNaN(stoodMs) ? stoodMs : null);
}
