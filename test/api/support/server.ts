/** The query side on a real engine, in a folder of its own, asked by `inject`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import {
  createApiCounters,
  QUERY_LIMITS,
  type QueryLimits,
  registerApi,
} from '../../../api/api.ts';
import { type CacheCounters, createCacheCounters } from '../../../api/cache/answer-cache.ts';
import { createExportCounters, type ExportCounters } from '../../../api/exports/download.ts';
import { Registry } from '../../../platform/metrics/registry.ts';
import type { PriceBook } from '../../../platform/prices/price-book.ts';
import { openProjects, type Projects } from '../../../platform/projects.ts';
import { migrate } from '../../../platform/store/migrate.ts';
import { openStore } from '../../../platform/store/open.ts';
import type { Store } from '../../../platform/store/store.ts';
import { migrations } from '../../../schemas/migrations/index.ts';
import { NOW_MS } from './generated-views.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };

export const AUTHORIZATION = `Basic ${Buffer.from('dev:dev').toString('base64')}`;

export interface TestStore {
  readonly store: Store;
  close(): Promise<void>;
}

export async function openTestStore(): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgauge-api-'));
  const store = await openStore({ directory, database: 'test' });
  await migrate(store, migrations);
  return {
    store,
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface ServerOptions {
  readonly limits?: Partial<QueryLimits>;
  readonly hosts?: readonly string[];
  /** The built-in one without. */
  readonly projects?: Projects;
  /** The price book of projects without one of their own. */
  readonly prices?: { book(): PriceBook | undefined };
  /** Called before the api is registered. */
  readonly before?: (server: FastifyInstance) => Promise<void>;
}

export interface TestApi {
  readonly server: FastifyInstance;
  readonly counters: ReturnType<typeof createApiCounters>;
  readonly exportCounters: Readonly<ExportCounters>;
  readonly cacheCounters: Readonly<CacheCounters>;
}

export async function startServer(store: Store, options: ServerOptions = {}): Promise<TestApi> {
  const server = fastify();
  await options.before?.(server);
  const counters = createApiCounters();
  const now = (): number => NOW_MS;
  const projects =
    options.projects ?? openProjects({ file: '', host: '127.0.0.1', logger: silent, now });
  let exportCounters: Readonly<ExportCounters> = createExportCounters();
  let cacheCounters: Readonly<CacheCounters> = createCacheCounters();
  await server.register(registerApi, {
    store,
    projects,
    now,
    logger: silent,
    limits: { ...QUERY_LIMITS, ...options.limits },
    hosts: options.hosts ?? [],
    counters,
    operators: { checks: [], registry: new Registry() },
    ...(options.prices === undefined ? {} : { prices: options.prices }),
    onCacheCounters: (found) => {
      cacheCounters = found;
    },
    onExportCounters: (found) => {
      exportCounters = found;
    },
  });
  await server.ready();
  return { server, counters, exportCounters, cacheCounters };
}

/** Parameters as pairs: a list is a name that comes again. */
export type QueryPairs = readonly (readonly [name: string, value: string])[];

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** Asks a data route with the built-in token. */
export async function ask<Body>(
  server: FastifyInstance,
  path: string,
  pairs: QueryPairs = [],
): Promise<Answer<Body>> {
  const query = new URLSearchParams([
    ...pairs.map(([name, value]): [string, string] => [name, value]),
  ]).toString();
  const response = await server.inject({
    url: `/data/v1${path}${query === '' ? '' : `?${query}`}`,
    headers: { authorization: AUTHORIZATION, host: 'localhost' },
  });
  return { status: response.statusCode, body: response.json<Body>() };
}
