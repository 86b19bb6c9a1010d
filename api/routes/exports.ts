/** `/data/v1/exports/views`: the views themselves, as a file; without a format the list of the files of days. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Download, type DownloadDeps } from '../exports/download.ts';
import {
  acceptedFormat,
  EXPORT_FORMATS,
  type ExportFormat,
  FORMAT_SPECS,
} from '../exports/formats.ts';
import { type ExportDayRow, planEndDays } from '../exports/statements.ts';
import type { Timeframe } from '../parameters/timeframe.ts';
import type { Scope } from '../planner/scope.ts';
import { type ApiScope, envelope, type RouteDeps, readCompleteThrough, signalOf } from './deps.ts';
import { THROUGH } from './examples/envelope.ts';
import { integer } from './quantities.ts';
import { type ScopeQuery, scopeOf } from './questions.ts';
import * as schema from './schemas.ts';

export interface ExportRouteDeps extends RouteDeps, DownloadDeps {}

const DAY_MS = 86_400_000;
const LIST_DAYS = 7;
/** Of the columns of a file: it grows when a column changes its name or its meaning, not when one is added. */
const FILE_VERSION = 1;

const listData = Type.Array(
  Type.Object({
    export_date: Type.String({ description: 'Day on which the views ended, UTC.' }),
    files: Type.Array(
      Type.Object({
        path: Type.String({ description: 'Path on this server, with its query.' }),
        type: schema.choice(EXPORT_FORMATS, 'Format.'),
        version: integer('Version of the columns.', 'none'),
      }),
    ),
  }),
);

const CONTENT_TYPES = Object.values(FORMAT_SPECS).map(
  ({ contentType }) => contentType.split(';')[0],
);

const file = { schema: Type.String({ description: 'One view a row.' }) };

const exampleDays = {
  data: [
    {
      export_date: '2026-01-01',
      files: [
        {
          path: '/data/v1/exports/views?timeframe%5B%5D=2026-01-01&timeframe%5B%5D=2026-01-02&format=csv',
          type: 'csv',
          version: FILE_VERSION,
        },
      ],
    },
  ],
  rows: 1,
  meta: { complete_through: THROUGH },
};

/** What an answer may be. */
const CONTENT = {
  'application/json': {
    schema: schema.envelopeOf(listData, 'Days and their files.', exampleDays),
  },
  'text/csv': file,
  'application/x-ndjson': file,
  'application/vnd.apache.parquet': file,
};

export function registerExports(fastify: ApiScope, deps: ExportRouteDeps): void {
  const options = {
    // A HEAD would read every view to throw it away.
    exposeHeadRoute: false,
    schema: {
      tags: ['Exports'],
      summary: 'Views as a file, or the list of daily files',
      description:
        `With \`format\`, or an Accept header of ${CONTENT_TYPES.join(', ')}: all closed views that ended in the timeframe (default: 24:hours) and meet the filters, a row each. ` +
        `CSV and NDJSON are streamed; a Parquet file holds ${deps.limits.exportParquetRowsMax} views (exportParquetRowsMax). A file that ends with a broken connection is not whole. ` +
        `Without a format: the days that have such views, newest first, with a path to download each in each format; the timeframe is widened to whole days (default: the last ${LIST_DAYS}).`,
      querystring: schema.query({
        ...schema.timeframe,
        ...schema.filters,
        format: schema.choice(EXPORT_FORMATS, 'Format of the file; it goes before Accept.'),
      }),
      response: {
        ...schema.answers(undefined, [
          'metric_unknown',
          'dimension_unknown',
          ...schema.STORE_CODES,
        ]),
        200: { description: 'Days and their files, or a file.', content: CONTENT },
      },
    },
  };
  fastify.get('/exports/views', options, async (request, reply) => {
    const { query } = request;
    reply.header('vary', 'accept');
    const format = query.format ?? acceptedFormat(request.headers.accept);
    return format === undefined
      ? list(request, reply, query, deps)
      : download(request, reply, { query, format }, deps);
  });
}

async function download(
  request: FastifyRequest,
  reply: FastifyReply,
  { query, format }: { readonly query: ScopeQuery; readonly format: ExportFormat },
  deps: ExportRouteDeps,
): Promise<FastifyReply> {
  const scope = scopeOf(request, query, deps);
  return new Download({ scope, format, signal: signalOf(reply) }, deps).send(reply);
}

async function list(
  request: FastifyRequest,
  reply: FastifyReply,
  query: ScopeQuery,
  deps: ExportRouteDeps,
): Promise<object> {
  const asked = scopeOf(request, query, deps);
  const timeframe =
    query['timeframe[]'] === undefined ? lastDays(deps.now()) : wholeDays(asked.timeframe);
  const scope: Scope = { ...asked, timeframe };
  const signal = signalOf(reply);
  const through = await readCompleteThrough(deps, signal);
  const days = await deps.runner.run<ExportDayRow>(planEndDays(scope), signal);
  const path = request.routeOptions.url ?? '';
  const data = days.map(({ day }) => ({
    export_date: day,
    files: EXPORT_FORMATS.map((type) => ({
      path: `${path}?${fileQuery(query, day, type)}`,
      type,
      version: FILE_VERSION,
    })),
  }));
  return envelope(data, timeframe, data.length, { complete_through: through });
}

function lastDays(nowMs: number): Timeframe {
  const toMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  return { fromMs: toMs - LIST_DAYS * DAY_MS, toMs };
}

function wholeDays({ fromMs, toMs }: Timeframe): Timeframe {
  return {
    fromMs: Math.floor(fromMs / DAY_MS) * DAY_MS,
    toMs: Math.ceil(toMs / DAY_MS) * DAY_MS,
  };
}

/** The query that asks for the views of one day, those of the list's filters. */
function fileQuery(query: ScopeQuery, day: string, format: ExportFormat): string {
  const next = new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
  const pairs: [name: string, value: string][] = [
    ...[day, next].map((date): [string, string] => ['timeframe[]', date]),
    ...(query['filters[]'] ?? []).map((filter): [string, string] => ['filters[]', filter]),
    ...(query['metric_filters[]'] ?? []).map((filter): [string, string] => [
      'metric_filters[]',
      filter,
    ]),
    ['format', format],
  ];
  return new URLSearchParams(pairs).toString();
}
