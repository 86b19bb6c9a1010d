/** One HTTP request to ClickHouse, read: who asks, for what, with which values and settings. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { Exception } from './exception.ts';
import { isRead, type Statement, statementOf, withFormat } from './statement.ts';

export interface FrontRequest extends Statement {
  readonly queryId: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly params: ReadonlyMap<string, string>;
  /** How the body came: gzip, or as it is. */
  readonly encoding: string | undefined;
  /** The answer is to be gzip. */
  readonly compressed: boolean;
}

/** Parameters of the address that are no settings of the query. */
const NO_SETTINGS = new Set([
  ...['query', 'database', 'user', 'password', 'query_id', 'default_format', 'quota_key', 'role'],
  ...['wait_end_of_query', 'buffer_size', 'compress', 'decompress', 'stacktrace', 'session_id'],
  ...['session_timeout', 'session_check', 'close_session', 'enable_http_compression'],
  // Told to the front alone: the engine's connection would keep it.
  'readonly',
]);

/** @throws Exception when it cannot be understood, Error when its body never ended. */
export async function readRequest(message: IncomingMessage): Promise<FrontRequest> {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const fields = new Map(url.searchParams);
  const body = await bodyOf(message, fields);
  const { user, password } = credentials(message, fields);
  const statement = statementOf(fields.get('query') ?? '', body);
  const readonly = message.method === 'GET' || (fields.get('readonly') ?? '0') !== '0';
  if (readonly && !isRead(statement.text)) {
    throw new Exception(164, 'READONLY', 'Cannot execute query in readonly mode.');
  }
  const accepted = String(message.headers['accept-encoding'] ?? '');
  return {
    ...statement,
    text: withFormat(statement.text, fields.get('default_format') ?? 'TabSeparated'),
    queryId: fields.get('query_id') || header(message, 'x-clickhouse-query-id') || randomUUID(),
    user,
    password,
    database: fields.get('database') || header(message, 'x-clickhouse-database') || 'default',
    settings: Object.fromEntries([...fields].filter(([name]) => isSetting(name))),
    params: new Map(
      [...fields]
        .filter(([name]) => name.startsWith('param_'))
        .map(([name, value]) => [name.slice('param_'.length), value]),
    ),
    encoding: header(message, 'content-encoding'),
    compressed: fields.get('enable_http_compression') === '1' && accepted.includes('gzip'),
  };
}

function isSetting(name: string): boolean {
  return !name.startsWith('param_') && !NO_SETTINGS.has(name);
}

function header(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The body; the fields of a form are put among those of the address instead. */
async function bodyOf(message: IncomingMessage, fields: Map<string, string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  if (!message.complete) throw new Error('the request was cut');
  const body = await decompressed(Buffer.concat(chunks), header(message, 'content-encoding'));
  const type = header(message, 'content-type') ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': type },
  }).formData();
  for (const [name, value] of form) fields.set(name, String(value));
  return Buffer.alloc(0);
}

async function decompressed(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  try {
    if (encoding === 'gzip') return await promisify(gunzip)(body);
    if (encoding === 'deflate') return await promisify(inflate)(body);
    if (encoding === 'br') return await promisify(brotliDecompress)(body);
  } catch (cause) {
    throw new Exception(354, 'ZLIB_INFLATE_FAILED', `the body cannot be decompressed: ${cause}`);
  }
  if (encoding === undefined || encoding === 'identity') return body;
  throw new Exception(89, 'UNKNOWN_COMPRESSION_METHOD', `Unknown compression method ${encoding}`);
}

function credentials(message: IncomingMessage, fields: ReadonlyMap<string, string>) {
  const user = header(message, 'x-clickhouse-user');
  const key = header(message, 'x-clickhouse-key');
  if (user !== undefined || key !== undefined) {
    return { user: user ?? 'default', password: key ?? '' };
  }
  const basic = /^Basic (.+)$/i.exec(message.headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const [name = '', ...password] = Buffer.from(basic, 'base64').toString().split(':');
    return { user: name || 'default', password: password.join(':') };
  }
  return { user: fields.get('user') ?? 'default', password: fields.get('password') ?? '' };
}
