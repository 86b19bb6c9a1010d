/**
 * Who sends: the write key, from the Authorization header or the query.
 *
 * Guarantee: nothing but the key names the project. A Basic header, which browsers add by themselves, is not a key.
 */
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../platform/http/problem.ts';
import type { KeyGrant, Projects } from '../platform/projects.ts';
import { INGEST_ERRORS, refusal } from './errors.ts';

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

function keyOf(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const { key } = request.query as { readonly key?: string | readonly string[] };
  const first = typeof key === 'string' ? key : key?.[0];
  return first === '' ? undefined : first;
}
