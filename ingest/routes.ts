/** The routes of ingest: what each takes, and how each answers. */
import type { IngestLimits } from '../platform/config/config.ts';
import type { ProblemError } from '../platform/http/problem.ts';
import { cmcdLimits, createCmcdCounters, decodeCmcdBody } from './formats/cmcd.ts';
import type { EdgeLineReader } from './formats/edge.ts';
import { createEpasFormat } from './formats/epas.ts';
import type { FormatReject, FormatResult, ToldSession } from './formats/format.ts';
import { AVRO_TYPES, createNativeFormat } from './formats/native.ts';
import type { Overload } from './refusals.ts';

/** A body that was taken. */
export interface Outcome {
  /** Events that are durable in the log. */
  readonly acceptedEvents: number;
  readonly rejects: readonly FormatReject[];
  readonly session?: ToldSession;
}

export interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** What every route says of itself. */
export interface RouteHead extends Overload {
  /** Path under the server's root; also the name of the route in rejects. */
  readonly path: string;
  /** Media types, the one that a body without a type is tried as first. */
  readonly types: readonly string[];
  /** Answers a key that was revoked or has expired. */
  readonly goneStatus: 401 | 410;
}

/** A route whose bodies are read whole. */
export interface IngestRoute extends RouteHead {
  /** Bytes to beats and rejects. Pure. */
  readonly decode: (body: Buffer, type: string) => FormatResult;
  readonly answer: (outcome: Outcome) => Answer;
}

/** A line of an edge log that was not taken. */
export interface RejectedLine {
  /** From 1; blank lines count. */
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** An edge log that was taken. */
export interface EdgeOutcome {
  /** Requests that are durable in the log. */
  readonly acceptedRequests: number;
  /** Lines that tell of CORS preflights: neither accepted nor rejected. */
  readonly preflights: number;
  /** The first `rejectedListMax` lines that were not taken. */
  readonly rejected: readonly RejectedLine[];
  readonly rejectedTotal: number;
}

/** A route whose bodies are edge logs, read line by line. */
export interface EdgeRoute extends RouteHead {
  /** Name of the format, as records carry it. */
  readonly format: string;
  /** Makes the reader of one body, which may remember a header; or refuses the parameters of its URL. */
  readonly readerOf: (parameter: Parameter) => EdgeLineReader | ProblemError;
  /** One sentence: what to send, for a body of which not one line could be read. */
  readonly advice: string;
  readonly answer: (outcome: EdgeOutcome) => Answer;
}

/** A parameter of the URL, its first value; empty when it is not there. */
export type Parameter = (name: string) => string;

export interface RouteDeps {
  readonly limits: IngestLimits;
  readonly dimensions: ReadonlySet<string>;
}

/** Native beats: 202 and the positions of what was not taken. */
export function beatsRoute({ limits, dimensions }: RouteDeps): IngestRoute {
  return {
    path: '/v1/beats',
    types: ['application/json', 'text/plain', ...AVRO_TYPES],
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

/** How often an EPAS client is asked to say that it lives, ms: well within the silence that ends a view. */
const HEARTBEAT_MS = 10_000;

/** EPAS: 200 with the session and whether the event was taken, as its SDKs read it. */
export function epasRoute({ limits, dimensions }: RouteDeps): IngestRoute {
  return {
    path: '/v1/epas',
    types: ['application/json', 'text/plain'],
    decode: createEpasFormat({ limits, dimensions }),
    goneStatus: 401,
    overloadedStatus: 503,
    answer: ({ session = { id: '', begins: false }, rejects: [reject] }) => {
      const body = { sessionId: session.id, valid: reject === undefined };
      if (reject !== undefined) return { status: 200, body: { ...body, message: reject.message } };
      const beginning = session.begins ? { heartbeatInterval: HEARTBEAT_MS } : {};
      return { status: 200, body: { ...body, ...beginning } };
    },
  };
}
