/** One view over time: states, requests and errors, bitrate, buffer and latency, all under one axis. */
import { useCallback, useRef } from 'preact/hooks';
import { duration, text, words } from '../figures/format.ts';
import { BandStrip } from './band-strip.tsx';
import type { Band } from './bands.ts';
import { totalsOf } from './bands.ts';
import { GUTTER_PX, LinePlot } from './line-plot.tsx';
import type { Line } from './lines.ts';
import { MarkStrip } from './mark-strip.tsx';
import type { MomentMark } from './moments.ts';
import { Readout, readoutText } from './readout.tsx';
import type { RequestMark } from './requests.ts';
import type { Lens } from './use-window.ts';
import { placeOf, type Window } from './window.ts';

export interface Picture {
  readonly bands: readonly Band[];
  readonly lines: readonly Line[];
  readonly requests: readonly RequestMark[];
  readonly moments: readonly MomentMark[];
  /** Begin of the view, ms since 1970: times are counted from here. */
  readonly startMs: number;
}

/** Room right of every lane, px; the style sheet has the same. */
const END_PX = 14;

/** Where a pointer is over lanes of this element. */
export function usePlace() {
  const lanes = useRef<HTMLDivElement>(null);
  const placeAt = useCallback((clientX: number) => {
    const box = lanes.current?.getBoundingClientRect();
    const widthPx = Math.max(1, (box?.width ?? 0) - GUTTER_PX - END_PX);
    return { place: (clientX - (box?.left ?? 0) - GUTTER_PX) / widthPx, widthPx };
  }, []);
  return { lanes, placeAt };
}

interface Props {
  readonly picture: Picture;
  readonly lens: Lens;
  readonly lanes: ReturnType<typeof usePlace>['lanes'];
}

export function Timeline({ picture, lens, lanes }: Props) {
  const { bands, lines, startMs } = picture;
  const { window, cursorMs } = lens;
  return (
    <section class="timeline" aria-label="Timeline">
      <Readout picture={picture} lens={lens} />
      <div
        ref={lanes}
        class="lanes"
        role="slider"
        tabIndex={0}
        aria-label="Time in the view. Arrows move, plus and minus zoom, Escape shows all."
        aria-valuemin={0}
        aria-valuemax={Math.round(window.toMs - startMs)}
        aria-valuenow={Math.round((cursorMs ?? window.fromMs) - startMs)}
        aria-valuetext={cursorMs === null ? 'no time chosen' : readoutText(picture, cursorMs)}
        onKeyDown={lens.onKeyDown}
        onDblClick={lens.showAll}
        {...lens.pointer}
      >
        <Lane title="State">
          <BandStrip bands={bands} window={window} />
        </Lane>
        <Marks picture={picture} window={window} />
        {lines.map((line, index) => (
          <div class="lane lane-plot" key={line.name}>
            <span class="lane-name">{line.title}</span>
            <LinePlot
              line={line}
              window={window}
              startMs={startMs}
              last={index === lines.length - 1}
            />
          </div>
        ))}
        <Overlay lens={lens} />
      </div>
      <Legend picture={picture} />
    </section>
  );
}

/** Errors and ads stand where the player's requests are: they are its reports too. */
function Marks({ picture: { requests, moments }, window }: { picture: Picture; window: Window }) {
  const players = requests.filter(({ seenBy }) => seenBy === 'player');
  const edges = requests.filter(({ seenBy }) => seenBy === 'edge');
  return (
    <>
      {players.length + moments.length > 0 && (
        <Lane title={players.length > 0 ? 'Requests' : 'Moments'}>
          <MarkStrip requests={players} moments={moments} window={window} />
        </Lane>
      )}
      {edges.length > 0 && (
        <Lane title="at the edge">
          <MarkStrip requests={edges} moments={[]} window={window} />
        </Lane>
      )}
    </>
  );
}

function Lane({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <div class="lane">
      <span class="lane-title">{title}</span>
      <div class="lane-strip">{children}</div>
    </div>
  );
}

/** The cursor, and what a drag covers. */
function Overlay({ lens: { window, cursorMs, dragMs } }: { lens: Lens }) {
  if (cursorMs === null) return null;
  const at = placeOf(window, cursorMs);
  if (at < 0 || at > 1) return null;
  const from = dragMs === null ? at : placeOf(window, dragMs);
  const percent = (share: number): string => `${share * 100}%`;
  return (
    <div class="overlay" aria-hidden="true">
      {dragMs !== null && (
        <div
          class="drag"
          style={{ left: percent(Math.min(at, from)), width: percent(Math.abs(at - from)) }}
        />
      )}
      <div class="cursor" style={{ left: percent(at) }} />
    </div>
  );
}

function Legend({ picture: { bands, requests, moments } }: { picture: Picture }) {
  const others = [
    ['key-request', 'request', requests.length > 0],
    ['key-missed', 'not in the cache', requests.some(({ missed }) => missed)],
    ['key-error', 'failed, or error', requests.some(({ failed }) => failed) || moments.length > 0],
  ] as const;
  return (
    <ul class="legend">
      {totalsOf(bands)
        .filter(([, totalMs]) => totalMs > 0)
        .map(([kind, totalMs]) => (
          <li key={kind}>
            <i class={`key band-${kind}`} />
            {words(kind)} <b>{text(duration(totalMs))}</b>
          </li>
        ))}
      {others.map(([style, name, there]) =>
        there ? (
          <li key={name}>
            <i class={`key ${style}`} />
            {name}
          </li>
        ) : null,
      )}
    </ul>
  );
}
