/**
 * From parameters to a what-if question.
 *
 * Guarantee: nothing that a move to another CDN changes can choose or match the views. Who compares only views that
 * rebuffered, or only those of one edge, compares views that the CDN itself has chosen.
 */
import type { FastifyRequest } from 'fastify';
import { dimensionAliases, dimensions } from '../../schemas/catalogue/dimensions.ts';
import { refuse } from '../errors.ts';
import { parseDimension, shown } from '../parameters/names.ts';
import type { Scope } from '../planner/scope.ts';
import type { RouteDeps } from './deps.ts';
import { type ScopeQuery, scopeOf } from './questions.ts';

export const MATCH_DEFAULT = ['asn', 'country', 'viewer_device_category', 'stream_type'] as const;
/** Dimensions that one question can match by. */
export const MATCH_MAX = 8;

/** Dimensions that follow from the CDN. */
const FOLLOW: ReadonlySet<string> = new Set(['cdn', 'view_cdn_edge_pop', 'player_error_code']);
/** An id makes a cell of each view, or of each viewer. */
const IDS: ReadonlySet<string> = new Set(['view_id', 'viewer_user_id']);

/** What `match[]` takes. */
export const matchNames: readonly string[] = [
  ...dimensions.map(({ name }) => name),
  ...Object.keys(dimensionAliases),
].filter((name) => canMatch(parseDimension(name).name));

function canMatch(dimension: string): boolean {
  return !FOLLOW.has(dimension) && !IDS.has(dimension);
}

export interface WhatIfQuery extends Omit<ScopeQuery, 'metric_filters[]'> {
  readonly from: string;
  readonly to: string;
  readonly share: number;
  readonly 'match[]'?: string[];
}

/** A share of the views of a slice, from one CDN to another. */
export interface WhatIfQuestion {
  readonly scope: Scope;
  readonly from: string;
  readonly to: string;
  /** Above 0 to 1. */
  readonly share: number;
  readonly match: readonly string[];
}

export function whatIfQuestionOf(
  request: FastifyRequest,
  query: WhatIfQuery,
  deps: RouteDeps,
): WhatIfQuestion {
  const { from, to, share } = query;
  if (from === to) {
    throw refuse('parameter_invalid', { detail: 'from and to must be two CDNs, not the same' });
  }
  const scope = scopeOf(request, query, deps);
  const following = scope.filters.find(({ dimension }) => FOLLOW.has(dimension));
  if (following !== undefined) {
    const detail = `filters[] cannot choose views by ${following.dimension}: it follows from the CDN. from and to say which CDNs`;
    throw refuse('parameter_invalid', { detail });
  }
  return { scope, from, to, share: share / 100, match: parseMatch(query['match[]']) };
}

function parseMatch(names: readonly string[] | undefined): readonly string[] {
  if (names === undefined) return MATCH_DEFAULT;
  const found = [...new Set(names.map((name) => parseDimension(name).name))];
  const wrong = found.find((name) => !canMatch(name));
  if (wrong !== undefined) {
    const why = IDS.has(wrong) ? 'it is an id' : 'it follows from the CDN';
    throw refuse('parameter_invalid', { detail: `match[] cannot take ${shown(wrong)}: ${why}` });
  }
  if (found.length === 0 || found.length > MATCH_MAX) {
    const detail = `match[] takes 1 to ${MATCH_MAX} dimensions, not ${found.length}`;
    throw refuse('parameter_invalid', { detail });
  }
  return found;
}
