/**
 * The document that describes a process's routes (OpenAPI 3.1), made from the routes themselves.
 *
 * Register it before the routes that it shall describe. A server that has its own `@fastify/swagger` keeps it, and all
 * its routes are in the document.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { type ErrorTable, PROBLEM_TYPE } from './problem.ts';

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
  });
}

const problem = {
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'What is wrong, and what to do.' }),
  code: Type.String({ description: 'Stable code.' }),
};

/** Problem details by status, each with the codes of a table that have it: responses of a route's schema. */
export function problemAnswers<Table extends ErrorTable>(
  table: Table,
  codes: readonly (keyof Table & string)[],
): Record<number, object> {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const status = table[code]?.status ?? 500;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const answers = [...byStatus].map(([status, found]) => [status, problemAnswer(found)] as const);
  return Object.fromEntries(answers);
}

/** The answer of one status: problem details with one of these codes. */
export function problemAnswer(codes: readonly string[]): object {
  const schema: TSchema = Type.Object({ ...problem, code: Type.Enum([...codes]) });
  return {
    description: `Problem details (RFC 9457): ${codes.join(', ')}.`,
    content: { [PROBLEM_TYPE]: { schema } },
  };
}
