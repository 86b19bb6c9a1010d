/**
 * What truly happened in a play, by the events of its video element.
 *
 * The rules are those of `docs/metrics.md`: startup to the first playing; a rebuffer is a `waiting` while playing and not
 * seeking, to whatever comes next; the wait of a seek is its own.
 */

/** One line of the recorder in the page, as `page/truth.js` writes it. */
export interface TruthLine {
  readonly atMs: number;
  readonly type: string;
  readonly seeking: boolean;
  readonly atEnd: boolean;
  readonly width: number;
  readonly height: number;
  /** What the glue told a player's analytics, bit/s; 0 in all other lines. */
  readonly bitrate: number;
}

type State = 'starting' | 'playing' | 'rebuffering' | 'seeking' | 'paused' | 'ended';

interface Span {
  readonly state: State;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Truth {
  /** From the page's call to the first frame that moves. */
  readonly loadMs: number;
  /** The same, from where the player says that it begins. */
  readonly startupMs: number;
  readonly rebufferCount: number;
  readonly rebufferMs: number;
  readonly seekCount: number;
  readonly seekMs: number;
  readonly pausedMs: number;
  readonly playedMs: number;
  readonly ended: boolean;
  /** Heights of the picture from the first frame on, without repeats. */
  readonly heights: readonly number[];
  /** Mean over the time played of what holds from each of these times on. */
  meanOver(changes: readonly { readonly atMs: number; readonly value: number }[]): number;
}

export function truthOf(lines: readonly TruthLine[]): Truth {
  const spans = spansOf(lines);
  const of = (state: State): readonly Span[] => spans.filter((span) => span.state === state);
  const msOf = (state: State): number =>
    of(state).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  return {
    loadMs: atOf(lines, 'playing') - atOf(lines, 'load'),
    startupMs: msOf('starting'),
    rebufferCount: of('rebuffering').length,
    rebufferMs: msOf('rebuffering'),
    seekCount: of('seeking').length,
    seekMs: msOf('seeking'),
    pausedMs: msOf('paused'),
    playedMs: msOf('playing'),
    ended: spans.at(-1)?.state === 'ended',
    heights: heightsOf(lines),
    meanOver: (changes) => meanOver(of('playing'), changes),
  };
}

/** When a line of this type was first written. */
export function atOf(lines: readonly TruthLine[], type: string): number {
  const line = lines.find((one) => one.type === type);
  if (line === undefined) throw new Error(`no ${type} in ${JSON.stringify(lines)}`);
  return line.atMs;
}

/** The state after a media event; undefined where it says nothing new. */
function stateAfter(held: State, { type, seeking, atEnd }: TruthLine): State | undefined {
  if (held === 'ended') return undefined;
  if (type === 'playing') return 'playing';
  if (held === 'starting') return undefined;
  if (type === 'waiting') return held === 'playing' && !seeking ? 'rebuffering' : undefined;
  // The element pauses itself at the end.
  if (type === 'pause') return atEnd ? undefined : 'paused';
  if (type === 'seeking' || type === 'ended') return type;
  return undefined;
}

function spansOf(lines: readonly TruthLine[]): Span[] {
  const spans: Span[] = [];
  let state: State = 'starting';
  let fromMs = atOf(lines, 'begin');
  for (const line of lines) {
    const next = stateAfter(state, line);
    if (next === undefined || next === state) continue;
    spans.push({ state, fromMs, toMs: line.atMs });
    state = next;
    fromMs = line.atMs;
  }
  return [...spans, { state, fromMs, toMs: fromMs }];
}

function heightsOf(lines: readonly TruthLine[]): number[] {
  const playing = lines.findIndex(({ type }) => type === 'playing');
  const heights = lines.slice(playing).map(({ height }) => height);
  return heights.filter((height, index) => height !== heights[index - 1]);
}

function meanOver(
  spans: readonly Span[],
  changes: readonly { readonly atMs: number; readonly value: number }[],
): number {
  let sum = 0;
  let knownMs = 0;
  changes.forEach(({ atMs, value }, index) => {
    const untilMs = changes[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    for (const { fromMs, toMs } of spans) {
      const heldMs = Math.max(0, Math.min(toMs, untilMs) - Math.max(fromMs, atMs));
      sum += value * heldMs;
      knownMs += heldMs;
    }
  });
  return sum / knownMs;
}
