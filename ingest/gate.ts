/**
 * The gate before every route: who sends, whether the key is for this, and whether not too much.
 *
 * Guarantee: refuses before a byte of the body is read, and each refusal has a code of its own. Nothing here takes longer
 * for a wrong key than for a right one.
 */
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../platform/http/problem.ts';
import type { KeyGrant } from '../platform/projects.ts';
import { authenticate, checkUse } from './authenticate.ts';
import type { IngestDeps } from './deps.ts';
import { refusal } from './errors.ts';
import { createQuotas, type Quotas } from './quotas.ts';
import { createRate, senderOf } from './rates.ts';
import { RETRY_AFTER } from './refusals.ts';
import type { RouteHead } from './routes.ts';

export interface Gate {
  /** The grant of the key, or the refusal. */
  letIn(request: FastifyRequest, route: RouteHead): KeyGrant | ProblemError;
  /** Where what was taken is counted. */
  readonly quotas: Quotas;
}

/** Makes the gate that all routes of a process share. */
export function createGate({ projects, limits, now }: IngestDeps): Gate {
  const takeOfAddress = createRate(now);
  const takeOfKey = createRate(now);
  const quotas = createQuotas(now);
  const isFlooding = (address: string): boolean => {
    const perSecondMax = limits.addressRequestsPerSecondMax;
    return perSecondMax > 0 && !takeOfAddress(senderOf(address), perSecondMax);
  };
  return {
    quotas,
    letIn: (request, route) => {
      if (isFlooding(request.ip)) return refusal('address_rate_exceeded', { headers: RETRY_AFTER });
      const grant = authenticate(request, projects, route.goneStatus);
      if (grant instanceof ProblemError) return grant;
      const misused = checkUse(request, grant, route.path);
      if (misused !== undefined) return misused;
      const perSecondMax = grant.requestsPerSecondMax ?? limits.keyRequestsPerSecondMax;
      if (!takeOfKey(grant.keyId, perSecondMax)) {
        return refusal('rate_exceeded', { headers: RETRY_AFTER });
      }
      const seconds = quotas.exceededFor(grant.project);
      if (seconds === undefined) return grant;
      return refusal('quota_exceeded', { headers: { 'retry-after': String(seconds) } });
    },
  };
}
