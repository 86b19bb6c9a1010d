/** `/openapi.json` and `/docs`: the reference, made from the routes themselves. */
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { REFERENCE_TITLE } from '../../platform/http/reference.ts';

/** The pages of the reference. Not behind the token guard. */
export async function registerReferencePages(fastify: FastifyInstance): Promise<void> {
  fastify.get('/openapi.json', { schema: { hide: true } }, async () => fastify.swagger());
  await fastify.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: `${REFERENCE_TITLE} API` },
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: -1 },
    staticCSP: STATIC_CSP,
  });
}

/**
 * What the page may load: its own files, and styles that it sets inline. It replaces a stricter policy of the server
 * for these pages alone, and does not ask for TLS: the server may be reached by plain HTTP.
 */
const STATIC_CSP = {
  'default-src': "'self'",
  'base-uri': "'self'",
  'connect-src': "'self'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'object-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
};
