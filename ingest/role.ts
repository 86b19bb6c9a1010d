/** The role `ingest` of a process: its routes on the server, its counters with the process's. */
import { ingestLimits } from '../platform/config/config.ts';
import type { Log } from '../platform/log/log.ts';
import type { Host } from '../platform/process.ts';
import type { Projects } from '../platform/projects.ts';
import { clientDimensions } from '../schemas/catalogue/dimensions.ts';
import { registerIngest } from './app.ts';
import { createIngestCounters } from './counters.ts';
import { exportIngestMetrics } from './metrics.ts';

export async function addIngest(
  { server, options, registry }: Host,
  { log, projects }: { readonly log: Log; readonly projects: Projects },
): Promise<void> {
  const counters = createIngestCounters();
  exportIngestMetrics(registry, counters);
  await registerIngest(server, {
    log,
    projects,
    limits: ingestLimits(options),
    fastlyServiceIds: options.fastlyServiceIds.split(',').filter((id) => id !== ''),
    dimensions: clientDimensions,
    now: Date.now,
    counters,
  });
}
