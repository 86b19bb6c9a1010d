/**
 * What of a request may be printed.
 *
 * Guarantee: a key in a URL never reaches a log line, however its name is written. Headers are not printed at all:
 * Authorization and Referer carry keys too. Nor is the client's address.
 */

/** Query parameters whose values are secrets. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set(['key', 'secret', 'token', 'password']);

const HIDDEN = '***';

/** A URL, or a path with a query, without user info and without the values of secret parameters. */
export function redactUrl(url: string): string {
  const start = url.indexOf('?');
  const path = (start < 0 ? url : url.slice(0, start)).replace(/\/\/[^/?#@]*@/, '//');
  if (start < 0) return path;
  return `${path}?${url
    .slice(start + 1)
    .split(/([&;?#])/)
    .map(redactPair)
    .join('')}`;
}

function redactPair(pair: string): string {
  const equals = pair.indexOf('=');
  if (equals < 0) return pair;
  return isSecret(pair.slice(0, equals)) ? `${pair.slice(0, equals)}=${HIDDEN}` : pair;
}

/** A name that cannot be decoded counts as secret: nothing is printed that was not understood. */
function isSecret(name: string): boolean {
  try {
    return SECRET_PARAMETERS.has(
      decodeURIComponent(name.replaceAll('+', ' ')).trim().toLowerCase(),
    );
  } catch {
    return true;
  }
}

/** A request as it may be printed. A type, not an interface: fastify wants an index signature. */
export type PrintedRequest = {
  readonly method: string;
  readonly url: string;
  readonly host?: string;
};

/** The logger's serializer for `req`, for fastify's and for Node's requests. */
export function requestSerializer(request: {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly host?: string;
}): PrintedRequest {
  const printed = { method: request.method ?? '', url: redactUrl(request.url ?? '') };
  return request.host === undefined ? printed : { ...printed, host: request.host };
}

/** Serializers to give to fastify's logger: `logger: { serializers: logSerializers }`. */
export const logSerializers = { req: requestSerializer };
