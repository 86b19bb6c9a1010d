/**
 * HTTP Basic (RFC 7617): a read token's id and secret.
 *
 * Guarantee: a data route runs only with the project of a known token whose scopes cover the route, and asks the store
 * about no other.
 */
import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../platform/http/problem.ts';
import type { Project, Projects, ReadGrant, Scope } from '../../platform/projects.ts';
import { refuse } from '../errors.ts';
import { scopeFor } from './scopes.ts';

const GRANT = 'readGrant';
const REALM = 'Streamgauge';

export interface TokenCounters {
  tokenMissing: number;
  tokenUnknown: number;
  /** The token was right, and not for this. */
  scopeMissing: number;
}

/** What the token of a request may read. Only behind the guard. */
export function grantOf(request: FastifyRequest): ReadGrant {
  return request.getDecorator<ReadGrant>(GRANT);
}

/** The project that a request may read. Only behind the guard. */
export function projectOf(request: FastifyRequest): Project {
  return grantOf(request).project;
}

/** Guards every route that is registered on this scope after it. */
export async function registerTokenGuard(
  fastify: FastifyInstance,
  projects: Pick<Projects, 'findReadToken'>,
  counters: TokenCounters,
): Promise<void> {
  fastify.decorateRequest(GRANT);
  await fastify.register(basicAuth, {
    authenticate: { realm: REALM },
    strictCredentials: false,
    validate: async (id: string, secret: string, request: FastifyRequest) => {
      const found = projects.findReadToken(id, secret);
      if (typeof found === 'string') throw refuse(`token_${found}`);
      request.setDecorator(GRANT, found);
    },
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    // Answers are one reader's own, and grow old at once.
    reply.header('cache-control', 'no-store');
    fastify.basicAuth(request, reply, (error) => done(asProblem(error, reply, counters)));
  });
  fastify.addHook('onRequest', async (request) => {
    const path = request.routeOptions.url ?? '';
    const needed = scopeFor(request.method, path.slice(fastify.prefix.length));
    if (grantOf(request).scopes.has(needed)) return;
    counters.scopeMissing++;
    throw outOfScope(grantOf(request), needed);
  });
}

function outOfScope({ tokenId, scopes }: ReadGrant, needed: Scope): ProblemError {
  const has = [...scopes].join(', ');
  return refuse('scope_missing', {
    detail: `This needs the scope \`${needed}\`; the token ${tokenId} has ${has}.`,
  });
}

function asProblem(
  error: Error | undefined,
  reply: FastifyReply,
  counters: TokenCounters,
): Error | undefined {
  if (error === undefined) return undefined;
  // Without this header a browser never asks for a token.
  reply.header('www-authenticate', `Basic realm="${REALM}", charset="UTF-8"`);
  if (error instanceof ProblemError) {
    counters.tokenUnknown++;
    return error;
  }
  counters.tokenMissing++;
  return refuse('token_missing');
}
