/** Spans, parts of content and troubles for made-up views, from a seed: lists that add up to at most the view's sums. */
import { type RowObject, seeded } from '../../support/rows.ts';
import type { View } from './generated-views.ts';

const CODECS = ['', 'avc1.4d401f,mp4a.40.2', "o'codec"];
const MODES = ['inline', 'fullscreen', 'pip'];

/** Cuts a whole into parts; the rest, unsaid, belongs to none. */
function cut(whole: number, count: number, random: () => number): number[] {
  let left = whole;
  return Array.from({ length: count }, () => {
    const part = Math.floor(left * random());
    left -= part;
    return part;
  });
}

export function withSpans(views: readonly View[], seed: number): (View & RowObject)[] {
  const random = seeded(seed);
  const whole = (max: number): number => Math.floor(random() * max);
  const times = <Value>(count: number, make: () => Value): Value[] =>
    Array.from({ length: count }, make);
  return views.map((view) => {
    const [renditions, modes, parts, troubles] = [whole(4), whole(3), whole(4), whole(4)];
    const sums = (prefix: string, count: number): RowObject => ({
      [`${prefix}_playing_ms`]: cut(Number(view.playing_ms), count, random),
      [`${prefix}_rebuffer_ms`]: cut(Number(view.rebuffer_ms), count, random),
      [`${prefix}_rebuffer_counts`]: cut(Number(view.rebuffer_count), count, random),
    });
    const from = times(parts, () => whole(900));
    const to = from.map((second) => second + 1 + whole(99));
    const kinds = times(troubles, () => ['rebuffer', 'downswitch', 'error'][whole(3)] ?? '');
    return {
      ...view,
      stream_type: random() < 0.2 ? 'live' : 'on-demand',
      error_count: troubles,
      rendition_bitrates: times(renditions, () => 500_000 * whole(4)),
      rendition_widths: times(renditions, () => 640 * whole(3)),
      rendition_heights: times(renditions, () => 360 * whole(3)),
      rendition_milli_fps: times(renditions, () => [0, 25_000, 29_970][whole(3)] ?? 0),
      rendition_codecs: times(renditions, () => CODECS[whole(3)] ?? ''),
      ...sums('rendition', renditions),
      mode_names: MODES.slice(0, modes),
      ...sums('mode', modes),
      content_from_s: from,
      content_to_s: to,
      trouble_kinds: kinds,
      trouble_seconds: times(troubles, () => whole(1_000)),
      trouble_counts: times(troubles, () => whole(3)),
      trouble_ms: kinds.map((kind) => (kind === 'rebuffer' ? whole(5_000) : 0)),
      content_end_ms: parts === 0 ? 0 : 1_000 * Math.max(...to) + whole(900),
      content_exit_ms: random() < 0.3 ? null : whole(1_000_000),
    };
  });
}
