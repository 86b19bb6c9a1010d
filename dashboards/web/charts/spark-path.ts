/** The path of a sparkline. A gap in the values is a gap in the line; a lone value is a short dash. */

export interface SparkSize {
  readonly width: number;
  readonly height: number;
  readonly fromZero: boolean;
}

export interface SparkPath {
  readonly line: string;
  readonly area: string;
}

/** Room above and below the line, so that its stroke is not cut. */
const MARGIN = 1.5;

export function sparkPath(values: readonly (number | null)[], size: SparkSize): SparkPath {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { line: '', area: '' };
  const low = size.fromZero ? 0 : Math.min(...known);
  const high = Math.max(...known, low);
  const step = values.length > 1 ? size.width / (values.length - 1) : size.width;
  const y = (value: number): number => {
    const share = high === low ? 0 : (value - low) / (high - low);
    return round(size.height - MARGIN - share * (size.height - 2 * MARGIN));
  };
  const runs = runsOf(values).map((run) =>
    run.map(({ index, value }) => [round(index * step), y(value)] as const),
  );
  const line = runs.map((points) => lineOf(points, step)).join('');
  const area = runs.map((points) => areaOf(points, size.height)).join('');
  return { line, area };
}

const round = (value: number): number => Math.round(value * 10) / 10;

interface Point {
  readonly index: number;
  readonly value: number;
}

/** Stretches without a gap. */
function runsOf(values: readonly (number | null)[]): Point[][] {
  const runs: Point[][] = [];
  let open = false;
  values.forEach((value, index) => {
    if (value === null) {
      open = false;
      return;
    }
    if (!open) runs.push([]);
    runs.at(-1)?.push({ index, value });
    open = true;
  });
  return runs;
}

type Place = readonly [number, number];

function lineOf(points: readonly Place[], step: number): string {
  const [first] = points;
  if (first === undefined) return '';
  if (points.length === 1)
    return `M${round(Math.max(0, first[0] - step / 2))} ${first[1]}h${round(step)}`;
  return `M${points.map(([x, y]) => `${x} ${y}`).join('L')}`;
}

function areaOf(points: readonly Place[], height: number): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return '';
  return `M${first[0]} ${height}L${points.map(([x, y]) => `${x} ${y}`).join('L')}L${last[0]} ${height}Z`;
}
