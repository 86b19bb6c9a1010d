/**
 * uPlot as a component. New options build the plot anew; new data is set into the one that is there. It is as wide as
 * the element it stands in.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type PlotOptions = Omit<UPlot.Options, 'width' | 'height'>;

interface Props {
  /** Keep the same object while nothing of it changes. */
  readonly options: PlotOptions;
  readonly data: UPlot.AlignedData;
  readonly heightPx: number;
  /** Says in words what is drawn. */
  readonly label: string;
}

export function Plot({ options, data, heightPx, label }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const drawn = useRef<UPlot.AlignedData | null>(null);

  useLayoutEffect(() => {
    const parent = element.current;
    if (parent === null) return undefined;
    const size = { width: Math.max(parent.clientWidth, 1), height: heightPx };
    const made = new UPlot({ ...options, ...size }, data, parent);
    plot.current = made;
    drawn.current = data;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: Math.max(parent.clientWidth, 1), height: heightPx });
    });
    observer.observe(parent);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
    // Data of the same plot is set below.
  }, [options, heightPx]);

  useLayoutEffect(() => {
    if (drawn.current === data) return;
    drawn.current = data;
    plot.current?.setData(data);
  }, [data]);

  return (
    <div
      ref={element}
      class="plot"
      role="img"
      aria-label={label}
      style={{ height: `${heightPx}px` }}
    />
  );
}
