/** A line of the last minutes, small, without axes. */
import { sparkPath } from './spark-path.ts';

const WIDTH = 120;
const HEIGHT = 32;

interface Props {
  readonly values: readonly (number | null)[];
  /** True: the scale begins at 0, as it should for amounts. */
  readonly fromZero: boolean;
}

export function Sparkline({ values, fromZero }: Props) {
  const { line, area } = sparkPath(values, { width: WIDTH, height: HEIGHT, fromZero });
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="sparkline-area" d={area} />
      <path class="sparkline-line" d={line} />
    </svg>
  );
}
