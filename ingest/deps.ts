/** What ingest needs from outside. Inside, nothing reads a global, a clock or the environment. */
import type { IngestLimits } from '../platform/config/config.ts';
import type { Log } from '../platform/log/log.ts';
import type { Projects } from '../platform/projects.ts';
import type { IngestCounters } from './counters.ts';
import type { EdgeLimits } from './edge-limits.ts';
import type { Places } from './enrichment/places.ts';

export interface IngestDeps {
  readonly log: Log;
  readonly projects: Pick<Projects, 'findWriteKey'>;
  readonly limits: IngestLimits;
  /** What differs from the defaults of edge logs. */
  readonly edgeLimits?: Partial<EdgeLimits>;
  /** Fastly services that may send logs here, or `*`; none: Fastly is told nothing. */
  readonly fastlyServiceIds?: readonly string[];
  /** Names that a context may use: the catalogue's dimensions that a client can say. */
  readonly dimensions: ReadonlySet<string>;
  /** Where addresses are; without it nobody is anywhere. */
  readonly places?: Pick<Places, 'find'>;
  /** Monotonic or wall clock in ms, for rates only. */
  readonly now: () => number;
  readonly counters: IngestCounters;
}
