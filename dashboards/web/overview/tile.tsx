/** One figure: its newest value, large, over its last minutes, small. A press puts it into the chart. */
import type { Series } from '../api/monitoring.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { figureText, shown } from '../figures/format.ts';
import { fromZero, stepMs, stepOf, type Tile } from '../figures/tiles.ts';
import { age, clock, utc } from '../figures/time.ts';

/** A value older than this says how old it is, ms. */
const OLD_MS = 45_000;

/** Before the first answer: nothing, in the place of something. */
const WAITING = { number: '\u00a0', unit: '' } as const;

interface Props {
  readonly tile: Tile;
  readonly series: Series | undefined;
  /** Newest value of the stream; undefined when it says nothing of this metric. */
  readonly live: number | null | undefined;
  readonly nowMs: number;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

export function FigureTile({
  tile: { metric, short },
  series,
  live,
  nowMs,
  chosen,
  onChoose,
}: Props) {
  const points = series?.points ?? [];
  const newest = points.findLast(({ value }) => value !== null);
  const value = live ?? newest?.value ?? null;
  const ageMs =
    live === null || live === undefined
      ? nowMs - (newest?.atMs ?? nowMs) - stepMs[stepOf(metric)]
      : 0;
  const waiting = series === undefined && value === null;
  const { number, unit } = waiting ? WAITING : shown(value, metric.unit);
  return (
    <button
      type="button"
      class="tile"
      aria-pressed={chosen}
      onClick={onChoose}
      title={`${metric.title}: ${metric.definition}`}
    >
      <span class="tile-name">{short}</span>
      <span class={ageMs > OLD_MS ? 'tile-figure tile-old' : 'tile-figure'} data-metric={metric.id}>
        {number}
        {unit !== '' && <small>{unit === '%' ? '%' : ` ${unit}`}</small>}
      </span>
      <span class="tile-note">{noteOf()}</span>
      <Sparkline values={points.map((point) => point.value)} fromZero={fromZero(metric)} />
    </button>
  );

  function noteOf() {
    if (series === undefined) return ' ';
    if (newest === undefined) return value === null ? 'nothing in 10 min' : ' ';
    if (ageMs > OLD_MS)
      return <time title={`${clock(newest.atMs)}, ${utc(newest.atMs)}`}>{age(ageMs)} ago</time>;
    const known = points.flatMap((point) => (point.value === null ? [] : [point.value]));
    return `${figureText(Math.min(...known), metric.unit)} to ${figureText(Math.max(...known), metric.unit)}`;
  }
}
