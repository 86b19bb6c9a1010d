/**
 * The built page at `/`: its document, its assets, and `page.json`, which tells it whose figures it shows.
 *
 * Guarantee: all of it lies behind the token guard, so that a browser asks for the token once and sends it along with
 * every question; and it runs under a policy that lets no other host and no inline script in.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync } from 'fastify';
import { handleError, ProblemError } from '../../platform/http/problem.ts';
import type { Projects } from '../../platform/projects.ts';
import { projectOf, registerTokenGuard, type TokenCounters } from '../guards/token.ts';

const CSP = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
].join('; ');

const HEADERS = {
  'content-security-policy': CSP,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  vary: 'accept-encoding, authorization',
};

const ASSETS = '/assets/';
/** A name with a hash in it never holds anything else. Not for shared caches: the page lies behind a token. */
const ASSET_CACHE = 'private, max-age=31536000, immutable';
const PAGE_CACHE = 'private, no-cache';
const UNAUTHORIZED = 401;

export interface DashboardDeps {
  /** Where the build lies. */
  readonly directory: string;
  readonly projects: Pick<Projects, 'findReadToken'>;
  readonly counters: TokenCounters;
  /** Shown to a browser without a token, when its user has dismissed the prompt. */
  readonly help: string;
}

/** True where a build lies. */
export const hasDashboard = (directory: string): boolean =>
  existsSync(join(directory, 'index.html'));

/** The page as a fastify plugin, so that its guard and its headers stay within a scope of their own. */
export const registerDashboard: FastifyPluginAsync<DashboardDeps> = async (
  fastify,
  { directory, projects, counters, help },
) => {
  fastify.setErrorHandler((error, request, reply) => {
    const refused = error instanceof ProblemError && error.spec.status === UNAUTHORIZED;
    if (!refused || request.headers.accept?.includes('text/html') !== true) {
      return handleError(error, request, reply);
    }
    return reply.code(UNAUTHORIZED).type('text/html; charset=utf-8').send(help);
  });
  await registerTokenGuard(fastify, projects, counters);
  fastify.addHook('onRequest', async (request, reply) => {
    const hashed = request.routeOptions.url?.includes(ASSETS) === true;
    reply.headers({ ...HEADERS, 'cache-control': hashed ? ASSET_CACHE : PAGE_CACHE });
  });
  // An asset of another build is not there now, and may be again.
  fastify.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode >= 400) reply.header('cache-control', 'no-store');
  });
  await fastify.register(fastifyStatic, {
    root: join(directory, ASSETS),
    prefix: ASSETS,
    index: false,
    // The build lays them beside the files.
    preCompressed: true,
    schemaHide: true,
    cacheControl: false,
  });
  fastify.get('/', { schema: { hide: true } }, (_request, reply) =>
    reply.sendFile('index.html', directory),
  );
  fastify.get('/page.json', { schema: { hide: true } }, async (request) => ({
    project: projectOf(request).id,
  }));
};
