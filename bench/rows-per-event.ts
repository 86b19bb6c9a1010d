/** Rows that were written for each event: what costs most in the end. */
import type { Written } from './subjects/server.ts';

/** Facts by table, rounded to thousandths, and the epochs that they came in. */
export function rowsPerEvent(written: Written, events: number): Record<string, number> {
  const { epochs = 0, ...tables } = written;
  const entries = Object.entries(tables).map(([table, rows]) => [
    `${table}_rows_per_event`,
    Math.round((rows / events) * 1_000) / 1_000,
  ]);
  return { events, epochs, ...Object.fromEntries(entries) };
}
