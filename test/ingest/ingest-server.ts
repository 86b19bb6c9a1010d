/** A server with only ingest, for tests: no port, two projects, a log to choose. */
import fastify, { type FastifyInstance } from 'fastify';
import { registerIngest } from '../../ingest/app.ts';
import { createIngestCounters, type IngestCounters } from '../../ingest/counters.ts';
import type { EdgeLimits } from '../../ingest/edge-limits.ts';
import type { Places } from '../../ingest/enrichment/places.ts';
import { type IngestLimits, ingestLimits } from '../../platform/config/config.ts';
import { type Log, LogError, type LogErrorCode } from '../../platform/log/log.ts';
import { openProjects, type Projects } from '../../platform/projects.ts';
import { decodeBody, type RecordBodies, recordVersionOf } from '../../schemas/records.ts';

export const DIMENSIONS = new Set(['cdn', 'country', 'video_id', 'viewer_user_id']);

export const silent = { info: () => undefined, error: () => undefined };

export function builtInProjects(): Projects {
  return openProjects({ file: '', host: '127.0.0.1', logger: silent, now: () => 0 });
}

/** What a test may choose. */
export interface ServerChoices {
  readonly log: Log;
  readonly limits?: Partial<IngestLimits>;
  readonly edgeLimits?: Partial<EdgeLimits>;
  readonly projects?: Pick<Projects, 'findWriteKey'>;
  readonly places?: Pick<Places, 'find'>;
  readonly now?: () => number;
  readonly fastlyServiceIds?: readonly string[];
  /** A server of one's own; else one with fastify's defaults. */
  readonly server?: FastifyInstance;
}

export interface IngestServer {
  readonly server: FastifyInstance;
  readonly counters: IngestCounters;
}

export async function ingestServer(choices: ServerChoices): Promise<IngestServer> {
  const counters = createIngestCounters();
  const server = choices.server ?? fastify();
  await registerIngest(server, {
    log: choices.log,
    projects: choices.projects ?? builtInProjects(),
    limits: { ...ingestLimits(), ...choices.limits },
    edgeLimits: choices.edgeLimits ?? {},
    dimensions: DIMENSIONS,
    fastlyServiceIds: choices.fastlyServiceIds ?? [],
    ...(choices.places === undefined ? {} : { places: choices.places }),
    now: choices.now ?? (() => 0),
    counters,
  });
  return { server, counters };
}

export interface Appended {
  readonly partition: number;
  readonly value: Buffer;
}

/** A log that only remembers what was appended, or fails as it is told. It proves nothing about durability. */
export function rememberingLog(appended: Appended[], failure?: LogErrorCode): Log {
  return {
    topic: 'test',
    partitions: 4,
    append: (partition, value) => {
      if (failure !== undefined) return Promise.reject(new LogError(failure, 'as told'));
      appended.push({ partition, value: Buffer.from(value) });
      return Promise.resolve({ offset: appended.length, appendTimeMs: 0 });
    },
    read: () => {
      throw new Error('not for reading');
    },
    earliest: () => Promise.resolve(0),
    latest: () => Promise.resolve(appended.length),
    close: () => Promise.resolve(),
  };
}

/** The bodies of one kind of record, in order. */
export function bodiesOf<Kind extends 'beat' | 'edge' | 'reject'>(
  kind: Kind,
  values: readonly Buffer[],
): RecordBodies[Kind][] {
  return values.flatMap((value) => {
    const version = recordVersionOf(value);
    if (version?.kind !== kind) return [];
    return [decodeBody({ ...version, kind }, value)];
  });
}

export function beat(events: readonly unknown[], more: object = {}): object {
  return { view: 'view-1', events, ...more };
}

export function playing(seq: number): object {
  return { seq, at: 1_767_225_600_000 + seq, type: 'state', state: 'playing' };
}
