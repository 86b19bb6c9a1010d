/** The role `api` of a process: its routes and the page on the server, its counters with the process's. */
import { exportCounters } from '../platform/metrics/registry.ts';
import type { PriceBookFile } from '../platform/prices/price-book-file.ts';
import type { Host } from '../platform/process.ts';
import type { Projects } from '../platform/projects.ts';
import type { Store } from '../platform/store/store.ts';
import { createApiCounters, QUERY_LIMITS, registerApi } from './api.ts';

export interface ApiRoleDeps {
  readonly store: Store;
  readonly projects: Projects;
  /** The price book of projects that have none of their own. */
  readonly prices: PriceBookFile;
  /** Where the build of the dashboard lies. */
  readonly pageDirectory: string;
}

/** The routes of operators are among its own, so that they are in the reference. */
export async function addApi(host: Host, deps: ApiRoleDeps): Promise<void> {
  const { options, registry, checks, logger } = host;
  const counters = createApiCounters();
  exportCounters(registry, { prefix: 'streamgauge_api', about: 'The api' }, counters);
  await host.server.register(registerApi, {
    ...deps,
    now: Date.now,
    logger,
    limits: QUERY_LIMITS,
    hosts: [options.host, ...options.allowedHosts.split(',').filter((name) => name !== '')],
    counters,
    operators: { registry, checks },
    onQueryCounters: (counts) =>
      exportCounters(
        registry,
        { prefix: 'streamgauge_api_queries', about: 'Queries of the api' },
        counts,
      ),
    onExportCounters: (counts) =>
      exportCounters(
        registry,
        { prefix: 'streamgauge_api_exports', about: 'Exports of views', gauges: ['running'] },
        counts,
      ),
    onCacheCounters: (counts) =>
      exportCounters(
        registry,
        { prefix: 'streamgauge_api_answers', about: 'Answers kept in memory', gauges: ['bytes'] },
        counts,
      ),
    onStreamCounters: (counts) =>
      exportCounters(
        registry,
        { prefix: 'streamgauge_api_stream', about: 'The stream of events', gauges: ['clients'] },
        counts,
      ),
  });
}
