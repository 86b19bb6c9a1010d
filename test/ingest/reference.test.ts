import fastify from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerIngest } from '../../ingest/app.ts';
import { createIngestCounters } from '../../ingest/counters.ts';
import { INGEST_ERRORS } from '../../ingest/errors.ts';
import { NATIVE_EVENT_TYPES } from '../../ingest/formats/native-event.ts';
import { ingestLimits } from '../../platform/config/config.ts';
import { registerReference } from '../../platform/http/reference.ts';
import { clientDimensions } from '../../schemas/catalogue/dimensions.ts';
import { type Appended, builtInProjects, rememberingLog } from './ingest-server.ts';

interface Media {
  readonly example: unknown;
}
interface Operation {
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { description: string; content?: object }>>;
}
type Paths = Readonly<Record<string, { readonly post: Operation }>>;

const appended: Appended[] = [];
const server = fastify();
let paths: Paths = {};

beforeAll(async () => {
  await registerReference(server);
  await registerIngest(server, {
    log: rememberingLog(appended),
    projects: builtInProjects(),
    limits: ingestLimits(),
    dimensions: clientDimensions,
    now: () => 0,
    counters: createIngestCounters(),
  });
  await server.ready();
  paths = (server.swagger() as unknown as { paths: Paths }).paths;
});

const ROUTES = [
  '/v1/beats',
  '/v1/cmcd',
  '/v1/epas',
  ...['nginx', 'cloudfront', 'fastly', 'akamai', 'cloudflare', 'ndjson'].map(
    (format) => `/v1/edge/${format}`,
  ),
];

describe('the reference of ingest', () => {
  it('has every route, with the key that it needs', () => {
    expect(Object.keys(paths).toSorted()).toEqual(ROUTES.toSorted());
    for (const path of ROUTES) {
      expect(paths[path]?.post.security).toEqual([{ writeKey: [] }, { writeKeyInUrl: [] }]);
    }
  });

  it.each(ROUTES)('shows bodies of %s that are taken whole', async (path) => {
    for (const [type, { example }] of Object.entries(paths[path]?.post.requestBody.content ?? {})) {
      const answer = await server.inject({
        method: 'POST',
        url: `${path}?key=dev`,
        headers: { 'content-type': type },
        payload: typeof example === 'string' ? example : JSON.stringify(example),
      });
      expect(answer.statusCode, answer.body).toBeLessThan(300);
      expect(Object.keys(paths[path]?.post.responses ?? {})).toContain(String(answer.statusCode));
      const {
        rejectedTotal = 0,
        accepted = 1,
        valid = true,
      } = answer.body === '' ? {} : (answer.json() as Record<string, unknown>);
      expect([rejectedTotal, valid], answer.body).toEqual([0, true]);
      expect(Number(accepted), answer.body).toBeGreaterThan(0);
    }
  });

  it('names every native event and every refusal', () => {
    const beats = JSON.stringify(paths['/v1/beats']?.post.requestBody);
    for (const type of NATIVE_EVENT_TYPES) expect(beats).toContain(`"title":"${type}"`);
    const cmcd = paths['/v1/cmcd']?.post.responses ?? {};
    expect(cmcd['410']?.description).toContain('key_expired, key_revoked');
    expect(cmcd['429']?.description).toContain('overloaded');
    expect(paths['/v1/beats']?.post.responses['503']?.description).toContain('overloaded');
    const all = JSON.stringify(cmcd);
    const elsewhere = ['not_found', 'url_malformed', 'url_too_long', 'request_refused'];
    const ours = Object.keys(INGEST_ERRORS).filter((code) => !elsewhere.includes(code));
    for (const code of ours.filter((code) => code !== 'not_ready' && code !== 'internal')) {
      expect(all, code).toContain(code);
    }
  });
});
