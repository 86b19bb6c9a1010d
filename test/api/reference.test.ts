import fastify from 'fastify';
import Schema from 'typebox/schema';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApiCounters, QUERY_LIMITS, registerApi } from '../../api/api.ts';
import { API_ERRORS } from '../../api/errors.ts';
import { STREAM_ERRORS } from '../../api/monitoring/errors.ts';
import { HTTP_ERRORS, PROBLEM_TYPE } from '../../platform/http/problem.ts';
import { createRegistry } from '../../platform/metrics/registry.ts';
import { openProjects } from '../../platform/projects.ts';
import type { Store } from '../../platform/store/store.ts';
import { dimensionAliases, dimensions } from '../../schemas/catalogue/dimensions.ts';
import { intervalMetrics } from '../../schemas/catalogue/interval-metrics.ts';
import { measures, viewMetrics } from '../../schemas/catalogue/metrics.ts';
import { AUTHORIZATION } from './support/server.ts';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

interface Media {
  readonly schema: JsonSchema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Operation {
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description?: string;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, Media>> }>
  >;
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const now = (): number => 1_767_225_600_000;
const server = fastify();
/** Operations below /data/v1 by method and path. */
let operations: ReadonlyMap<string, Operation>;

beforeAll(async () => {
  await server.register(registerApi, {
    // What is asked here is refused before a store is.
    store: {} as Store,
    projects: openProjects({ file: '', host: '127.0.0.1', logger: silent, now }),
    now,
    logger: silent,
    limits: QUERY_LIMITS,
    hosts: [],
    counters: createApiCounters(),
    operators: { checks: [], registry: createRegistry() },
  });
  const { paths } = (await server.inject('/openapi.json')).json<{
    paths: Record<string, Record<string, Operation>>;
  }>();
  operations = new Map(
    Object.entries(paths)
      .filter(([path]) => path.startsWith('/data/v1/'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => [
          `${method.toUpperCase()} ${path.replace('/data/v1', '')}`,
          operation,
        ]),
      ),
  );
});

function operation(name: string): Operation {
  const found = operations.get(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** Answers in JSON with the statuses asked for, by where they stand. */
function jsonAnswers(statuses: readonly string[]): [where: string, media: Media][] {
  return [...operations].flatMap(([name, { responses }]) =>
    statuses.flatMap((status): [string, Media][] => {
      const media = responses[status]?.content?.['application/json'];
      return media === undefined ? [] : [[`${name} ${status}`, media]];
    }),
  );
}

/** What is wrong with the example of an answer; undefined when it is a value of its schema. */
function fault(media: Media): string | undefined {
  const example = media.example ?? media.schema.examples?.[0];
  if (example === undefined) return 'has no example';
  const [valid, errors] = Schema.Errors(media.schema as object, example);
  return valid ? undefined : JSON.stringify(errors);
}

/** Every schema in a schema, by where it stands. */
function within(schema: JsonSchema, where: string): [where: string, schema: JsonSchema][] {
  const { items, properties = {}, additionalProperties: others, anyOf = [], allOf = [] } = schema;
  const inner: [string, JsonSchema][] = [
    ...Object.entries(properties).map(([name, each]): [string, JsonSchema] => [
      `${where}.${name}`,
      each,
    ]),
    ...(items === undefined ? [] : [[`${where}[]`, items] as [string, JsonSchema]]),
    ...(typeof others === 'object' ? [[`${where}.*`, others] as [string, JsonSchema]] : []),
    ...[...anyOf, ...allOf].map((each): [string, JsonSchema] => [where, each]),
  ];
  return [[where, schema], ...inner.flatMap(([place, each]) => within(each, place))];
}

const isNumeric = ({ type }: JsonSchema): boolean => type === 'number' || type === 'integer';
const UNIT =
  /Unit: (ms|bit\/s|fraction|count|score|per minute|bytes|m?s since 1970|none|what `[\w.]+` names)\.$/;

describe('examples of the reference', () => {
  it('are there for every answer in JSON, and are values of their schemas', () => {
    const answers = jsonAnswers(['200', '201']);
    expect(answers.length).toBeGreaterThan(30);
    const faults = answers.map(([where, media]) => [where, fault(media)]);
    expect(faults.filter(([, wrong]) => wrong !== undefined)).toEqual([]);
  });

  it('are there for every route that is built', () => {
    const without = [...operations]
      .filter(([, { tags }]) => !tags.includes('Not available yet'))
      .filter(([, { responses }]) => !['200', '201', '204'].some((status) => status in responses));
    expect(without.map(([name]) => name)).toEqual([]);
  });

  it('of problems are there for each code, with its status', () => {
    const table: Readonly<Record<string, { readonly status: number }>> = {
      ...HTTP_ERRORS,
      ...API_ERRORS,
      ...STREAM_ERRORS,
    };
    const problems = [...operations.values()].flatMap(({ responses }) =>
      Object.entries(responses).flatMap(([status, { content }]) => {
        const media = content?.[PROBLEM_TYPE];
        return media === undefined ? [] : [[Number(status), media] as const];
      }),
    );
    expect(problems.length).toBeGreaterThan(100);
    for (const [status, { schema, examples = {} }] of problems) {
      expect(Object.keys(examples)).toEqual(schema.properties?.code?.enum);
      for (const [code, { value }] of Object.entries(examples)) {
        expect(value).toMatchObject({ code, status, type: `urn:streamgauge:problem:${code}` });
        expect(table[code]?.status).toBe(status);
        expect(Schema.Check(schema as object, value)).toBe(true);
      }
    }
  });
});

describe('numbers of the reference', () => {
  it('have their unit in the description, in answers, bodies and parameters', () => {
    const schemas = [...operations].flatMap(([name, { requestBody, responses, parameters }]) => [
      ...[...Object.values(responses), ...(requestBody === undefined ? [] : [requestBody])]
        .flatMap(({ content }) => Object.values(content ?? {}))
        .flatMap(({ schema }) => within(schema, name)),
      // A parameter's description stands beside its schema.
      ...(parameters ?? []).map(({ name: parameter, description = '', schema }) => {
        const named: [string, JsonSchema] = [`${name} ${parameter}`, { ...schema, description }];
        return named;
      }),
    ]);
    const numeric = schemas.filter(([, schema]) => isNumeric(schema));
    expect(numeric.length).toBeGreaterThan(500);
    const without = numeric.filter(([, { description }]) => !UNIT.test(description ?? ''));
    expect(without.map(([where]) => where)).toEqual([]);
  });
});

/** Values that the document lists for a parameter, or for the members of one that is a list. */
function listed(name: string, parameter: string): readonly string[] | undefined {
  const found = operation(name).parameters?.find((each) => each.name === parameter);
  return found?.schema.enum ?? found?.schema.items?.enum;
}

describe('names of the reference', () => {
  const ids = viewMetrics.map(({ id }) => id);
  const names = [...dimensions.map(({ name }) => name), ...Object.keys(dimensionAliases)];
  const interval = dimensions.filter((each) => each.interval).map(({ name }) => name);
  const attributes = ['video_source_bitrate', 'video_source_codec', 'playback_mode'];

  it.each([
    ['GET /metrics/{id}/overall', 'id', ids],
    ['GET /metrics/{id}/timeseries', 'id', ids],
    ['GET /metrics/{id}/breakdown', 'id', ids],
    ['GET /metrics/{id}/insights', 'id', ids],
    ['GET /metrics/{id}/overall', 'measurement', measures],
    ['GET /metrics/{id}/breakdown', 'group_by', names],
    ['GET /metrics/comparison', 'dimension', names],
    ['GET /dimensions/{id}', 'id', names],
    ['GET /filters/{id}', 'id', names],
    ['GET /monitoring/metrics/{id}/timeseries', 'id', intervalMetrics.map(({ id }) => id)],
    ['GET /monitoring/metrics/{id}/breakdown', 'dimension', interval],
    ['GET /monitoring/metrics/{id}/breakdown-timeseries', 'dimension', interval],
    [
      'GET /monitoring/metrics/{id}/histogram-timeseries',
      'id',
      intervalMetrics.filter(({ sketch }) => sketch !== undefined).map(({ id }) => id),
    ],
  ])('that %s takes as %s are listed', (name, parameter, values) => {
    expect(listed(name, parameter)).toEqual(values);
  });

  it('of subviews are listed too, with the attributes of spans', () => {
    const breakdown = 'GET /subview-metrics/{id}/{type}/breakdown';
    expect(listed(breakdown, 'id')).toContain('rebuffer_duration');
    expect(listed(breakdown, 'type')).toEqual(['rendition', 'playback_mode']);
    expect(listed(breakdown, 'group_by[]')).toEqual(expect.arrayContaining(attributes));
    const comparison = listed('GET /subview-metrics/{id}/{type}/comparison', 'dimension');
    expect(comparison).toEqual(expect.arrayContaining([...attributes, ...names]));
    const values = listed('GET /subview-metrics/{id}/dimensions/{name}', 'name');
    expect(values).toEqual(comparison);
  });

  it.each([
    ['/metrics/video_startup_tim/overall', 'metric_unknown', 'video_startup_time'],
    ['/metrics/views/breakdown?group_by=contry', 'dimension_unknown', 'country'],
    ['/metrics/views/overall?measurement=medan', 'parameter_invalid', 'count'],
    ['/metrics/comparison?dimension=contry&value=x', 'dimension_unknown', 'country'],
    ['/dimensions/contry', 'dimension_unknown', 'country'],
    ['/monitoring/metrics/current-bitrate/timeseries', 'metric_unknown', 'current-'],
    [
      '/monitoring/metrics/current-average-bitrate/breakdown?dimension=contry',
      'dimension_unknown',
      'country',
    ],
    ['/subview-metrics/playing_tim/rendition/overall', 'metric_unknown', 'playing_time'],
    ['/subview-metrics/playing_time/renditon/overall', 'parameter_invalid', 'rendition'],
    [
      '/subview-metrics/playing_time/rendition/breakdown?group_by[]=video_source_hight',
      'dimension_unknown',
      'video_source_height',
    ],
  ])('that do not exist are still answered with the nearest: %s', async (url, code, nearest) => {
    const response = await server.inject({
      url: `/data/v1${url}`,
      headers: { authorization: AUTHORIZATION, host: 'localhost' },
    });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code });
    expect(response.json<{ detail: string }>().detail).toContain(nearest);
  });
});
