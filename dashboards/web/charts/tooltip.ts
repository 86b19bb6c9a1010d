/** A tooltip that follows the cursor of a plot: the time, and each line's value there. */
import type UPlot from 'uplot';

export interface TooltipText {
  /** Text of a point in time. */
  readonly heading: (x: number) => string;
  readonly value: (value: number | null | undefined) => string;
}

const GAP_PX = 14;

export function tooltip({ heading, value }: TooltipText): UPlot.Plugin {
  const box = document.createElement('div');
  box.className = 'tooltip';
  box.hidden = true;

  function row(plot: UPlot, index: number, line: UPlot.Series, place: number): HTMLElement {
    const element = document.createElement('div');
    element.className = 'tooltip-row';
    const key = document.createElement('i');
    key.className = `key line-${place}`;
    const name = document.createElement('span');
    name.textContent = String(line.label ?? '');
    const figure = document.createElement('b');
    figure.textContent = value(plot.data[place]?.[index]);
    element.append(key, name, figure);
    return element;
  }

  function show(plot: UPlot): void {
    const { idx, left = -1, top = 0 } = plot.cursor;
    const x = idx === null || idx === undefined ? undefined : plot.data[0][idx];
    box.hidden = idx === null || idx === undefined || x === undefined || left < 0;
    if (box.hidden || idx === null || idx === undefined || x === undefined) return;
    const title = document.createElement('time');
    title.textContent = heading(x);
    const rows = plot.series.slice(1).map((line, index) => row(plot, idx, line, index + 1));
    box.replaceChildren(title, ...rows);
    const flips = left > plot.over.clientWidth / 2;
    const at = flips ? left - box.offsetWidth - GAP_PX : left + GAP_PX;
    const highest = Math.max(0, plot.over.clientHeight - box.offsetHeight);
    box.style.transform = `translate(${Math.max(0, at)}px, ${Math.min(Math.max(0, top - 20), highest)}px)`;
  }

  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setCursor: show,
      setData: show,
    },
  };
}
