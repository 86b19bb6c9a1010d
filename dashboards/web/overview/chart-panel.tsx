/** One metric over the last minutes, split by a dimension if wished. */
import { useMemo, useRef } from 'preact/hooks';
import type UPlot from 'uplot';
import { dimensions } from '../../../schemas/catalogue/dimensions.ts';
import { intervalMetrics } from '../../../schemas/catalogue/interval-metrics.ts';
import type { Api } from '../api/client.ts';
import { readSeries, readSplit } from '../api/monitoring.ts';
import { Plot } from '../charts/plot.tsx';
import { useTheme } from '../charts/theme.ts';
import { dimensionTitle, metricOf, stepOf, valueTitle } from '../figures/tiles.ts';
import type { Filter } from '../state/filters.ts';
import { type Overview, SPANS } from '../state/route.ts';
import { usePoll } from '../state/use-poll.ts';
import { chartOptions } from './chart-options.ts';
import { Select } from './select.tsx';
import { Trouble } from './trouble.tsx';

const POLL_MS = 5_000;
const LINES_MAX = 5;
const HEIGHT_PX = 300;

interface Props {
  readonly api: Api;
  readonly route: Overview;
  readonly filters: readonly Filter[];
  readonly onChange: (change: Partial<Overview>) => void;
}

interface Drawn {
  readonly metric: string;
  readonly split: string;
  readonly names: readonly string[];
  readonly data: UPlot.AlignedData;
  readonly throughMs: number | null;
}

/** What the shaded end of the chart is. */
const NOTES = {
  now: 'What viewers did at the end of each window. It is replaced by exact figures once the window is complete.',
  filling: 'These windows are not complete: players report up to half a minute later.',
} as const;

const splits = dimensions.filter(({ interval }) => interval);

export function ChartPanel({ api, route, filters, onChange }: Props) {
  const { metric, minutes, split } = route;
  const { value, problem, stale } = usePoll(
    JSON.stringify([metric, minutes, split, filters]),
    (signal) => readDrawn(api, { metric, minutes, split, filters }, signal),
    POLL_MS,
  );
  return (
    <section class="panel chart-panel" aria-label="Over time">
      <header class="section-head">
        <Select
          label="Metric"
          big
          value={metric}
          choices={intervalMetrics.map(({ id, title }) => [id, title])}
          onChange={(chosen) => onChange({ metric: chosen })}
        />
        <Select
          label="Split by"
          value={split}
          choices={[['', 'nothing'], ...splits.map(({ name, title }) => [name, title] as const)]}
          onChange={(chosen) => onChange({ split: chosen })}
        />
        <fieldset class="choices">
          <legend class="hidden">Reaches back</legend>
          {SPANS.map((span) => (
            <button
              key={span}
              type="button"
              aria-pressed={span === minutes}
              onClick={() => onChange({ minutes: span })}
            >
              {span} min
            </button>
          ))}
        </fieldset>
      </header>
      <p class="definition">{metricOf(metric).definition}</p>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      <div class={stale ? 'chart chart-stale' : 'chart'} style={{ minHeight: `${HEIGHT_PX}px` }}>
        {value !== undefined && <Chart drawn={value} />}
      </div>
    </section>
  );
}

async function readDrawn(
  api: Api,
  ask: Pick<Overview, 'metric' | 'minutes' | 'split'> & { filters: readonly Filter[] },
  signal: AbortSignal,
): Promise<Drawn> {
  const { metric, split } = ask;
  const step = stepOf(metricOf(metric));
  if (split === '') {
    const { points, throughMs } = await readSeries(api, { ...ask, step }, signal);
    const data: UPlot.AlignedData = [
      points.map(({ atMs }) => atMs),
      points.map(({ value }) => value),
    ];
    return { metric, split, names: [metricOf(metric).title], data, throughMs };
  }
  const { timesMs, lines, throughMs } = await readSplit(
    api,
    { ...ask, step, linesMax: LINES_MAX },
    signal,
  );
  const shown = lines.slice(0, LINES_MAX);
  const data: UPlot.AlignedData = [[...timesMs], ...shown.map(({ values }) => [...values])];
  return {
    metric,
    split,
    names: shown.map(({ name }) => valueTitle(split, name)),
    data,
    throughMs,
  };
}

function Chart({ drawn }: { drawn: Drawn }) {
  const theme = useTheme();
  const through = useRef<number | null>(null);
  through.current = drawn.throughMs;
  const metric = metricOf(drawn.metric);
  const names = JSON.stringify(drawn.names);
  const options = useMemo(
    () => chartOptions({ metric, lines: JSON.parse(names) as string[], theme, through }),
    [metric, names, theme],
  );
  const empty = drawn.data.slice(1).every((values) => [...values].every((value) => value === null));
  return (
    <>
      <Plot
        options={options}
        data={drawn.data}
        heightPx={HEIGHT_PX}
        label={`${metric.title} over time`}
      />
      {empty && (
        <p class="chart-empty">
          Nothing to show in this time. {metric.title} needs views that report it.
        </p>
      )}
      <ul class="legend">
        {drawn.split !== '' && <li class="legend-title">{dimensionTitle(drawn.split)}</li>}
        {drawn.split !== '' &&
          drawn.names.map((name, index) => (
            <li key={name}>
              <i class={`key line-${index + 1}`} />
              {name}
            </li>
          ))}
        <li class="chart-note" title={metric.now ? NOTES.now : NOTES.filling}>
          {metric.now ? 'state of the moment' : 'still filling'}
        </li>
      </ul>
    </>
  );
}
