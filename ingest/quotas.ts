/**
 * How much a project may bring in a day of UTC: events and bytes.
 *
 * Guarantee: a body is taken whole or not at all, so a day may end one body above its quota for each request that was
 * under way. Counted in this process, from its start or from midnight: with several, each has a share of its own.
 */
import type { Project } from '../platform/projects.ts';

const DAY_MS = 86_400_000;

interface Used {
  day: number;
  events: number;
  bytes: number;
}

export interface Quotas {
  /** Seconds until the project may send again; undefined when it may now. */
  exceededFor(project: Project): number | undefined;
  /** Counts what was taken. Bytes after decompression. */
  add(project: Project, taken: { readonly events: number; readonly bytes: number }): void;
}

/** `now`: wall clock, ms since 1970. */
export function createQuotas(now: () => number): Quotas {
  const used = new Map<string, Used>();
  const today = ({ id }: Project): Used => {
    const day = Math.floor(now() / DAY_MS);
    const known = used.get(id);
    if (known?.day === day) return known;
    const fresh = { day, events: 0, bytes: 0 };
    used.set(id, fresh);
    return fresh;
  };
  return {
    exceededFor: (project) => {
      const { events, bytes } = today(project);
      if (events < project.eventsPerDayMax && bytes < project.bytesPerDayMax) return undefined;
      return Math.ceil((DAY_MS - (now() % DAY_MS)) / 1_000);
    },
    add: (project, { events, bytes }) => {
      const sum = today(project);
      sum.events += events;
      sum.bytes += bytes;
    },
  };
}
