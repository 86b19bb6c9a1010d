/**
 * Ingest as a fastify plugin: HTTP in, log out. All roles share one server, so everything here stays inside `/v1`, but
 * for the one address that a CDN prescribes.
 *
 * Guarantee: cross-origin callers may send from anywhere, and see every answer, refusals too. Fastify neither reads
 * nor parses a body: the pipeline does, after the key.
 */

import { Readable } from 'node:stream';
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { handleError, handleNotFound } from '../platform/http/problem.ts';
import type { IngestDeps } from './deps.ts';
import { edgeRoutes } from './edge-routes.ts';
import { refusal } from './errors.ts';
import { addFastlyChallenge } from './fastly-challenge.ts';
import { createPipelines } from './pipeline.ts';
import { schemaOf } from './reference/routes.ts';
import { beatsRoute, cmcdRoute, epasRoute, type RouteHead } from './routes.ts';

const PREFIX = '/v1';
/** Browsers ask again after so long; Chromium keeps an answer for two hours at most. */
const PREFLIGHT_AGE_SECONDS = 7_200;

/** Adds the routes of ingest to a server: `await registerIngest(server, deps)`. */
export async function registerIngest(fastify: FastifyInstance, deps: IngestDeps): Promise<void> {
  addFastlyChallenge(fastify, deps.fastlyServiceIds ?? []);
  await fastify.register(
    (scope, _options, done) => {
      registerScope(scope, deps).then(() => done(), done);
    },
    { prefix: PREFIX },
  );
}

async function registerScope(scope: FastifyInstance, deps: IngestDeps): Promise<void> {
  scope.setErrorHandler(handleError);
  scope.setNotFoundHandler(handleNotFound);
  // sendBeacon always sends with credentials, which `*` would not answer. There are no cookies to abuse here.
  await scope.register(cors, {
    origin: true,
    credentials: true,
    methods: ['POST'],
    exposedHeaders: ['Retry-After'],
    maxAge: PREFLIGHT_AGE_SECONDS,
    strictPreflight: false,
  });
  scope.addHook('onRequest', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
  });
  // Schemas are documentation: the pipeline reads bodies, and answers go out as they are.
  scope.setValidatorCompiler(() => () => true);
  scope.setSerializerCompiler(() => JSON.stringify);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  const pipelineOf = createPipelines(deps);
  for (const route of [beatsRoute(deps), cmcdRoute(deps), epasRoute(deps), ...edgeRoutes()]) {
    addRoute(scope, route, pipelineOf(route), deps);
  }
}

function addRoute(
  scope: FastifyInstance,
  route: RouteHead,
  pipeline: ReturnType<ReturnType<typeof createPipelines>>,
  { counters }: IngestDeps,
): void {
  scope.post(
    route.path.slice(PREFIX.length),
    { schema: schemaOf(route) },
    async (request, reply) => {
      try {
        const { status, body } = await pipeline(request, bodyOf(request));
        return await reply.code(status).send(body);
      } catch (error) {
        // The client left in the middle of its body: nobody is there to answer, and nothing is wrong with us.
        if (!isAborted(error)) throw error;
        counters.abortedRequests++;
        throw refusal('body_incomplete');
      }
    },
  );
}

function bodyOf({ body }: FastifyRequest): Readable | undefined {
  return body instanceof Readable ? body : undefined;
}

function isAborted(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  );
}
