/** The states of a view as bands over time. */
import { duration, text, words } from '../figures/format.ts';
import type { Band } from './bands.ts';
import { placeOf, type Window } from './window.ts';

const UNITS = 1_000;
const HEIGHT = 30;

interface Props {
  readonly bands: readonly Band[];
  readonly window: Window;
}

export function BandStrip({ bands, window }: Props) {
  const seen = bands.filter(({ fromMs, toMs }) => toMs >= window.fromMs && fromMs <= window.toMs);
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${UNITS} ${HEIGHT}`}
      preserveAspectRatio="none"
      height={HEIGHT}
      role="img"
      aria-label={said(bands)}
    >
      {seen.map((band) => (
        <BandRect key={`${band.fromMs} ${band.kind}`} band={band} window={window} />
      ))}
    </svg>
  );
}

/** Short ones keep a width that can be seen: a stall of 40 ms in an hour is still a stall. */
const WIDTH_MIN = 1.5;

function BandRect({ band, window }: { band: Band; window: Window }) {
  const from = Math.max(0, placeOf(window, band.fromMs)) * UNITS;
  const to = Math.min(1, placeOf(window, band.toMs)) * UNITS;
  return (
    <rect
      class={`band band-${band.kind}`}
      x={from}
      y={0}
      width={Math.max(to - from, WIDTH_MIN)}
      height={HEIGHT}
    >
      <title>{titleOf(band)}</title>
    </rect>
  );
}

function titleOf({ kind, reported, fromMs, toMs }: Band): string {
  const span = text(duration(toMs - fromMs));
  const differs = reported !== '' && reported !== kind;
  return `${words(kind)}, ${span}${differs ? ` (the player said ${reported})` : ''}`;
}

const SAID_MAX = 12;

function said(bands: readonly Band[]): string {
  const shown = bands.slice(0, SAID_MAX).map(titleOf).join('; ');
  return `States: ${shown}${bands.length > SAID_MAX ? `; and ${bands.length - SAID_MAX} more` : ''}`;
}
