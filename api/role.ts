/** The role `api` of a process: its routes and the page on the server, its counters with the process's. */
import { exportNumbers, type Registry } from '../platform/metrics/registry.ts';
import type { Host } from '../platform/process.ts';
import type { Projects } from '../platform/projects.ts';
import type { Store } from '../platform/store/store.ts';
import { createApiCounters, QUERY_LIMITS, registerApi } from './api.ts';

export interface ApiRoleDeps {
  readonly store: Store;
  readonly projects: Projects;
  /** Where the build of the dashboard lies. */
  readonly pageDirectory: string;
}

/** What the counters hold that goes down again. */
const GAUGES: ReadonlySet<string> = new Set(['clients']);

/** The routes of operators are among its own, so that they are in the reference. */
export async function addApi(host: Host, deps: ApiRoleDeps): Promise<void> {
  const { options, registry, checks, logger } = host;
  const counters = createApiCounters();
  exportAll(registry, 'streamgauge_api', 'The api', counters);
  await host.server.register(registerApi, {
    ...deps,
    now: Date.now,
    logger,
    limits: QUERY_LIMITS,
    hosts: [options.host, ...options.allowedHosts.split(',').filter((name) => name !== '')],
    counters,
    operators: { registry, checks },
    onQueryCounters: (counts) =>
      exportAll(registry, 'streamgauge_api_queries', 'Queries of the api', counts),
    onStreamCounters: (counts) =>
      exportAll(registry, 'streamgauge_api_stream', 'The stream of events', counts),
  });
}

function exportAll(registry: Registry, prefix: string, about: string, counters: object): void {
  const read = () => [{ values: counters as Record<string, number> }];
  for (const kind of ['counter', 'gauge'] as const) {
    const names = Object.keys(counters).filter((name) => GAUGES.has(name) === (kind === 'gauge'));
    exportNumbers(registry, { prefix, about, kind, names, read });
  }
}
