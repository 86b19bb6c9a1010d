/** Routes whose place is kept: they answer 501 until they are built. */
import { refuse } from '../errors.ts';
import type { ApiScope } from './deps.ts';
import { answers } from './schemas.ts';

const GET: readonly string[] = [
  '/incidents',
  '/incidents/:id',
  '/incidents/:id/related',
  '/delivery/metrics/:id/insights',
  '/delivery/metrics/comparison',
  '/cost/what-if',
  '/diagnosis',
  '/experiments/compare',
];

const OTHERS = [['POST', '/cost/what-if']] as const;

export function registerUnavailable(fastify: ApiScope): void {
  const routes = [...GET.map((url) => ['GET', url] as const), ...OTHERS];
  for (const [method, url] of routes) {
    fastify.route({
      method,
      url,
      schema: {
        tags: ['Not available yet'],
        summary: 'Not available in this version',
        description: 'Answers 501, `not_available`.',
        response: answers(undefined, ['not_available']),
      },
      handler: () => Promise.reject(refuse('not_available')),
    });
  }
}
