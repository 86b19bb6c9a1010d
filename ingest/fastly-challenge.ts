/**
 * Fastly's question before it streams logs to a host: does its owner want them?
 *
 * fastly.com/documentation/guides/integrations/logging-endpoints/log-streaming-https: a GET of a well-known path must be
 * answered 200 with the SHA-256 of each service that may, in hex, one in each line, or `*` for any. Guarantee: nobody
 * learns a service's id from the answer. It admits to nothing: each body needs a write key all the same.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export const FASTLY_CHALLENGE_PATH = '/.well-known/fastly/logging/challenge';

/** Adds the answer to a server; without services there is none, and the path is not found. */
export function addFastlyChallenge(server: FastifyInstance, serviceIds: readonly string[]): void {
  if (serviceIds.length === 0) return;
  const body = serviceIds.map((id) => `${id === '*' ? id : sha256(id)}\n`).join('');
  server.get(FASTLY_CHALLENGE_PATH, (_request, reply) => reply.type('text/plain').send(body));
}

function sha256(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
