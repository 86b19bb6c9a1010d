/**
 * The one HTTP server that every role of a process shares: limits, logging, problems.
 *
 * Guarantee: no key reaches a log line, and no refusal leaves without a stable code.
 */

import type { FastifyBaseLogger } from 'fastify';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import { handleError, httpProblem, registerProblems } from './problem.ts';

/** Limits of the server itself; those of a route are the route's. */
export const SERVER_LIMITS = {
  /** A request must have arrived whole within this, ms: a slow sender holds a place until then. */
  requestTimeoutMs: 30_000,
  /** An idle connection is kept for this long, ms. */
  keepAliveMs: 75_000,
  /** Longest path and query, bytes. */
  urlBytesMax: 16_384,
} as const;

/**
 * Makes the server. `X-Forwarded-*` of a request is believed as far as its last senders are `trustedProxies`, addresses
 * or networks; by default nobody is.
 */
export function createServer(
  logger: FastifyBaseLogger,
  trustedProxies: readonly string[] = [],
): FastifyInstance {
  const server = Fastify({
    loggerInstance: logger,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: SERVER_LIMITS.requestTimeoutMs,
    keepAliveTimeout: SERVER_LIMITS.keepAliveMs,
    http: { maxHeaderSize: SERVER_LIMITS.urlBytesMax },
    forceCloseConnections: 'idle',
    // Fastify's own answer names neither a code nor when to come again.
    return503OnClosing: false,
    frameworkErrors: handleError,
  });
  let closing = false;
  server.addHook('preClose', async () => {
    closing = true;
  });
  server.addHook('onRequest', async () => {
    if (closing) throw httpProblem('closing', { headers: { 'retry-after': '1' } });
  });
  registerProblems(server);
  return server;
}
