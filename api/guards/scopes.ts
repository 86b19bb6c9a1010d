/**
 * Which scope of a read token a route needs.
 *
 * Guarantee: decided by method and path alone, in one place: a route that is added without a thought needs `metrics`.
 */
import type { Scope } from '../../platform/projects.ts';

/** First match holds; paths are below the prefix of the data routes. */
const RULES: readonly (readonly [path: RegExp, scope: Scope])[] = [
  [/^\/(video-views|exports)(\/|$)/, 'views'],
  [/^\/monitoring(\/|$)/, 'monitoring'],
];

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The scope for a method and a path below `/data/v1`. Nothing but annotations can be written. */
export function scopeFor(method: string, path: string): Scope {
  if (!READS.has(method)) return 'annotate';
  return RULES.find(([pattern]) => pattern.test(path))?.[1] ?? 'metrics';
}
