/**
 * Names of the query's parameters.
 *
 * Guarantee: a parameter that the route does not have is refused with the nearest one it has, never ignored. A list may
 * be written `filters[]=…` or `filters=…`; handlers see only the first.
 */
import type { FastifyRequest } from 'fastify';
import { nearestHint } from '../../platform/nearest.ts';
import { refuse } from '../errors.ts';
import { shown } from './names.ts';

type Query = Record<string, unknown>;

/** A preValidation hook: checks the names against the schema of the route. */
export async function checkQueryNames(request: FastifyRequest): Promise<void> {
  const schema = request.routeOptions.schema?.querystring as
    | { readonly properties?: object }
    | undefined;
  if (schema === undefined) return;
  request.query = withKnownNames(request.query as Query, Object.keys(schema.properties ?? {}));
}

/** A preValidation hook: refuses fields of a body that the route does not have; the validator would leave them out. */
export async function checkBodyNames({ routeOptions, body }: FastifyRequest): Promise<void> {
  const schema = routeOptions.schema?.body as { readonly properties?: object } | undefined;
  if (schema === undefined || typeof body !== 'object' || body === null) return;
  const names = Object.keys(schema.properties ?? {});
  const strange = Object.keys(body).find((name) => !names.includes(name));
  if (strange === undefined) return;
  const detail = `there is no field ${shown(strange)}${nearestHint(strange, names)}`;
  throw refuse('parameter_unknown', { detail });
}

/** The query under the names of the schema. @throws ProblemError `parameter_unknown`. */
export function withKnownNames(query: Query, names: readonly string[]): Query {
  const known: Query = {};
  for (const [name, value] of Object.entries(query)) {
    const list = `${name}[]`;
    const canonical = names.includes(list) ? list : name;
    if (!names.includes(canonical)) throw unknown(name, names);
    known[canonical] = canonical in known ? [known[canonical], value].flat() : value;
  }
  return known;
}

function unknown(name: string, names: readonly string[]): Error {
  const detail =
    names.length === 0
      ? `this route takes no parameter, and none named ${shown(name)}`
      : `there is no parameter ${shown(name)}${nearestHint(name, names)}`;
  return refuse('parameter_unknown', { detail });
}

interface SchemaComplaint {
  readonly instancePath: string;
  readonly keyword?: string;
  readonly message?: string | undefined;
  readonly params?: object;
}

/** A schema's complaint as a problem that names the parameter. */
export function complaint(errors: readonly SchemaComplaint[]): Error {
  const [first] = errors;
  const params = (first?.params ?? {}) as { allowedValues?: unknown; missingProperty?: unknown };
  const name = (first?.instancePath ?? '').slice(1) || String(params.missingProperty ?? 'query');
  const wish = Array.isArray(params.allowedValues)
    ? `must be one of ${params.allowedValues.join(', ')}`
    : params.missingProperty === undefined
      ? (first?.message ?? 'is not valid')
      : 'is needed';
  return refuse('parameter_invalid', { detail: `${name} ${wish}` });
}
