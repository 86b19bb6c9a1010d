/**
 * Everything that ingest can refuse, reject or leave out, by stable code. Documentation prints these tables.
 *
 * - `INGEST_ERRORS` answer a request as a whole, as problem details.
 * - `REJECTS` are pieces of an accepted request that could not be taken; each becomes a reject record in the log.
 * - `NOTES` were left out of something that was taken; they are counted only.
 */
import { type ErrorTable, HTTP_ERRORS, problemsOf } from '../platform/http/problem.ts';

export const INGEST_ERRORS = {
  ...HTTP_ERRORS,
  key_missing: {
    status: 401,
    title: 'No write key',
    advice: 'Send the write key as `Authorization: Bearer KEY` or as `?key=KEY`.',
  },
  key_unknown: {
    status: 401,
    title: 'Unknown write key',
    advice: 'Check the write key against the projects file.',
  },
  key_revoked: {
    status: 401,
    title: 'The write key is revoked',
    advice: 'Stop sending with this key; ask the project for another.',
  },
  key_expired: {
    status: 401,
    title: 'The write key has expired',
    advice: 'Stop sending with this key; ask the project for another.',
  },
  origin_refused: {
    status: 403,
    title: 'The write key is not for this origin',
    advice: 'Add the origin to `allowedOrigins` of the key, or use a key without them.',
  },
  format_refused: {
    status: 403,
    title: 'The write key is not for this format',
    advice: 'Add the format to `formats` of the key, or use a key without them.',
  },
  quota_exceeded: {
    status: 429,
    title: 'The project has used its quota of the day',
    advice: 'Send again after the seconds in Retry-After, or have the quota raised.',
  },
  address_rate_exceeded: {
    status: 429,
    title: 'Too many requests of this address',
    advice: 'Send again after the seconds in Retry-After, and send fewer, larger bodies.',
  },
  rate_exceeded: {
    status: 429,
    title: 'Too many requests of this write key',
    advice: 'Send again after the seconds in Retry-After, and send fewer, larger bodies.',
  },
  overloaded: {
    status: 503,
    title: 'Too much is under way',
    advice: 'Send the same body again after the seconds in Retry-After.',
  },
  log_unavailable: {
    status: 503,
    title: 'The log cannot take the data now',
    advice:
      'Send the same body again after the seconds in Retry-After. What is doubled is counted once.',
  },
  decompressed_too_large: {
    status: 413,
    title: 'The body is too large once decompressed',
    advice: 'Send smaller bodies.',
  },
  encoding_unknown: {
    status: 415,
    title: 'The content encoding is not known',
    advice: 'Compress with gzip, deflate or br, once, or not at all.',
  },
  encoding_malformed: {
    status: 400,
    title: 'The body cannot be decompressed',
    advice: 'Send a body that is compressed as Content-Encoding says, to its end.',
  },
  malformed: {
    status: 400,
    title: 'Not one record of the body could be read',
    advice: 'Send CMCD as a dictionary in each line, a JSON object or an array of objects.',
  },
} as const satisfies ErrorTable;

export type IngestErrorCode = keyof typeof INGEST_ERRORS;

/** Makes the problem of a code: `refusal('key_missing')`. */
export const refusal = problemsOf(INGEST_ERRORS);

/** Code → what to do. */
export const REJECTS: Readonly<Record<string, string>> = {
  beat_not_object: 'Send each beat as a JSON object.',
  view_missing: 'Name the view in `view`, a text that is the same in all beats of one view.',
  view_too_long: 'Use view ids of at most 128 characters.',
  events_missing: 'Send at least one event in `events`.',
  too_many_beats: 'Send the beats that were not taken in another body.',
  too_many_events: 'Send the events that were not taken in another beat.',
  event_not_object: 'Send each event as a JSON object.',
  seq_invalid: 'Number the events of a view from 0 with whole numbers.',
  at_invalid: "Send `at`, the client's clock in ms since 1970.",
  event_type_unknown: 'Use one of the documented event types.',
  state_unknown: 'Use one of the documented states.',
  field_invalid: 'Send at least one usable field of the event.',
  event_too_large: 'Shorten the texts of the event.',
  cmcd_malformed: 'Send a structured-field dictionary (RFC 8941) or a JSON object of CMCD keys.',
  cmcd_version_unknown: 'Send CMCD of version 1 or 2.',
  sid_too_long: 'Use a `sid` of at most 128 characters.',
  missing_ts: 'Enable the CMCD key `ts`.',
  line_not_json: 'Send one JSON object in each line; nginx does so with `escape=json`.',
  line_malformed: 'Send JSON lines, or the combined log format.',
  line_columns_unexpected: 'Name the fields of the columns, in order, with `?fields=`.',
  line_fields_missing: 'Log the time of each request and its status.',
  line_too_long: 'Log shorter lines, or raise `edgeLineBytesMax`.',
  body_malformed: 'Send a body in the format that the content type names.',
  body_empty: 'Send at least one record in the body.',
  encoding_malformed: 'Compress the body as Content-Encoding says.',
  malformed: 'Send at least one CMCD record that can be read.',
  rejects_capped: 'More was wrong in one body than is kept one by one; the message has the counts.',
};

/** Code → what was left out. */
export const NOTES: Readonly<Record<string, string>> = {
  context_unknown: 'A context named something that is no dimension.',
  value_dropped: 'A value had another type than its field, or was out of its range.',
  string_cut: 'A text was longer than `stringLengthMax`.',
  keys_cut: 'An event had more CMCD keys than are kept.',
  cmcd_doubled: 'A request had CMCD in its headers and in its query; the headers were taken.',
  line_left_out:
    'A line told of no request of a viewer: a header, the test of a CDN, a request of the edge itself.',
  cmcd_version_unknown: 'CMCD of a request had a newer version; the request was taken without it.',
  cmcd_unreadable: 'CMCD of a request could not be read; the request was taken without it.',
};
