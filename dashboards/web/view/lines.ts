/** What a view's events say over time: bitrate, buffer, live latency. */
import type { Unit } from '../../../schemas/catalogue/metric.ts';
import type { TimelineEvent } from '../api/answers.ts';

export interface Line {
  readonly name: 'bitrate' | 'buffer' | 'live_latency';
  readonly title: string;
  readonly unit: Unit;
  /** A step: the value holds until the next report. Otherwise it moves between reports. */
  readonly held: boolean;
  /** The log's clock, ms since 1970, rising. */
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}

const LINES = [
  { name: 'bitrate', title: 'Bitrate', unit: 'bit/s', held: true },
  { name: 'buffer', title: 'Buffer', unit: 'ms', held: false },
  { name: 'live_latency', title: 'Live latency', unit: 'ms', held: false },
] as const;

/** The lines of which anything is known. What a response report says is of its request's time, and stays out. */
export function linesOf(events: readonly TimelineEvent[]): readonly Line[] {
  const main = events.filter(({ lane, taken }) => lane === 'main' && taken !== 'late');
  return LINES.map((line) => ({ ...line, ...pointsOf(main, line.name) })).filter(
    ({ timesMs }) => timesMs.length > 0,
  );
}

function pointsOf(
  events: readonly TimelineEvent[],
  name: Line['name'],
): Pick<Line, 'timesMs' | 'values'> {
  const timesMs: number[] = [];
  const values: number[] = [];
  for (const { event_time, details } of events) {
    const value = details[name];
    if (typeof value !== 'number') continue;
    // Of several reports of one moment the last stands.
    if (timesMs.at(-1) === event_time) values[values.length - 1] = value;
    else values[timesMs.push(event_time) - 1] = value;
  }
  return { timesMs, values };
}

/** What a line says at a time: the newest report until then. */
export function valueAt({ timesMs, values }: Line, timeMs: number): number | null {
  const index = timesMs.findLastIndex((each) => each <= timeMs);
  return values[index] ?? null;
}
