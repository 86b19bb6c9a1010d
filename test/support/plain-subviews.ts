/**
 * What a view divides into, computed again from its reports as objects: a second list of all milliseconds, each with what
 * held at the time. Nothing here is the fold's; it takes its word only for how long each stretch played or rebuffered.
 */
import type { BeatEvent, Part, PlaybackMode, RenditionPart } from '../../schemas/beat.ts';
import type { Row } from './row-reader.ts';

export interface PlainSpan {
  playingMs: number;
  rebufferMs: number;
  rebufferCount: number;
}

export interface PlainSubviews {
  /** By what was shown, as text; empty is unknown. */
  readonly renditions: Record<string, PlainSpan>;
  readonly modes: Record<string, PlainSpan>;
}

/** Totals of a view before and after one of its reports. */
interface Step {
  readonly playing: number;
  readonly rebuffer: number;
  readonly began: boolean;
  readonly state: string;
}

type Said = { readonly type: string } & Record<string, unknown>;

/** Parts by the name of their type. */
function saidBy({ parts }: BeatEvent): Said[] {
  return parts.map((part: Part) => {
    const [name, value] = Object.entries(part)[0] ?? ['', {}];
    return { type: name.split('.').at(-1) ?? '', ...(value as object) };
  });
}

const nameOf = ({ bitrate, width, height, milliFps, codec }: RenditionPart): string => {
  const numbers = [bitrate, width, height, milliFps].map((value) => Math.max(0, value));
  return numbers.every((value) => value === 0) && codec === '' ? '' : [...numbers, codec].join();
};

/** The reports in their order, and the rows of their timeline in the same. */
export function plainSubviews(events: readonly BeatEvent[], rows: readonly Row[]): PlainSubviews {
  const renditions = new Map<string, PlainSpan>();
  const modes = new Map<string, PlainSpan>();
  let [rendition, mode, openIn, openInMode] = ['', '', '', ''];
  let isOpen = false;
  let shownSaid = false;
  let before: Step = { playing: 0, rebuffer: 0, began: false, state: '' };
  let count = 0;
  events.forEach((event, index) => {
    const row = rows[index] ?? {};
    const began = Number(row.rebuffer_count) > count;
    count = Number(row.rebuffer_count);
    const after = {
      playing: Number(row.playing_ms),
      rebuffer: Number(row.rebuffer_ms),
      began,
      state: String(row.state),
    };
    for (const [sums, held, open] of [
      [renditions, rendition, openIn],
      [modes, mode, openInMode],
    ] as const) {
      spanOf(sums, held).playingMs += after.playing - before.playing;
      spanOf(sums, isOpen ? open : held).rebufferMs += after.rebuffer - before.rebuffer;
    }
    for (const said of saidBy(event)) {
      if (said.type === 'Rendition') {
        const isSelected = said.basis === 'selected';
        if (!isSelected || !shownSaid) rendition = nameOf(said as unknown as RenditionPart);
        shownSaid ||= !isSelected;
      }
      if (said.type === 'PlaybackMode') mode = said.mode as PlaybackMode;
      // A state of playing closes whatever was open, also when another follows in the same report.
      if (said.type === 'State' && said.state === 'playing' && after.state === 'playing')
        isOpen = false;
    }
    if (began) {
      [openIn, openInMode, isOpen] = [rendition, mode, true];
      spanOf(renditions, rendition).rebufferCount++;
      spanOf(modes, mode).rebufferCount++;
    }
    before = after;
  });
  return { renditions: Object.fromEntries(renditions), modes: Object.fromEntries(modes) };
}

function spanOf(sums: Map<string, PlainSpan>, name: string): PlainSpan {
  const known = sums.get(name);
  if (known !== undefined) return known;
  const span = { playingMs: 0, rebufferMs: 0, rebufferCount: 0 };
  sums.set(name, span);
  return span;
}

/** The same of a row of `views`: its spans, and the rest of the view's sums as the unknown one. */
export function spansOfRow(row: Row): PlainSubviews {
  const list = (name: string): readonly (string | number)[] =>
    row[name] as readonly (string | number)[];
  const names = list('rendition_bitrates').map((bitrate, at) =>
    [
      bitrate,
      list('rendition_widths')[at],
      list('rendition_heights')[at],
      list('rendition_milli_fps')[at],
      list('rendition_codecs')[at],
    ].join(),
  );
  return {
    renditions: spansOf(row, names, 'rendition'),
    modes: spansOf(row, list('mode_names').map(String), 'mode'),
  };
}

function spansOf(row: Row, names: readonly string[], kind: string): Record<string, PlainSpan> {
  const sumsOf = (name: string, total: string): number[] => {
    const known = (row[name] as readonly number[]).map(Number);
    return [...known, Number(row[total]) - known.reduce((sum, value) => sum + value, 0)];
  };
  const playing = sumsOf(`${kind}_playing_ms`, 'playing_ms');
  const rebuffer = sumsOf(`${kind}_rebuffer_ms`, 'rebuffer_ms');
  const counts = sumsOf(`${kind}_rebuffer_counts`, 'rebuffer_count');
  return Object.fromEntries(
    [...names, ''].map((name, at) => [
      name,
      {
        playingMs: playing[at] ?? 0,
        rebufferMs: rebuffer[at] ?? 0,
        rebufferCount: counts[at] ?? 0,
      },
    ]),
  );
}

/** Without spans in which nothing was played or waited for. */
export function lived(spans: Record<string, PlainSpan>): Record<string, PlainSpan> {
  return Object.fromEntries(
    Object.entries(spans).filter(
      ([, { playingMs, rebufferMs, rebufferCount }]) => playingMs + rebufferMs + rebufferCount > 0,
    ),
  );
}
