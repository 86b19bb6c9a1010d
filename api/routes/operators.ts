/** `/healthz` and `/readyz`, for operators and load balancers: open to any host name, without a token. */
import type { FastifyInstance } from 'fastify';
import { refuse } from '../errors.ts';
import type { QueryRunner } from '../query-runner.ts';
import { signalOf } from './deps.ts';

export function registerOperators(
  fastify: FastifyInstance,
  runner: QueryRunner,
  notReady: () => string | undefined,
): void {
  fastify.get(
    '/healthz',
    { schema: { tags: ['Operators'], summary: 'The process answers', description: 'Always 200.' } },
    async () => ({ status: 'ok' }),
  );
  fastify.get(
    '/readyz',
    {
      schema: {
        tags: ['Operators'],
        summary: 'The store answers, and what the log holds is processed',
        description: '200, or 503 `not_ready`, `store_unavailable`, 504 `query_timeout`.',
      },
    },
    async (_request, reply) => {
      const reason = notReady();
      if (reason !== undefined) throw refuse('not_ready', { detail: reason });
      await runner.run({ sql: 'SELECT 1 AS ready', params: {} }, signalOf(reply));
      return { status: 'ok' };
    },
  );
}
