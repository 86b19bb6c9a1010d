/** How a route refuses when too much is under way, here or in the log: CMCD players know 429, all others 503. */
import { ProblemError } from '../platform/http/problem.ts';
import type { LogError } from '../platform/log/log.ts';
import { INGEST_ERRORS, refusal } from './errors.ts';

/** Long enough for several turns of the log's group commit, short for a player. */
export const RETRY_AFTER = { 'retry-after': '1' };

export interface Overload {
  /** Answers when too much is under way, here or in the log. */
  readonly overloadedStatus: 429 | 503;
}

/** The refusal as the route says it. */
export function refusedBy(problem: ProblemError, route: Overload): ProblemError {
  return problem.code === 'overloaded' ? overloaded(route, problem.headers) : problem;
}

export function overloaded(
  route: Overload,
  headers: Readonly<Record<string, string>> = {},
): ProblemError {
  const spec = { ...INGEST_ERRORS.overloaded, status: route.overloadedStatus };
  return new ProblemError('overloaded', spec, { headers: { ...headers, ...RETRY_AFTER } });
}

/** The log could not take what a request brought. */
export function logAway(cause: LogError, route: Overload): ProblemError {
  const full = cause.code === 'log_overloaded';
  if (full && route.overloadedStatus === 429) return overloaded(route);
  return refusal('log_unavailable', { headers: RETRY_AFTER, cause });
}
