/**
 * Problem details (RFC 9457): the one shape of every error answer.
 *
 * Guarantee: an answer carries a stable code and a sentence that says what to do. An error nobody foresaw answers
 * `internal` and nothing of its message or stack; it goes to the operator's log.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export const PROBLEM_TYPE = 'application/problem+json';

/** One row of an error table. */
export interface ErrorSpec {
  /** HTTP status. */
  readonly status: number;
  /** What went wrong, in general: the same for every occurrence. */
  readonly title: string;
  /** What to do about it; the detail of an answer that has no better one. */
  readonly advice: string;
}

/** Stable code → what it means. Documentation prints these tables. */
export type ErrorTable = Readonly<Record<string, ErrorSpec>>;

/** Errors that any route can answer. */
export const HTTP_ERRORS = {
  body_malformed: {
    status: 400,
    title: 'The body cannot be read',
    advice: 'Send a body in the format that the content type names.',
  },
  body_empty: {
    status: 400,
    title: 'The body is empty',
    advice: 'Send at least one record in the body.',
  },
  body_incomplete: {
    status: 400,
    title: 'The body ended early',
    advice: 'Send as many bytes as Content-Length says.',
  },
  request_invalid: {
    status: 400,
    title: 'A parameter is not valid',
    advice: 'Correct the parameter that the detail names.',
  },
  url_malformed: {
    status: 400,
    title: 'The URL cannot be read',
    advice: 'Percent-encode the path and the query.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    advice: 'Check the method and the path against the documentation at /docs.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    advice: 'Send smaller bodies, or compress them.',
  },
  url_too_long: {
    status: 414,
    title: 'A part of the path is too long',
    advice: 'Shorten the path.',
  },
  type_unknown: {
    status: 415,
    title: 'The content type is not taken here',
    advice: 'Send one of the content types that this route documents.',
  },
  request_malformed: {
    status: 400,
    title: 'The request is no HTTP',
    advice: 'Send requests as RFC 9112 has them: one length, well-formed headers and chunks.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    advice: 'Send it again, whole, on a new connection; send large bodies in several requests.',
  },
  headers_too_large: {
    status: 431,
    title: 'URL and headers are too large',
    advice: 'Send fewer or shorter headers, and parameters.',
  },
  request_refused: {
    status: 400,
    title: 'The request cannot be served',
    advice: 'Check the request against the documentation at /docs.',
  },
  not_ready: {
    status: 503,
    title: 'The process is not ready',
    advice: 'Wait: it takes up where it stopped. The detail says what it waits for.',
  },
  closing: {
    status: 503,
    title: 'The server is stopping',
    advice: 'Send the same request again after the seconds in Retry-After.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    advice: 'Try again later. The operator finds the cause in the log, under the request id.',
  },
} as const satisfies ErrorTable;

/** What a problem may carry beside its code. */
export interface ProblemExtras {
  /** What is wrong this time; the table's advice without one. */
  readonly detail?: string;
  /** Response headers, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the body. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An error that answers with problem details. */
export class ProblemError extends Error {
  readonly code: string;
  readonly spec: ErrorSpec;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;
  constructor(code: string, spec: ErrorSpec, extras: ProblemExtras = {}) {
    super(
      extras.detail ?? spec.advice,
      extras.cause === undefined ? undefined : { cause: extras.cause },
    );
    this.name = 'ProblemError';
    this.code = code;
    this.spec = spec;
    this.headers = extras.headers ?? {};
    this.members = extras.members ?? {};
  }
}

/** Makes problems of one table: `const refuse = problemsOf(ERRORS); throw refuse('key_unknown')`. */
export function problemsOf<Table extends ErrorTable>(table: Table) {
  return (code: keyof Table & string, extras?: ProblemExtras): ProblemError => {
    const spec = table[code];
    if (spec === undefined) throw new Error(`no error ${code} in the table`);
    return new ProblemError(code, spec, extras);
  };
}

/** The body of an answer. Members of the problem never replace the five that RFC 9457 and we define. */
export function problemBody(problem: ProblemError): Record<string, unknown> {
  return {
    ...problem.members,
    type: `urn:streamgauge:problem:${problem.code}`,
    title: problem.spec.title,
    status: problem.spec.status,
    detail: problem.message,
    code: problem.code,
  };
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, problem: ProblemError): FastifyReply {
  return reply
    .code(problem.spec.status)
    .headers(problem.headers)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(problem)));
}

export const httpProblem = problemsOf(HTTP_ERRORS);

/** Fastify's own codes that have a code of ours. Every other 4xx of its is `request_refused`. */
const FASTIFY_CODES: ReadonlyMap<string, keyof typeof HTTP_ERRORS> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'body_too_large'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'type_unknown'],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', 'body_empty'],
  ['FST_ERR_CTP_INVALID_JSON_BODY', 'body_malformed'],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'body_incomplete'],
  ['FST_ERR_VALIDATION', 'request_invalid'],
  ['FST_ERR_BAD_URL', 'url_malformed'],
  ['FST_ERR_MAX_PARAM_LENGTH', 'url_too_long'],
  ['FST_ERR_NOT_FOUND', 'not_found'],
]);

/** The problem that an error answers with. Only a schema's complaint keeps its words: they name the parameter. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { code, statusCode, validation, message } = asFastifyError(error);
  if (validation !== undefined) {
    return httpProblem('request_invalid', message === undefined ? {} : { detail: message });
  }
  const known = FASTIFY_CODES.get(code ?? '');
  if (known !== undefined) return httpProblem(known);
  if (error instanceof SyntaxError && statusCode === 400) return httpProblem('body_malformed');
  const clientsFault = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  if (!clientsFault) return httpProblem('internal', { cause: error });
  const refused = { ...HTTP_ERRORS.request_refused, status: statusCode };
  return new ProblemError('request_refused', refused, { cause: error });
}

function asFastifyError(error: unknown): Partial<FastifyError> {
  return typeof error === 'object' && error !== null ? error : {};
}

/** Fastify's error handler. A cause that is the server's own fault goes to the log. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  if (problem.spec.status >= 500 && problem.code === 'internal') {
    request.log.error({ err: error }, 'request failed');
  }
  void sendProblem(reply, problem);
}

/** Fastify's handler for unknown routes. Does not print the URL: it may carry a key. */
export function handleNotFound(_request: FastifyRequest, reply: FastifyReply): void {
  void sendProblem(reply, httpProblem('not_found'));
}

/** Sets both handlers on a server or a scope of it. Pass `handleError` as `frameworkErrors` to cover malformed URLs. */
export function registerProblems(fastify: FastifyInstance): void {
  fastify.setErrorHandler(handleError);
  fastify.setNotFoundHandler(handleNotFound);
}
