/** How the two charts over time look: bars of money, a line of quality, on one axis of time in UTC. */
import UPlot from 'uplot';
import type { Unit } from '../../../schemas/catalogue/metric.ts';
import type { PlotOptions } from '../charts/plot.tsx';
import type { Theme } from '../charts/theme.ts';
import { tooltip } from '../charts/tooltip.ts';
import { figureText } from '../figures/format.ts';
import { decimalsFor, moneyText } from '../figures/money.ts';
import type { CostFrame } from '../state/cost-frame.ts';
import { bucketTitle, tickTitle } from './bucket-times.ts';

const FONT = '12px system-ui, sans-serif';
const AXIS_PX = 72;
const TIME_AXIS_PX = 28;
/** Part of its bucket that a bar fills. */
const BAR_SHARE = 0.84;

/** Both charts point at the same bucket. */
const SYNC = 'cost-over-time';

interface SharedLook {
  readonly theme: Theme;
  readonly frame: CostFrame;
  /** Text of a value of the axis, and of the tooltip. */
  readonly text: (value: number | null | undefined) => string;
  readonly range: (high: number) => number;
}

function shared({ theme, frame, text, range }: SharedLook): Omit<PlotOptions, 'series'> {
  const grid = { stroke: theme.rule, width: 1 };
  const axis = { stroke: theme.muted, font: FONT, grid, ticks: { show: false } };
  return {
    ms: 1,
    tzDate: (timeMs) => UPlot.tzDate(new Date(timeMs), 'Etc/UTC'),
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7 },
      sync: { key: SYNC, scales: ['x', null] },
    },
    scales: {
      x: { range: () => [frame.fromMs, endOf(frame)] },
      y: { range: (plot) => [0, range(highest(plot))] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: TIME_AXIS_PX,
        space: 80,
        values: (_plot, splits, _axis, _space, stepMs) =>
          splits.map((split) => tickTitle(split, stepMs)),
      },
      {
        ...axis,
        size: AXIS_PX,
        space: 40,
        values: (_plot, splits) => splits.map((split) => (split === 0 ? '0' : text(split))),
      },
    ],
    plugins: [
      tooltip({ heading: (middle) => bucketTitle(middle - frame.stepMs / 2, frame), value: text }),
    ],
  };
}

/** The last bucket is drawn whole, though it is not over. */
const endOf = ({ fromMs, toMs, stepMs }: CostFrame): number =>
  fromMs + Math.ceil((toMs - fromMs) / stepMs) * stepMs;

/** Of all lines together at a time: stacks are as high as their parts. */
function highest(plot: UPlot): number {
  const [times, ...lines] = plot.data;
  let most = 0;
  for (let index = 0; index < times.length; index += 1) {
    const sum = lines.reduce((total, line) => total + Math.max(0, line?.[index] ?? 0), 0);
    if (sum > most) most = sum;
  }
  return most;
}

export interface CostLook {
  readonly theme: Theme;
  readonly frame: CostFrame;
  readonly names: readonly string[];
  readonly currency: string;
  /** The largest amount, a decimal in text: all have its decimals. */
  readonly largest: string;
}

export function costOptions({ theme, frame, names, currency, largest }: CostLook): PlotOptions {
  const decimals = decimalsFor([largest]);
  const text = (value: number | null | undefined): string =>
    typeof value === 'number' ? moneyText(value.toFixed(6), { currency, decimals }) : '–';
  const options = shared({ theme, frame, text, range: (high) => (high > 0 ? high * 1.08 : 1) });
  return {
    ...options,
    series: [
      {},
      // Only the cursor and the tooltip come of them: bars are drawn stacked below.
      ...names.map((label, place) => ({
        label,
        stroke: colourOf(theme, names, place),
        paths: () => null,
        points: { show: false },
      })),
    ],
    hooks: { draw: [(plot) => drawBars(plot, frame.stepMs, (at) => colourOf(theme, names, at))] },
  };
}

const colourOf = (theme: Theme, names: readonly string[], place: number): string =>
  names.length === 1 ? theme.accent : (theme.lines[place] ?? theme.muted);

function drawBars(plot: UPlot, stepMs: number, colour: (place: number) => string): void {
  const [times, ...lines] = plot.data;
  const { ctx } = plot;
  const y = (value: number): number => plot.valToPos(value, 'y', true);
  ctx.save();
  for (const [index, middle] of times.entries()) {
    const half = (stepMs * BAR_SHARE) / 2;
    const from = plot.valToPos(middle - half, 'x', true);
    const width = Math.max(1, plot.valToPos(middle + half, 'x', true) - from);
    let base = 0;
    lines.forEach((line, place) => {
      const value = line?.[index] ?? 0;
      if (value <= 0) return;
      ctx.fillStyle = colour(place);
      ctx.fillRect(from, y(base + value), width, y(base) - y(base + value));
      base += value;
    });
  }
  ctx.restore();
}

export interface QualityLook {
  readonly theme: Theme;
  readonly frame: CostFrame;
  readonly title: string;
  readonly unit: Unit;
}

export function qualityOptions({ theme, frame, title, unit }: QualityLook): PlotOptions {
  const least = unit === 'fraction' ? 0.001 : 1;
  const text = (value: number | null | undefined): string => figureText(value, unit);
  const range = (high: number): number => Math.max(high, least) * 1.12;
  return {
    ...shared({ theme, frame, text, range }),
    series: [
      {},
      {
        label: title,
        stroke: theme.accent,
        fill: theme.soft,
        width: 1.75,
        // A bucket between two without views is a point, not nothing.
        points: { show: true, size: 4, fill: theme.accent },
      },
    ],
  };
}
