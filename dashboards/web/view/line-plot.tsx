/** One line of a view over time, under the same time axis as the bands. */
import { useMemo } from 'preact/hooks';
import UPlot from 'uplot';
import { Plot, type PlotOptions } from '../charts/plot.tsx';
import { type Theme, useTheme } from '../charts/theme.ts';
import { figureText } from '../figures/format.ts';
import { offset } from '../figures/time.ts';
import type { Line } from './lines.ts';
import type { Window } from './window.ts';

/** Room at the sides of every lane, px; the style sheet has the same. */
export const GUTTER_PX = 76;
const END_PX = 14;
const HEIGHT_PX = 84;
const AXIS_PX = 26;
/** Steps of the axis of time, s. */
const STEPS_S = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400,
];

const POINTS_SHOWN_MAX = 80;

/** A held value makes steps. */
const stepped = UPlot.paths.stepped?.({ align: 1 });

interface Props {
  readonly line: Line;
  readonly window: Window;
  /** Begin of the view, ms since 1970: times are counted from here. */
  readonly startMs: number;
  /** True: draws the axis of time below. */
  readonly last: boolean;
}

export function LinePlot({ line, window, startMs, last }: Props) {
  const theme = useTheme();
  const { fromMs, toMs } = window;
  const { title, unit, held } = line;
  const few = line.timesMs.length <= POINTS_SHOWN_MAX;
  const options = useMemo(
    () => optionsOf({ title, unit, held, few }, theme, { fromMs, toMs }, startMs, last),
    [title, unit, held, few, theme, fromMs, toMs, startMs, last],
  );
  const data = useMemo(() => dataOf(line, startMs, toMs), [line, startMs, toMs]);
  const label = `${title} from ${figureText(Math.min(...line.values), unit)} to ${figureText(Math.max(...line.values), unit)}`;
  return (
    <Plot options={options} data={data} heightPx={HEIGHT_PX + (last ? AXIS_PX : 0)} label={label} />
  );
}

/** What is held goes on to the end of what is seen. */
function dataOf({ timesMs, values, held }: Line, startMs: number, toMs: number): UPlot.AlignedData {
  const seconds = timesMs.map((timeMs) => (timeMs - startMs) / 1_000);
  const lastMs = timesMs.at(-1);
  const newest = values.at(-1);
  if (!held || lastMs === undefined || newest === undefined || lastMs >= toMs) {
    return [seconds, [...values]];
  }
  return [
    [...seconds, (toMs - startMs) / 1_000],
    [...values, newest],
  ];
}

interface Look extends Pick<Line, 'title' | 'unit' | 'held'> {
  /** Each report is marked, so that what lies between them does not pass for reported. */
  readonly few: boolean;
}

function optionsOf(
  { title, unit, held, few }: Look,
  theme: Theme,
  { fromMs, toMs }: Window,
  startMs: number,
  last: boolean,
): PlotOptions {
  const axis = { stroke: theme.muted, font: '11px system-ui, sans-serif', ticks: { show: false } };
  const grid = { stroke: theme.rule, width: 1 };
  return {
    padding: [4, END_PX, last ? 0 : 4, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [(fromMs - startMs) / 1_000, (toMs - startMs) / 1_000] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        grid,
        show: last,
        size: AXIS_PX,
        space: 80,
        incrs: STEPS_S,
        values: (_plot, splits) => splits.map((split) => offset(split * 1_000).replace(/\.0$/, '')),
      },
      {
        ...axis,
        grid,
        size: GUTTER_PX,
        space: 26,
        values: (_plot, splits) =>
          splits.map((split) => (split === 0 ? '0' : figureText(split, unit))),
      },
    ],
    series: [
      {},
      {
        label: title,
        stroke: theme.accent,
        fill: theme.soft,
        width: 1.5,
        points: { show: !held && few, size: 4, fill: theme.accent },
        ...(stepped === undefined || !held ? {} : { paths: stepped }),
      },
    ],
  };
}
