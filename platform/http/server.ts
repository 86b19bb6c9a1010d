/**
 * The one HTTP server that every role of a process shares: limits, logging, problems.
 *
 * Guarantee: no key reaches a log line, and no refusal leaves without a stable code.
 */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyBaseLogger } from 'fastify';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import {
  type HTTP_ERRORS,
  handleError,
  httpProblem,
  PROBLEM_TYPE,
  problemBody,
  registerProblems,
} from './problem.ts';

/** Limits of the server itself; those of a route are the route's. */
export const SERVER_LIMITS = {
  /** A request must have arrived whole within this, ms: a slow sender holds a place until then. */
  requestTimeoutMs: 30_000,
  /** Its headers within this, ms. Not more than the above: Node would take each for the other. */
  headersTimeoutMs: 10_000,
  /** How often connections are looked at for the two above, ms: a slow one ends so much later at most. */
  timeoutsCheckMs: 2_000,
  /** An idle connection is kept for this long, ms. */
  keepAliveMs: 75_000,
  /** Longest head of a request, bytes: its path and query, and all of its headers. */
  headBytesMax: 16_384,
  /** Most headers of a request; others are not looked at. */
  headersMax: 200,
  /** Connections open at once; more are closed as they come. */
  connectionsMax: 20_000,
} as const;

export type ServerLimits = { readonly [Name in keyof typeof SERVER_LIMITS]: number };

/** Errors of Node's parser that have a code of ours; all others are no HTTP. */
const CONNECTION_CODES: ReadonlyMap<string, keyof typeof HTTP_ERRORS> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_timeout'],
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
]);

/** Answers what never became a request, and ends the connection. */
function refuseConnection({ code }: ConnectionError, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = httpProblem(CONNECTION_CODES.get(code) ?? 'request_malformed');
  const body = JSON.stringify(problemBody(problem));
  const { status } = problem.spec;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/**
 * Makes the server. `X-Forwarded-*` of a request is believed as far as its last senders are `trustedProxies`, addresses
 * or networks; by default nobody is.
 */
export function createServer(
  logger: FastifyBaseLogger,
  trustedProxies: readonly string[] = [],
  limits: ServerLimits = SERVER_LIMITS,
): FastifyInstance {
  const server = Fastify({
    loggerInstance: logger,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: {
      maxHeaderSize: limits.headBytesMax,
      // Said here too: fastify sets it when the server is made, and Node has chosen the headers' by then.
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.timeoutsCheckMs,
    },
    clientErrorHandler: refuseConnection,
    forceCloseConnections: 'idle',
    // Fastify's own answer names neither a code nor when to come again.
    return503OnClosing: false,
    frameworkErrors: handleError,
  });
  server.server.maxHeadersCount = limits.headersMax;
  server.server.maxConnections = limits.connectionsMax;
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
