/**
 * The document that describes a process's routes (OpenAPI 3.1), made from the routes themselves.
 *
 * Register it before the routes that it shall describe. A server that has its own `@fastify/swagger` keeps it, and all
 * its routes are in the document.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { type ErrorTable, PROBLEM_TYPE, ProblemError, problemBody } from './problem.ts';

export const REFERENCE_TITLE = 'Streamgauge';
const DESCRIPTION = `Quality of streaming, measured by players and by edges.

Questions go to \`/data/v1\` with a read token by HTTP Basic (id and secret). The shape is that of Mux Data, so its client
libraries work with another base URL. Times are ms, bitrates bit/s, shares fractions from 0 to 1, scores out of 100;
\`meta.unit\` names the unit of an answer. \`meta.complete_through\` says until when figures are complete,
\`meta.completeness\` how many reports of the views arrived.

Telemetry goes to \`/v1\` with a write key, as \`Authorization: Bearer KEY\` or \`?key=KEY\`. An answer of 2xx means that the
log has it on disk.

Errors are problem details (RFC 9457) with a stable \`code\`.`;

export async function registerReference(fastify: FastifyInstance): Promise<void> {
  if (fastify.hasDecorator('swagger')) return;
  await fastify.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: REFERENCE_TITLE, description: DESCRIPTION, version: '1' },
      components: {
        securitySchemes: {
          readToken: { type: 'http', scheme: 'basic' },
          writeKey: { type: 'http', scheme: 'bearer' },
          writeKeyInUrl: { type: 'apiKey', in: 'query', name: 'key' },
        },
      },
    },
    transform: ({ schema, url }) => ({ schema: withKnownValues(schema), url }),
  });
}

/** Under it a parameter's schema holds the values that the document lists. Validators do not see it. */
const KNOWN = Symbol('known values');

/**
 * Options of a text parameter: the document says that it is one of `values`, and the route itself checks it, so that a
 * wrong one is answered with the nearest that there is.
 */
export function known(values: readonly string[]): TSchemaOptions {
  return { [KNOWN]: values };
}

type Properties = Readonly<Record<string, KnownSchema>>;
interface KnownSchema {
  readonly [KNOWN]?: readonly string[];
  readonly items?: KnownSchema;
  readonly properties?: Properties;
}

/** A route's schema as the document has it. */
function withKnownValues(schema: FastifySchema): FastifySchema {
  // A route without a schema has none here either, whatever its type says.
  if (!schema) return schema;
  const { params, querystring } = schema as { params?: KnownSchema; querystring?: KnownSchema };
  return {
    ...schema,
    ...(params === undefined ? {} : { params: listed(params) }),
    ...(querystring === undefined ? {} : { querystring: listed(querystring) }),
  };
}

/** The schema of an object, a list or a text with the values of its texts as `enum`. */
function listed(schema: KnownSchema): object {
  const { [KNOWN]: values, items, properties } = schema;
  const named = Object.entries(properties ?? {}).map(([name, each]) => [name, listed(each)]);
  return {
    ...schema,
    ...(values === undefined ? {} : { enum: [...values] }),
    ...(items === undefined ? {} : { items: listed(items) }),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(named) }),
  };
}

const problem = {
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ description: 'HTTP status. Unit: none.' }),
  detail: Type.String({ description: 'What is wrong, and what to do.' }),
  code: Type.String({ description: 'Stable code.' }),
};

/** Problem details by status, each with the codes of a table that have it: responses of a route's schema. */
export function problemAnswers<Table extends ErrorTable>(
  table: Table,
  codes: readonly (keyof Table & string)[],
): Record<number, object> {
  const byStatus = new Map<number, (keyof Table & string)[]>();
  for (const code of codes) {
    const status = table[code]?.status ?? 500;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const answers = [...byStatus].map(
    ([status, found]) => [status, problemAnswer(table, status, found)] as const,
  );
  return Object.fromEntries(answers);
}

/** The answer of one status: problem details with one of these codes, and an example of each. */
export function problemAnswer<Table extends ErrorTable>(
  table: Table,
  status: number,
  codes: readonly (keyof Table & string)[],
): object {
  const schema: TSchema = Type.Object({ ...problem, code: Type.Enum([...codes]) });
  const examples = codes.flatMap((code) => {
    const spec = table[code];
    if (spec === undefined) return [];
    const value = problemBody(new ProblemError(code, { ...spec, status }));
    return [[code, { summary: spec.title, value }]];
  });
  return {
    description: `Problem details (RFC 9457): ${codes.join(', ')}.`,
    content: { [PROBLEM_TYPE]: { schema, examples: Object.fromEntries(examples) } },
  };
}
