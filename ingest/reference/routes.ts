/**
 * What the reference says of each route of ingest: its body by content type with an example that is taken, its
 * parameters, its answers.
 *
 * Guarantee: for documentation only. Bodies are read by the formats, whatever is written here.
 */
import Type, { type TSchema } from 'typebox';
import { problemAnswer, problemAnswers } from '../../platform/http/reference.ts';
import { INGEST_ERRORS, type IngestErrorCode } from '../errors.ts';
import type { RouteHead } from '../routes.ts';
import { beatExample, beatSchema } from './beats.ts';
import { EDGE_PARAMETERS, edgeExamples } from './edge.ts';

/** What a body may be. */
interface BodyReference {
  readonly description: string;
  readonly schema: TSchema;
  /** One that is taken whole. */
  readonly example: unknown;
}

interface RouteReference {
  readonly summary: string;
  readonly description: string;
  /** By content type; a type that is missing is like the first. */
  readonly bodies: Readonly<Record<string, BodyReference>>;
  readonly parameters: TSchema | undefined;
  readonly ok: Readonly<Record<number, TSchema>>;
}

const text = (description: string) => Type.String({ description });
const countOf = (description: string) =>
  Type.Integer({ description: `${description} Unit: count.` });
/** A list of rejects is cut; their number is not. */
const rejectedTotal = countOf('All that was not taken, listed or not.');
const rejected = Type.Array(
  Type.Object({
    beat: Type.Integer({ description: 'Place of the beat in the body, from 0. Unit: none.' }),
    event: Type.Optional(
      Type.Integer({ description: 'Place of the event in its beat, from 0. Unit: none.' }),
    ),
    code: Type.String(),
    message: Type.String(),
  }),
  { description: 'Positions of what was not taken; `event` is absent when it is the whole beat.' },
);

const BEATS: RouteReference = {
  summary: 'Native beats',
  description:
    'One beat, or an array of them: what one client delivered at once for one view. One bad event never costs the good ones beside it.',
  bodies: {
    'application/json': {
      description: 'A beat, or an array of beats. Also as text/plain, which sendBeacon sends.',
      schema: Type.Union([beatSchema, Type.Array(beatSchema, { minItems: 1 })]),
      example: beatExample,
    },
  },
  parameters: undefined,
  ok: {
    202: Type.Object(
      { accepted: countOf('Events that the log has.'), rejected, rejectedTotal },
      { description: 'Events that the log has, and what was not taken.' },
    ),
  },
};

const CMCD_EXAMPLE =
  'cid="movie-1",e=ps,sid="6e2fb550-c457-11e9-bb97-0800200c9a66",sn=0,sta=p,ts=1767225600000,v=2\n';

const CMCD: RouteReference = {
  summary: 'CMCD, event mode',
  description:
    'CTA-5004-B: one structured-field dictionary in each line, or JSON. A bad value is dropped alone. Which keys go where is in docs/formats.md.',
  bodies: {
    'application/cmcd': {
      description: 'Lines of CMCD.',
      schema: text('One dictionary (RFC 8941) in each line.'),
      example: CMCD_EXAMPLE,
    },
    'application/json': {
      description: 'An object of CMCD keys, or an array of them.',
      schema: Type.Union([
        Type.Record(Type.String(), Type.Unknown()),
        Type.Array(Type.Record(Type.String(), Type.Unknown())),
      ]),
      example: {
        e: 'ps',
        sid: '6e2fb550-c457-11e9-bb97-0800200c9a66',
        sn: 0,
        sta: 'p',
        ts: 1_767_225_600_000,
        v: 2,
      },
    },
  },
  parameters: undefined,
  ok: { 204: Type.Null({ description: 'The log has it.' }) },
};

const epasEvent = Type.Object({
  event: text('Such as init, playing, buffering, heartbeat, stopped.'),
  sessionId: Type.Optional(Type.String()),
  timestamp: Type.Number({ description: 'ms since 1970.' }),
  playhead: Type.Number({ description: 's; -1 when unknown.' }),
  duration: Type.Number({ description: 's; -1 when unknown.' }),
  payload: Type.Optional(Type.Unknown()),
});

const EPAS: RouteReference = {
  summary: 'Eyevinn player analytics (EPAS)',
  description: "Events of Eyevinn's SDKs, one or an array.",
  bodies: {
    'application/json': {
      description: 'An event, or an array of them.',
      schema: Type.Union([epasEvent, Type.Array(epasEvent, { minItems: 1 })]),
      example: {
        event: 'init',
        sessionId: '376460d6-6745-45d4-bb2b-6a4906b2c24f',
        timestamp: 1_767_225_600_000,
        playhead: -1,
        duration: -1,
      },
    },
  },
  parameters: undefined,
  ok: {
    200: Type.Object({
      sessionId: Type.String(),
      valid: Type.Boolean(),
      heartbeatInterval: Type.Optional(Type.Integer({ description: 'ms; in the answer to init.' })),
      message: Type.Optional(Type.String()),
    }),
  },
};

const line = Type.Integer({ description: 'Number of the line in the body. Unit: none.' });
const edgeAnswer = Type.Object(
  {
    accepted: countOf('Requests that the log has.'),
    preflights: countOf('CORS preflights, left out.'),
    rejected: Type.Array(Type.Object({ line, code: Type.String(), message: Type.String() })),
    rejectedTotal,
  },
  { description: 'Lines that were taken, and those that were not.' },
);

function edgeReference(format: string): RouteReference {
  return {
    summary: `Edge logs: ${format}`,
    description: 'Lines of a log, gzip or not, read as they come. Fields are in docs/edge-logs.md.',
    bodies: {
      'text/plain': {
        description: 'Lines; the content type is not looked at closer.',
        schema: text('One request in each line.'),
        example: edgeExamples[format] ?? '',
      },
    },
    parameters: EDGE_PARAMETERS[format],
    ok: { 202: edgeAnswer },
  };
}

const REFERENCES: Readonly<Record<string, RouteReference>> = {
  '/v1/beats': BEATS,
  '/v1/cmcd': CMCD,
  '/v1/epas': EPAS,
};

/** What is said of a route. */
export function referenceOf(path: string): RouteReference {
  return REFERENCES[path] ?? edgeReference(path.replace('/v1/edge/', ''));
}

/** Codes that any route may answer. */
const CODES: readonly IngestErrorCode[] = [
  'body_malformed',
  'body_empty',
  'body_incomplete',
  'request_invalid',
  'request_malformed',
  'request_timeout',
  'headers_too_large',
  'encoding_malformed',
  'malformed',
  'key_missing',
  'key_unknown',
  'origin_refused',
  'format_refused',
  'body_too_large',
  'decompressed_too_large',
  'type_unknown',
  'encoding_unknown',
  'rate_exceeded',
  'address_rate_exceeded',
  'quota_exceeded',
  'log_unavailable',
  'closing',
];

/** The schema that a route is registered with. */
export function schemaOf(route: RouteHead): object {
  const { summary, description, bodies, parameters, ok } = referenceOf(route.path);
  const content = Object.entries(bodies).map(([type, { schema, example, description: said }]) => [
    type,
    { schema: { ...schema, description: said, examples: [example] } },
  ]);
  return {
    tags: ['ingest'],
    summary,
    description,
    body: { content: Object.fromEntries(content) },
    ...(parameters === undefined ? {} : { querystring: parameters }),
    response: { ...ok, ...problemsOf(route) },
    security: [{ writeKey: [] }, { writeKeyInUrl: [] }],
  };
}

/** Problem details of a route: an old key and too much under way have statuses of the route's own. */
function problemsOf({ goneStatus, overloadedStatus }: RouteHead): Record<number, object> {
  const own: readonly [status: number, codes: readonly IngestErrorCode[]][] = [
    [goneStatus, ['key_expired', 'key_revoked']],
    [overloadedStatus, ['overloaded']],
  ];
  const answers = problemAnswers(INGEST_ERRORS, CODES);
  for (const [status, codes] of own) {
    const also = CODES.filter((code) => INGEST_ERRORS[code].status === status);
    answers[status] = problemAnswer(INGEST_ERRORS, status, [...also, ...codes]);
  }
  return answers;
}
