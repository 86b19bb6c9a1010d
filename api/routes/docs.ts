/**
 * `/openapi.json` and `/docs`: the reference, made from the routes themselves.
 *
 * Register `registerReference` before the routes that it shall describe. A server that has its own `@fastify/swagger`
 * keeps it, and all its routes are in the document.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

const TITLE = 'Streamgauge';
const DESCRIPTION = `Quality of streaming, measured by players and by edges.

Questions go to \`/data/v1\` with a read token by HTTP Basic (id and secret). The shape is that of Mux Data, so its client
libraries work with another base URL. Times are ms, bitrates bit/s, shares fractions from 0 to 1, scores out of 100;
\`meta.unit\` names the unit of an answer. \`meta.complete_through\` says until when figures are complete,
\`meta.completeness\` how many reports of the views arrived.

Errors are problem details (RFC 9457) with a stable \`code\`.

Not in this document: players send to \`POST /v1/beats\` (native) and \`POST /v1/cmcd\` (CMCD v2 event mode) with a write key.`;

/** True when the reference is ours to register on this scope. */
export async function registerReference(fastify: FastifyInstance): Promise<void> {
  if (fastify.hasDecorator('swagger')) return;
  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: TITLE, description: DESCRIPTION, version: '1' },
      components: { securitySchemes: { readToken: { type: 'http', scheme: 'basic' } } },
    },
  });
}

/** The pages of the reference. Not behind the token guard. */
export async function registerReferencePages(fastify: FastifyInstance): Promise<void> {
  fastify.get('/openapi.json', { schema: { hide: true } }, async () => fastify.swagger());
  await fastify.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: `${TITLE} API` },
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
