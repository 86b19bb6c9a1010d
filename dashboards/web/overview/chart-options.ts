/** How the large chart looks. */
import type UPlot from 'uplot';
import type { IntervalMetric } from '../../../schemas/catalogue/interval-metrics.ts';
import type { PlotOptions } from '../charts/plot.tsx';
import type { Theme } from '../charts/theme.ts';
import { tooltip } from '../charts/tooltip.ts';
import { figureText } from '../figures/format.ts';
import { fromZero } from '../figures/tiles.ts';
import { clock, shortClock } from '../figures/time.ts';

export interface ChartLook {
  readonly metric: IntervalMetric;
  /** Names of the lines; one line has the metric's. */
  readonly lines: readonly string[];
  readonly theme: Theme;
  /** Until when figures are complete: what lies after it is drawn as still filling. */
  readonly through: { current: number | null };
}

const FONT = '12px system-ui, sans-serif';
const AXIS_PX = 72;
const TIME_AXIS_PX = 28;

export function chartOptions({ metric, lines, theme, through }: ChartLook): PlotOptions {
  const { unit } = metric;
  const grid = { stroke: theme.rule, width: 1 };
  const axis = { stroke: theme.muted, font: FONT, grid, ticks: { show: false } };
  const single = lines.length === 1;
  return {
    ms: 1,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { range: (_plot, from, to) => [from, to] },
      y: { range: (_plot, low, high) => rangeOf(low, high, metric) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: TIME_AXIS_PX,
        space: 80,
        values: (_plot, splits) => splits.map(shortClock),
      },
      {
        ...axis,
        size: AXIS_PX,
        space: 44,
        values: (_plot, splits) =>
          splits.map((split) => (split === 0 ? '0' : figureText(split, unit))),
      },
    ],
    series: [
      {},
      ...lines.map((label, index) => ({
        label,
        stroke: single ? theme.accent : (theme.lines[index] ?? theme.muted),
        ...(single ? { fill: theme.soft } : {}),
        width: 1.75,
        points: { size: 4 },
      })),
    ],
    hooks: { drawClear: [(plot) => shadeFilling(plot, through.current, theme)] },
    plugins: [tooltip({ heading: clock, value: (value) => figureText(value, unit) })],
  };
}

/** Room above the line; below it the scale begins at 0 where the size speaks. */
function rangeOf(
  low: number | null,
  high: number | null,
  metric: IntervalMetric,
): [number, number] {
  const { unit } = metric;
  const least = unit === 'fraction' ? 0.01 : unit === 'count' ? 5 : 1;
  const top = Math.max(high ?? 0, least);
  const room = top * 0.08;
  const capped = unit === 'fraction' ? Math.min(1, top + room) : top + room;
  if (fromZero(metric) || low === null) return [0, capped];
  return [Math.max(0, low - (top - low) * 0.25 - room), capped];
}

/** Windows that are not complete yet: a line that ends there is data that ends, not an audience that left. */
function shadeFilling(plot: UPlot, throughMs: number | null, theme: Theme): void {
  const { left, top, width, height } = plot.bbox;
  const toMs = plot.scales.x?.max;
  if (throughMs === null || toMs === undefined || throughMs >= toMs) return;
  const from = Math.max(left, plot.valToPos(throughMs, 'x', true));
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = theme.surface;
  ctx.fillRect(from, top, left + width - from, height);
  ctx.restore();
}
