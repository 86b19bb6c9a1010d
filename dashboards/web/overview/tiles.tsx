/** The row of figures. */
import type { Api } from '../api/client.ts';
import { readSeries } from '../api/monitoring.ts';
import { stepOf, type Tile, tiles } from '../figures/tiles.ts';
import type { Filter } from '../state/filters.ts';
import type { Live } from '../state/use-live.ts';
import { usePoll } from '../state/use-poll.ts';
import { FigureTile } from './tile.tsx';

/** What a sparkline reaches back, minutes. */
const MINUTES = 10;
/** How often it is asked for, ms: more often where the stream does not tell the newest value. */
const POLL_MS = 10_000;
const POLL_FILTERED_MS = 5_000;

interface Props {
  readonly api: Api;
  readonly filters: readonly Filter[];
  readonly live: Live;
  readonly chosen: string;
  readonly onChoose: (metric: string) => void;
}

export function Tiles(props: Props) {
  return (
    <section class="tiles" aria-label="Figures now">
      {tiles.map((tile) => (
        <LiveTile key={tile.metric.id} tile={tile} {...props} />
      ))}
    </section>
  );
}

function LiveTile({ tile, api, filters, live, chosen, onChoose }: Props & { tile: Tile }) {
  const { id } = tile.metric;
  const step = stepOf(tile.metric);
  const { value, stale } = usePoll(
    JSON.stringify([id, filters]),
    (signal) => readSeries(api, { metric: id, filters, minutes: MINUTES, step }, signal),
    filters.length === 0 ? POLL_MS : POLL_FILTERED_MS,
  );
  return (
    <FigureTile
      tile={tile}
      series={stale ? undefined : value}
      // The stream tells of the whole project.
      live={filters.length === 0 ? live.figures.get(id) : undefined}
      nowMs={api.now()}
      chosen={chosen === id}
      onChoose={() => onChoose(id)}
    />
  );
}
