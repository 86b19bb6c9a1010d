/** What ingest tells Prometheus: its counters, by name and by code. */
import { exportCodes, exportNumbers, type Registry } from '../platform/metrics/registry.ts';
import type { IngestCounters } from './counters.ts';

/** What is under way now, and not a count of what was. */
const GAUGES = ['requestsInFlight', 'bytesInFlight', 'edgeGroupsOpen'];

export function exportIngestMetrics(registry: Registry, counters: IngestCounters): void {
  const { refusals, rejects, notes, ...numbers } = counters;
  const prefix = 'streamgauge_ingest';
  const about = 'Ingest';
  const read = () => [{ values: counters as unknown as Record<string, number> }];
  const names = Object.keys(numbers).filter((name) => !GAUGES.includes(name));
  exportNumbers(registry, { prefix, about, kind: 'counter', names, read });
  exportNumbers(registry, { prefix, about, kind: 'gauge', names: GAUGES, read });
  const tables = [
    ['refusals', 'Answers that were errors, by code.', refusals],
    ['rejects', 'Pieces that were not taken, by code.', rejects],
    ['notes', 'What was left out, by code.', notes],
  ] as const;
  for (const [noun, help, counts] of tables) {
    exportCodes(registry, { name: `${prefix}_${noun}_total`, help, label: 'code' }, () => counts);
  }
}
