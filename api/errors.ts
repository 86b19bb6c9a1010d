/** The query side's table of errors: stable code, status, and what to do. Codes never change their meaning. */
import { type ErrorTable, problemsOf } from '../platform/http/problem.ts';

export const API_ERRORS = {
  metric_unknown: {
    status: 400,
    title: 'There is no such metric',
    advice: 'Use an id of docs/metrics.md.',
  },
  dimension_unknown: {
    status: 400,
    title: 'There is no such dimension',
    advice: 'Use a name that /data/v1/dimensions lists.',
  },
  parameter_unknown: {
    status: 400,
    title: 'There is no such parameter',
    advice: 'Use the parameters that /docs lists for this route.',
  },
  parameter_invalid: {
    status: 400,
    title: 'A parameter is not valid',
    advice: 'Correct the parameter that the detail names.',
  },
  token_missing: {
    status: 401,
    title: 'The request names no token',
    advice: 'Send a read token by HTTP Basic: its id as user name, its secret as password.',
  },
  token_unknown: {
    status: 401,
    title: 'The token is not known',
    advice: 'Check id and secret of the read token against the projects file.',
  },
  token_expired: {
    status: 401,
    title: 'The token has expired',
    advice: 'Ask the project for another read token.',
  },
  token_revoked: {
    status: 401,
    title: 'The token is revoked',
    advice: 'Ask the project for another read token.',
  },
  scope_missing: {
    status: 403,
    title: 'The token is not for this',
    advice: 'Use a read token whose scopes in the projects file cover the route.',
  },
  view_not_found: {
    status: 404,
    title: 'There is no such view',
    advice: 'Check the view id. A view is found once its first report has been processed.',
  },
  annotation_not_found: {
    status: 404,
    title: 'There is no such annotation',
    advice: 'Check the id against /data/v1/annotations.',
  },
  prices_missing: {
    status: 409,
    title: 'The project has no price book',
    advice:
      'Set `prices` of the project in the projects file, or STREAMGAUGE_PRICES_FILE. docs/prices.md says what a price book is.',
  },
  annotations_full: {
    status: 422,
    title: 'The project has too many annotations',
    advice: 'Delete annotations that are of no use any more.',
  },
  host_refused: {
    status: 421,
    title: 'This host name is not ours',
    advice:
      'Use the address that the server listens on, or have the operator allow this host name.',
  },
  query_too_large: {
    status: 422,
    title: 'The question is too large',
    advice: 'Ask for a shorter timeframe, add filters, or choose a dimension with fewer values.',
  },
  support_too_thin: {
    status: 422,
    title: 'Too little of the slice can be compared',
    advice: 'Ask for a longer timeframe, or match by fewer dimensions.',
  },
  client_left: {
    status: 499,
    title: 'The client left',
    advice: 'Nothing to do: the answer was no longer wanted.',
  },
  query_failed: {
    status: 500,
    title: 'The query failed',
    advice: 'Try again later. The operator finds the cause in the log, under the request id.',
  },
  not_available: {
    status: 501,
    title: 'This route is not available in this version',
    advice: 'Its place is kept: a later version answers here. /docs lists what answers now.',
  },
  query_queue_full: {
    status: 503,
    title: 'Too many queries are waiting',
    advice: 'Try again in a few seconds.',
  },
  store_unavailable: {
    status: 503,
    title: 'The store does not answer',
    advice: 'Try again in a few seconds.',
  },
  query_timeout: {
    status: 504,
    title: 'The query took too long',
    advice: 'Ask for a shorter timeframe, or add filters.',
  },
} as const satisfies ErrorTable;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** Makes a problem of the table above. */
export const refuse = problemsOf(API_ERRORS);
