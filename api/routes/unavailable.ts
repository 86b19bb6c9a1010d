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
  '/diagnosis',
  '/experiments/compare',
];

export function registerUnavailable(fastify: ApiScope): void {
  for (const url of GET) {
    fastify.route({
      method: 'GET',
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
