/**
 * Writes the OpenAPI document of the query side to the file that its argument names, without a store or a server: what
 * the types of the page's client are made from.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fastify from 'fastify';
import { createRegistry } from '../../platform/metrics/registry.ts';
import type { Store } from '../../platform/store/store.ts';
import { createApiCounters, QUERY_LIMITS, registerApi } from '../api.ts';

const [, , file] = process.argv;
if (file === undefined) throw new Error('name the file to write');

const silent = { error: () => undefined, warn: () => undefined };
const server = fastify();
await server.register(registerApi, {
  // Nothing is asked: the document is made of the routes alone.
  store: {} as Store,
  projects: { findReadToken: () => 'unknown' },
  now: () => 0,
  logger: silent,
  limits: QUERY_LIMITS,
  hosts: [],
  counters: createApiCounters(),
  operators: { checks: [], registry: createRegistry() },
});
const answer = await server.inject('/openapi.json');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, answer.body);
await server.close();
