/** Requests as spans and errors and ads as moments, over time. */
import type { MomentMark } from './moments.ts';
import type { RequestMark } from './requests.ts';
import { placeOf, type Window } from './window.ts';

const UNITS = 1_000;
const HEIGHT = 26;
/** Requests overlap: they are laid in this many rows, one after the other. */
const ROWS = 3;
const ROW_HEIGHT = 5;
const WIDTH_MIN = 1.2;

interface Props {
  readonly requests: readonly RequestMark[];
  readonly moments: readonly MomentMark[];
  readonly window: Window;
}

export function MarkStrip({ requests, moments, window }: Props) {
  const label = `${requests.length} requests, ${moments.filter(({ kind }) => kind === 'error').length} errors`;
  return (
    <svg
      class="strip marks"
      viewBox={`0 0 ${UNITS} ${HEIGHT}`}
      preserveAspectRatio="none"
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      {requests.map((mark, index) =>
        mark.toMs < window.fromMs || mark.fromMs > window.toMs ? null : (
          // Marks never move within the list: it only grows.
          <RequestRect key={index} mark={mark} window={window} row={index % ROWS} />
        ),
      )}
      {moments.map(({ kind, atMs, summary }, index) => {
        const x = placeOf(window, atMs) * UNITS;
        if (x < 0 || x > UNITS) return null;
        return (
          <rect
            key={`${kind} ${index}`}
            class={`moment moment-${kind}`}
            x={x - 1}
            y={0}
            width={2.4}
            height={HEIGHT}
          >
            <title>{summary}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function RequestRect({ mark, window, row }: { mark: RequestMark; window: Window; row: number }) {
  const from = Math.max(0, placeOf(window, mark.fromMs)) * UNITS;
  const to = Math.min(1, placeOf(window, mark.toMs)) * UNITS;
  const { failed, missed, kind } = mark;
  const style = `request request-${failed ? 'failed' : missed ? 'missed' : kind}`;
  return (
    <rect
      class={style}
      x={from}
      y={3 + row * (ROW_HEIGHT + 2.5)}
      width={Math.max(to - from, WIDTH_MIN)}
      height={ROW_HEIGHT}
    >
      <title>{mark.summary}</title>
    </rect>
  );
}
