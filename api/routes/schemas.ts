/** Schemas of parameters and answers. They check what comes in; of what goes out they are the documentation. */
import Type, { type TProperties, type TSchema } from 'typebox';
import { HTTP_ERRORS } from '../../platform/http/problem.ts';
import { known, problemAnswers } from '../../platform/http/reference.ts';
import { measures } from '../../schemas/catalogue/metrics.ts';
import { API_ERRORS, type ApiErrorCode } from '../errors.ts';
import type { QueryLimits } from '../limits.ts';
import { STREAM_ERRORS } from '../monitoring/errors.ts';
import { dimensionNames, metricIds } from '../parameters/names.ts';
import { type AnswerExample, envelopeExample } from './examples/envelope.ts';
import { integer, integerOrNull, number, numberOrNull, withUnit } from './quantities.ts';

const PAGE_ROWS_DEFAULT = 25;

const strings = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

export const timeframe = {
  'timeframe[]': strings(
    'Duration up to now (`60:minutes`, `24:hours`, `7:days`), or two times: seconds since 1970, or ISO 8601 with a zone. ' +
      'From is included, to is not. Default: `24:hours`.',
  ),
};

export const filters = {
  'filters[]': strings(
    '`dimension:value` includes, `!dimension:value` excludes. Values of one dimension are alternatives, different ' +
      'dimensions must all hold. An empty value is the unknown one.',
  ),
  'metric_filters[]': strings(
    "Views by a metric's value in answer units: `video_startup_time>=1000`. Operators: `>=` `<=` `>` `<` `=` `!=`.",
  ),
};

export const measurement = {
  measurement: Type.Optional(
    Type.String({
      ...known(measures),
      description:
        "Default: the metric's own. `ratio` is sum over sum, and `avg` is the same for metrics that have one. `unique_viewers` has `count` alone.",
    }),
  ),
};

/** One of a few words. */
export function choice<const Words extends readonly string[]>(words: Words, description: string) {
  return Type.Optional(
    Type.Unsafe<Words[number]>({ type: 'string', enum: [...words], description }),
  );
}

export const direction = {
  order_direction: choice(['asc', 'desc'], 'Sort order.'),
};

/** Asks how an answer came to be. */
export const explain = {
  explain: Type.Optional(
    Type.Boolean({
      description:
        'True: `meta.explain` lists the statements that were run. Needs the scope `admin`.',
    }),
  ),
};

/** Parameters of paging. */
export function paging({ pageRowsMax, pageOffsetMax }: QueryLimits) {
  return {
    page: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: pageOffsetMax,
        default: 1,
        description: withUnit('Page, from 1, each of `limit` rows.', 'none'),
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: pageRowsMax,
        default: Math.min(PAGE_ROWS_DEFAULT, pageRowsMax),
        description: withUnit('Rows of a page (pageRowsMax is the maximum).', 'count'),
      }),
    ),
  };
}

export const query = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties);

export const metricParams = Type.Object({
  id: Type.String({
    ...known(metricIds),
    description: 'Id of the metric; docs/metrics.md says what each means.',
    examples: ['video_startup_time'],
  }),
});
/** A parameter that names a dimension. */
export const dimensionName = (description: string) =>
  Type.String({ ...known(dimensionNames), description, examples: ['country'] });
export const dimensionParams = Type.Object({ id: dimensionName('Name of the dimension.') });
export const viewParams = Type.Object({ id: Type.String({ description: 'View id.' }) });

const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);

export const value = numberOrNull(
  'The figure; null where nothing is known.',
  'what `meta.unit` names',
);
export const totals = {
  total_playing_time: integer('Playing time of the views that take part.', 'ms'),
  total_watch_time: integer('Watch time of the views that take part.', 'ms'),
};

/** `meta.explain`. */
export const explained = {
  explain: Type.Optional(
    Type.Array(
      Type.Object({
        tables: Type.Array(Type.String()),
        sql: Type.String(),
        params: Type.Object({}, { additionalProperties: true, description: 'Bound values.' }),
        rows_read: integerOrNull('Rows that the store read.', 'count'),
        bytes_read: integerOrNull('What it read of them.', 'bytes'),
        unknown: Type.Optional(Type.String({ description: 'Why the two are null.' })),
        elapsed_ms: number('From its turn to its rows.', 'ms'),
      }),
      { description: 'Statements in the order that they ended; with `explain=true` alone.' },
    ),
  ),
};

const meta = {
  unit: Type.Optional(
    Type.String({ description: 'ms, bit/s, fraction, count, score, per minute.' }),
  ),
  measurement: Type.Optional(Type.String({ description: 'The measure answered.' })),
  aggregation: Type.Optional(
    Type.String({ description: 'What places a view in time: `view_end` or `view_start`.' }),
  ),
  granularity: Type.Optional(Type.String({ description: 'Length of a bucket.' })),
  complete_through: Type.Optional(
    nullable(
      Type.String({
        description:
          'ISO 8601 time. Every view that ended before it is in the figures; later ones may still come. Null before the first; not there where nothing is counted.',
      }),
    ),
  ),
  completeness: Type.Optional(
    numberOrNull(
      'Reports received over received and lost, of the views that take part: 1 is all. Null when no source numbers its reports.',
      'fraction',
    ),
  ),
  ...explained,
};

/** The envelope of every answer, with an example. `more`: what `meta` has beside what all have. */
export function envelopeOf(
  data: TSchema,
  description: string,
  example: AnswerExample,
  more: TProperties = {},
): TSchema {
  return Type.Object(
    {
      data,
      timeframe: Type.Array(integer('A bound.', 's since 1970'), {
        description: 'From (included) and to (excluded), seconds since 1970.',
      }),
      total_row_count: integerOrNull('Rows over all pages.', 'count'),
      meta: Type.Object({ ...meta, ...more }, { additionalProperties: true }),
    },
    { description, examples: [envelopeExample(example)] },
  );
}

/** Codes that every route behind the token guard can answer. */
const GUARD_CODES: readonly ApiErrorCode[] = [
  'token_missing',
  'token_unknown',
  'token_expired',
  'token_revoked',
  'scope_missing',
  'host_refused',
];
/** Codes of every route that asks the store. */
export const STORE_CODES: readonly ApiErrorCode[] = [
  'parameter_unknown',
  'parameter_invalid',
  'query_too_large',
  'query_failed',
  'query_queue_full',
  'store_unavailable',
  'query_timeout',
];

const ALL_ERRORS = { ...HTTP_ERRORS, ...API_ERRORS, ...STREAM_ERRORS };
type HttpErrorCode = keyof typeof HTTP_ERRORS;
type StreamErrorCode = keyof typeof STREAM_ERRORS;

/** Codes of every route with a body. */
export const BODY_CODES: readonly HttpErrorCode[] = [
  'body_malformed',
  'body_empty',
  'body_too_large',
  'type_unknown',
];

/** Answers of a route by status: its own, and problem details with the codes that each status can have. */
export function answers(
  ok: TSchema | undefined,
  codes: readonly (ApiErrorCode | HttpErrorCode | StreamErrorCode)[],
): Record<number, object> {
  return {
    ...(ok === undefined ? {} : { 200: ok }),
    ...problemAnswers(ALL_ERRORS, [...new Set([...GUARD_CODES, ...codes])]),
  };
}
