/** The role `ingest` of a process: its routes on the server, its counters with the process's. */
import { ingestLimits } from '../platform/config/config.ts';
import type { Log } from '../platform/log/log.ts';
import type { Host } from '../platform/process.ts';
import type { Projects } from '../platform/projects.ts';
import { clientDimensions } from '../schemas/catalogue/dimensions.ts';
import { registerIngest } from './app.ts';
import { createIngestCounters } from './counters.ts';
import { openPlaces } from './enrichment/places.ts';
import { exportIngestMetrics } from './metrics.ts';

export async function addIngest(
  { server, options, registry, logger, onStop }: Host,
  { log, projects }: { readonly log: Log; readonly projects: Projects },
): Promise<void> {
  const counters = createIngestCounters();
  exportIngestMetrics(registry, counters);
  const { geoCityFile: cityFile, geoAsnFile: asnFile } = options;
  const places = await openPlaces({ cityFile, asnFile, logger, counters });
  onStop(() => places.close());
  await registerIngest(server, {
    log,
    projects,
    limits: ingestLimits(options),
    fastlyServiceIds: options.fastlyServiceIds.split(',').filter((id) => id !== ''),
    dimensions: clientDimensions,
    places,
    now: Date.now,
    counters,
  });
}
