/**
 * `/healthz`, `/readyz` and `/metrics`, for operators, load balancers and Prometheus: open to any host name, without a
 * token. They tell nothing of viewers, keys or projects.
 */
import type { FastifyInstance } from 'fastify';
import type { Registry } from '../metrics/registry.ts';
import { httpProblem } from './problem.ts';

/** Why a part of the process is not ready, in a sentence; undefined when it is. */
export type ReadyCheck = () => Promise<string | undefined> | string | undefined;

export interface OperatorDeps {
  readonly checks: readonly ReadyCheck[];
  readonly registry: Registry;
}

/** A check that takes longer than this says no, ms. */
const CHECK_MS_MAX = 2_000;
const RETRY_AFTER_S = 2;
const TAGS = ['Operators'];

export function registerOperators(
  fastify: FastifyInstance,
  { checks, registry }: OperatorDeps,
): void {
  fastify.get(
    '/healthz',
    { schema: { tags: TAGS, summary: 'The process answers', description: 'Always 200.' } },
    async () => ({ status: 'ok' }),
  );
  fastify.get(
    '/readyz',
    {
      schema: {
        tags: TAGS,
        summary: 'The engines answer, and what the log holds is processed',
        description: '200, or 503 `not_ready` with what it waits for.',
      },
    },
    async () => {
      const reasons = await Promise.all(checks.map(inTime));
      const reason = reasons.find((found) => found !== undefined);
      if (reason === undefined) return { status: 'ok' };
      const headers = { 'retry-after': String(RETRY_AFTER_S) };
      throw httpProblem('not_ready', { detail: reason, headers });
    },
  );
  fastify.get(
    '/metrics',
    {
      schema: {
        tags: TAGS,
        summary: 'Figures of the process itself, for Prometheus',
        description: 'Text in the exposition format of Prometheus.',
        produces: ['text/plain'],
      },
    },
    async (_request, reply) => {
      reply.type(registry.contentType);
      // Past the serializer of answers: it is text as it is.
      return reply.serializer((text: string) => text).send(await registry.metrics());
    },
  );
}

async function inTime(check: ReadyCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CHECK_MS_MAX, `an engine did not answer within ${CHECK_MS_MAX} ms`);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
