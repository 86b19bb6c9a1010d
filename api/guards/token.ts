/**
 * HTTP Basic (RFC 7617): a read token's id and secret.
 *
 * Guarantee: a data route runs only with the project of a known token, and asks the store about no other.
 */
import basicAuth from '@fastify/basic-auth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../platform/http/problem.ts';
import type { Project, Projects } from '../../platform/projects.ts';
import { refuse } from '../errors.ts';

const PROJECT = 'readProject';
const REALM = 'Streamgauge';

export interface TokenCounters {
  tokenMissing: number;
  tokenUnknown: number;
}

/** The project that a request may read. Only behind the guard. */
export function projectOf(request: FastifyRequest): Project {
  return request.getDecorator<Project>(PROJECT);
}

/** Guards every route that is registered on this scope after it. */
export async function registerTokenGuard(
  fastify: FastifyInstance,
  projects: Pick<Projects, 'findReadToken'>,
  counters: TokenCounters,
): Promise<void> {
  fastify.decorateRequest(PROJECT);
  await fastify.register(basicAuth, {
    authenticate: { realm: REALM },
    strictCredentials: false,
    validate: async (id: string, secret: string, request: FastifyRequest) => {
      const project = projects.findReadToken(id, secret);
      if (project === undefined) throw refuse('token_unknown');
      request.setDecorator(PROJECT, project);
    },
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    // Answers are one reader's own, and grow old at once.
    reply.header('cache-control', 'no-store');
    fastify.basicAuth(request, reply, (error) => done(asProblem(error, reply, counters)));
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
