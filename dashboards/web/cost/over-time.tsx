/** Cost over time, and quality below it on the same axis. */
import { useMemo } from 'preact/hooks';
import { findViewMetric } from '../../../schemas/catalogue/metrics.ts';
import type { Api } from '../api/client.ts';
import { Plot } from '../charts/plot.tsx';
import { useTheme } from '../charts/theme.ts';
import { amountText } from '../figures/money.ts';
import { Select } from '../overview/select.tsx';
import { Trouble } from '../overview/trouble.tsx';
import { frameOf } from '../state/cost-frame.ts';
import { COST_QUALITIES, type CostPage, type CostQuality } from '../state/cost-route.ts';
import { usePoll } from '../state/use-poll.ts';
import { costOptions, qualityOptions } from './chart-options.ts';
import { type OverTime, readOverTime } from './read-over-time.ts';

const POLL_MS = 30_000;
const COST_PX = 220;
const QUALITY_PX = 150;

const TITLES: Readonly<Record<CostQuality, string>> = {
  rebuffer_percentage: 'Rebuffering',
  video_startup_time: 'Startup, median',
};

interface Props {
  readonly api: Api;
  readonly route: CostPage;
  readonly onChange: (change: Partial<CostPage>) => void;
}

export function OverTimePanel({ api, route, onChange }: Props) {
  const { span, filters, split, quality } = route;
  const { value, problem, stale } = usePoll(
    JSON.stringify([span, filters, split, quality]),
    (signal) =>
      readOverTime(api, { frame: frameOf(span, api.now()), filters, split, quality }, signal),
    POLL_MS,
  );
  // The head of the page says what is missing, once.
  const unpriced = value !== undefined && value.cost === undefined;
  return (
    <section class="panel over-time" aria-labelledby="over-time-title">
      <header class="section-head">
        <h2 id="over-time-title">Over time</h2>
        <fieldset class="choices choices-left" hidden={unpriced}>
          <legend class="hidden">Cost</legend>
          {(['cdn', 'none'] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={split === each}
              onClick={() => onChange({ split: each })}
            >
              {each === 'cdn' ? 'By CDN' : 'All'}
            </button>
          ))}
        </fieldset>
        <Select
          label="with"
          value={quality}
          choices={COST_QUALITIES.map((id) => [id, TITLES[id]] as const)}
          onChange={(id) => onChange({ quality: id as CostQuality })}
        />
      </header>
      {problem !== undefined && <Trouble problem={problem} old={value !== undefined} />}
      <div
        class={stale ? 'chart chart-stale' : 'chart'}
        style={{ minHeight: `${(unpriced ? 0 : COST_PX) + QUALITY_PX + 52}px` }}
      >
        {value !== undefined && <Charts drawn={value} />}
      </div>
    </section>
  );
}

function Charts({ drawn }: { drawn: OverTime }) {
  const { cost } = drawn;
  const single = cost?.names.length === 1;
  return (
    <>
      {cost !== undefined && <CostChart drawn={drawn} cost={cost} />}
      <QualityChart drawn={drawn} />
      <ul class="legend">
        {!single &&
          cost?.names.map((name, index) => (
            <li key={name}>
              <i class={`key line-${index + 1}`} />
              {name}
            </li>
          ))}
        <li class="legend-end">Times in UTC, as bills are</li>
      </ul>
    </>
  );
}

function CostChart({
  drawn: { frame, timesMs },
  cost,
}: {
  drawn: OverTime;
  cost: NonNullable<OverTime['cost']>;
}) {
  const theme = useTheme();
  const { names, parts, currency } = cost;
  const largest = largestOf(parts);
  const look = JSON.stringify([names, frame, currency, largest]);
  const options = useMemo(
    () => costOptions({ theme, frame, names, currency, largest }),
    [look, theme],
  );
  const data = useMemo(
    () => [
      middles(timesMs, frame.stepMs),
      ...parts.map((part) => part.map((micros) => Number(micros) / 1e6)),
    ],
    [timesMs, parts, frame.stepMs],
  );
  return (
    <figure class="timed">
      <figcaption>Cost</figcaption>
      <Plot options={options} data={data as [number[]]} heightPx={COST_PX} label="Cost over time" />
    </figure>
  );
}

function QualityChart({ drawn: { frame, timesMs, quality, metric } }: { drawn: OverTime }) {
  const theme = useTheme();
  const look = JSON.stringify([frame, metric]);
  const title = TITLES[metric];
  const unit = findViewMetric(metric)?.unit ?? 'count';
  const options = useMemo(() => qualityOptions({ theme, frame, title, unit }), [look, theme]);
  const data = useMemo(
    () => [middles(timesMs, frame.stepMs), [...quality]] as [number[], (number | null)[]],
    [timesMs, quality, frame.stepMs],
  );
  return (
    <figure class="timed">
      <figcaption>{title}</figcaption>
      <Plot options={options} data={data} heightPx={QUALITY_PX} label={`${title} over time`} />
      {quality.every((value) => value === null) && (
        <p class="timed-empty">No view that ended in this time tells of it.</p>
      )}
    </figure>
  );
}

/** A point stands in the middle of its bucket. */
const middles = (timesMs: readonly number[], stepMs: number): number[] =>
  timesMs.map((timeMs) => timeMs + stepMs / 2);

function largestOf(parts: readonly (readonly bigint[])[]): string {
  let largest = 0n;
  for (const amount of parts.flat()) if (amount > largest) largest = amount;
  return amountText(largest);
}
