/**
 * Who sends: the write key, from the Authorization header, that of Firehose, or the query, and whether it is for this.
 *
 * Guarantee: nothing but the key names the project. A Basic header, which browsers add by themselves, is not a key. A
 * key that is bound to origins or formats opens nothing else.
 */
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../platform/http/problem.ts';
import type { KeyGrant, Projects } from '../platform/projects.ts';
import { INGEST_ERRORS, refusal } from './errors.ts';
import { firehoseKey } from './firehose.ts';

const CHALLENGE = { 'www-authenticate': 'Bearer' };

/** The key's project, or the refusal. `goneStatus` answers keys that will never work again. */
export function authenticate(
  request: FastifyRequest,
  projects: Pick<Projects, 'findWriteKey'>,
  goneStatus: 401 | 410,
): KeyGrant | ProblemError {
  const key = keyOf(request);
  if (key === undefined) return refusal('key_missing', { headers: CHALLENGE });
  const found = projects.findWriteKey(key);
  if (typeof found !== 'string') return found;
  if (found === 'unknown') return refusal('key_unknown', { headers: CHALLENGE });
  const code = found === 'expired' ? 'key_expired' : 'key_revoked';
  const headers = goneStatus === 401 ? CHALLENGE : {};
  return new ProblemError(code, { ...INGEST_ERRORS[code], status: goneStatus }, { headers });
}

/** Refuses a key that is not for the place the request comes from, or for what it brings. */
export function checkUse(
  { headers }: FastifyRequest,
  grant: KeyGrant,
  path: string,
): ProblemError | undefined {
  const format = path.replace(/^\/v1\//, '');
  if (!grant.allowsFormat(format)) {
    return refusal('format_refused', { detail: `This key is not for ${path}.` });
  }
  const { origin } = headers;
  if (grant.allowsOrigin(origin)) return undefined;
  const from =
    origin === undefined ? 'requests without an Origin' : `the origin ${origin.slice(0, 200)}`;
  return refusal('origin_refused', { detail: `This key is not for ${from}.` });
}

function keyOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const delivered = firehoseKey(request.headers);
  if (delivered !== undefined) return delivered;
  const { key } = request.query as { readonly key?: string | readonly string[] };
  const first = typeof key === 'string' ? key : key?.[0];
  return first === '' ? undefined : first;
}
