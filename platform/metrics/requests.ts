/** How long requests took, by the route as it is declared: never by the path as it came, which may hold a key. */
import type { FastifyInstance } from 'fastify';
import { type Registry, secondsHistogram } from './registry.ts';

const MS_PER_SECOND = 1_000;

/** Adds the hook; set it before the routes. */
export function measureRequests(fastify: FastifyInstance, registry: Registry): void {
  const seconds = secondsHistogram(registry, {
    name: 'streamgauge_http_request_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['method', 'route', 'status'],
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    seconds.observe(labels, reply.elapsedTime / MS_PER_SECOND);
  });
}
