/** The routes of ingest: what each takes, and how each answers. */
import type { IngestLimits } from '../platform/config/config.ts';
import { cmcdLimits, createCmcdCounters, decodeCmcdBody } from './formats/cmcd.ts';
import type { FormatReject, FormatResult } from './formats/format.ts';
import { createNativeFormat } from './formats/native.ts';

/** A body that was taken. */
export interface Outcome {
  /** Events that are durable in the log. */
  readonly acceptedEvents: number;
  readonly rejects: readonly FormatReject[];
}

export interface Answer {
  readonly status: number;
  readonly body?: object;
}

export interface IngestRoute {
  /** Path under the server's root; also the name of the route in rejects. */
  readonly path: string;
  /** Media types, the one that a body without a type is tried as first. */
  readonly types: readonly string[];
  /** Bytes to beats and rejects. Pure. */
  readonly decode: (body: Buffer, type: string) => FormatResult;
  /** Answers a key that was revoked or has expired. */
  readonly goneStatus: 401 | 410;
  /** Answers when too much is under way, here or in the log. */
  readonly overloadedStatus: 429 | 503;
  readonly answer: (outcome: Outcome) => Answer;
}

export interface RouteDeps {
  readonly limits: IngestLimits;
  readonly dimensions: ReadonlySet<string>;
}

/** Native beats: 202 and the positions of what was not taken. */
export function beatsRoute({ limits, dimensions }: RouteDeps): IngestRoute {
  return {
    path: '/v1/beats',
    types: ['application/json', 'text/plain'],
    decode: createNativeFormat({ limits, dimensions }),
    goneStatus: 401,
    overloadedStatus: 503,
    answer: ({ acceptedEvents, rejects }) => ({
      status: 202,
      body: {
        accepted: acceptedEvents,
        rejected: rejects.slice(0, limits.rejectedListMax).map(listed),
        rejectedTotal: rejects.length,
      },
    }),
  };
}

/** JSON leaves out an `event` that is undefined: the whole beat. */
function listed({ beat, event, code, message }: FormatReject): object {
  return { beat, event, code, message };
}

/** CMCD event mode: 204 whatever is inside the records; players only look at the status (CTA-5004-B). */
export function cmcdRoute({ limits }: RouteDeps): IngestRoute {
  const { eventsPerBeatMax } = limits;
  return {
    path: '/v1/cmcd',
    types: ['application/cmcd', 'text/cmcd', 'application/json', 'text/plain'],
    decode: (body, type) => {
      const counters = createCmcdCounters();
      const result = decodeCmcdBody(body, type, { ...cmcdLimits, eventsPerBeatMax }, counters);
      const notes = { value_dropped: counters.valuesDropped, keys_cut: counters.keysCut };
      return { ...result, notes };
    },
    goneStatus: 410,
    overloadedStatus: 429,
    answer: () => ({ status: 204 }),
  };
}

/** Documented, and not served yet. */
export const UNAVAILABLE_PATHS = ['/v1/epas', '/v1/edge/:format'] as const;
