/** The columns of the breakdown table, and its rows put together from one answer for each column. */
import type { Unit } from '../../../schemas/catalogue/metric.ts';
import type { Api } from '../api/client.ts';
import { type BreakdownRow, readBreakdown, readEndedBreakdown } from '../api/monitoring.ts';
import { isInterval } from '../figures/tiles.ts';
import type { Filter } from '../state/filters.ts';

export interface Column {
  readonly metric: string;
  readonly title: string;
  readonly unit: Unit;
  /** True: of the newest window, not of all the time that the page reaches back. */
  readonly now?: true;
}

/** Of what happens now, from interval figures. */
const NOW: readonly Column[] = [
  { metric: 'current-concurrent-viewers', title: 'Viewers', unit: 'count', now: true },
  { metric: 'current-rebuffering-percentage', title: 'Rebuffering', unit: 'fraction' },
  { metric: 'video-startup-time', title: 'Startup', unit: 'ms' },
  { metric: 'current-average-bitrate', title: 'Bitrate', unit: 'bit/s' },
  { metric: 'playback-failure-percentage', title: 'Failures', unit: 'fraction' },
];

/** Of views that ended, for dimensions that interval figures do not carry. */
const ENDED: readonly Column[] = [
  { metric: 'ended_views', title: 'Views', unit: 'count' },
  { metric: 'rebuffer_percentage', title: 'Rebuffering', unit: 'fraction' },
  { metric: 'video_startup_time', title: 'Startup', unit: 'ms' },
  { metric: 'weighted_average_bitrate', title: 'Bitrate', unit: 'bit/s' },
  { metric: 'playback_failure_percentage', title: 'Failures', unit: 'fraction' },
];

export interface TableRow {
  /** Value of the dimension; empty when unknown. */
  readonly name: string;
  /** One for each column. */
  readonly values: readonly (number | null)[];
}

export interface BreakdownTableData {
  readonly by: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
}

export const columnsOf = (by: string): readonly Column[] => (isInterval(by) ? NOW : ENDED);

export async function readTable(
  api: Api,
  { by, filters, minutes }: { by: string; filters: readonly Filter[]; minutes: number },
  signal: AbortSignal,
): Promise<BreakdownTableData> {
  const columns = columnsOf(by);
  const read = isInterval(by) ? readBreakdown : readEndedBreakdown;
  const answers = await Promise.all(
    columns.map(({ metric, now }) => {
      const ask = { metric, by, filters, minutes: now === true ? 0 : minutes };
      return read(api, ask, signal);
    }),
  );
  return { by, columns, rows: joined(columns, answers) };
}

/** A row for each value that any column knows. A count that no answer gives is 0; of all else nothing is known. */
export function joined(
  columns: readonly Pick<Column, 'unit'>[],
  answers: readonly (readonly BreakdownRow[])[],
): readonly TableRow[] {
  const rows = new Map<string, (number | null)[]>();
  const nothing = columns.map(({ unit }) => (unit === 'count' ? 0 : null));
  answers.forEach((answer, column) => {
    for (const { name, value } of answer) {
      const row = rows.get(name) ?? [...nothing];
      row[column] = value;
      rows.set(name, row);
    }
  });
  return [...rows].map(([name, values]) => ({ name, values }));
}

export interface Order {
  /** Index of a column; -1 is the dimension's value. */
  readonly column: number;
  readonly descending: boolean;
}

/** Sorted; what is unknown comes last either way, and ties are in the order of the names. */
export function sorted(
  rows: readonly TableRow[],
  { column, descending }: Order,
): readonly TableRow[] {
  const sign = descending ? -1 : 1;
  return rows.toSorted((one, other) => {
    const byName = one.name.localeCompare(other.name);
    if (column < 0) return sign * byName;
    const [left, right] = [one.values[column] ?? null, other.values[column] ?? null];
    if (left === null || right === null) return left === right ? byName : left === null ? 1 : -1;
    return left === right ? byName : sign * (left - right);
  });
}
