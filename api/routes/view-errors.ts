/** `/data/v1/errors`: which errors views ended up with, how often, and what such an error said. */
import Type, { type TSchema } from 'typebox';
import type { Page } from '../planner/breakdown.ts';
import {
  type ErrorEventRow,
  type ErrorRow,
  planErrorEvents,
  planErrors,
} from '../planner/errors.ts';
import { errorId } from '../views/error-id.ts';
import { errorMessage } from '../views/timeline.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import { errors } from './examples/metrics.ts';
import { integer, integerOrNull, number } from './quantities.ts';
import { askPage, pageOf, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

const nullable = <Schema extends TSchema>(inner: Schema) => Type.Union([inner, Type.Null()]);

const errorsData = Type.Array(
  Type.Object({
    id: integer('Stands for the code, the same in every answer.', 'none'),
    code: integerOrNull('The code, where it is a whole number.', 'none'),
    player_error_code: Type.String({ description: 'The code.' }),
    message: nullable(
      Type.String({ description: 'Of the view that had it last; null when none was said.' }),
    ),
    description: nullable(Type.String({ description: 'Always null.' })),
    notes: nullable(Type.String({ description: 'Always null.' })),
    count: integer('Views whose last error that counted has the code.', 'count'),
    percentage: number('Their share of all closed views of the scope.', 'fraction'),
    last_seen: Type.String({ description: 'End of the last of them, ISO 8601.' }),
  }),
);

export function registerErrors(fastify: ApiScope, deps: RouteDeps): void {
  const options = {
    config: { answersFrom: ['views', 'view_events'] },
    schema: {
      tags: ['Errors'],
      summary: 'Errors by code',
      description:
        'Closed views by the code of their last error that counted, most first; placed by their end. Errors without a code are in the metrics alone.',
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        ...schema.paging(deps.limits),
        ...schema.explain,
      }),
      response: schema.answers(schema.envelopeOf(errorsData, 'A page of errors.', errors), [
        'metric_unknown',
        'dimension_unknown',
        ...schema.STORE_CODES,
      ]),
    },
  };
  fastify.get('/errors', options, async (request, reply) => {
    const scope = scopeOf(request, request.query, deps);
    const page = pageOf(request.query, deps.limits);
    const signal = signalOf(reply);
    const through = await readCompleteThrough(deps, signal);
    const ask = (wanted: Page): Promise<ErrorRow[]> =>
      deps.runner.run<ErrorRow>(planErrors(scope, wanted), signal);
    const [rows, first] = await askPage(ask, page);
    const events =
      rows.length === 0
        ? []
        : await deps.runner.run<ErrorEventRow>(planErrorEvents(scope.project, rows), signal);
    const data = rows.map((row) => errorItem(row, events));
    const meta = { aggregation: 'view_end', complete_through: through };
    return envelope(data, scope.timeframe, first?.total_rows ?? 0, meta);
  });
}

function errorItem(row: ErrorRow, events: readonly ErrorEventRow[]): object {
  const message = events
    .filter(({ view_id }) => view_id === row.view_id)
    .map((event) => errorMessage(event, row.code))
    .find((text) => text !== undefined);
  return {
    id: errorId(row.code),
    code: /^-?\d{1,15}$/.test(row.code) ? Number(row.code) : null,
    player_error_code: row.code,
    message: message ?? null,
    description: null,
    notes: null,
    count: row.count,
    percentage: row.all_views === 0 ? 0 : row.count / row.all_views,
    last_seen: new Date(row.last_seen_ms).toISOString(),
  };
}
