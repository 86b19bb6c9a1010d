/** What is known of the moment that the cursor points at, and the buttons that zoom. */
import { figureText, words } from '../figures/format.ts';
import { clock, offset, utc } from '../figures/time.ts';
import { bandAt } from './bands.ts';
import { valueAt } from './lines.ts';
import type { Picture } from './timeline.tsx';
import type { Lens } from './use-window.ts';

interface Said {
  readonly name: string;
  readonly value: string;
}

function saidAt({ bands, lines }: Picture, timeMs: number): readonly Said[] {
  const band = bandAt(bands, timeMs);
  return [
    { name: 'State', value: band === undefined ? '–' : words(band.kind) },
    ...lines.map((line) => ({
      name: line.title,
      value: figureText(valueAt(line, timeMs), line.unit),
    })),
  ];
}

/** The same in one sentence, for those who hear the page. */
export function readoutText(picture: Picture, timeMs: number): string {
  const said = saidAt(picture, timeMs).map(({ name, value }) => `${name} ${value}`);
  return [offset(timeMs - picture.startMs), ...said].join(', ');
}

export function Readout({ picture, lens }: { picture: Picture; lens: Lens }) {
  const { cursorMs, zoom, zoomedIn, showAll } = lens;
  const timeMs = cursorMs ?? lens.window.toMs;
  return (
    <div class="readout">
      <dl class="readout-figures">
        <div>
          <dt>Time</dt>
          <dd title={utc(timeMs)}>
            {offset(timeMs - picture.startMs)} <small>{clock(timeMs)}</small>
          </dd>
        </div>
        {saidAt(picture, timeMs).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        <button
          type="button"
          onClick={() => zoom(1 / 2)}
          aria-label="Zoom in"
          title="Zoom in (drag over the lanes, or +)"
        >
          +
        </button>
        <button
          type="button"
          onClick={() => zoom(2)}
          aria-label="Zoom out"
          title="Zoom out (−)"
          disabled={!zoomedIn}
        >
          −
        </button>
        <button
          type="button"
          onClick={showAll}
          title="Show the whole view (Escape, or a double click)"
          disabled={!zoomedIn}
        >
          All
        </button>
      </div>
    </div>
  );
}
