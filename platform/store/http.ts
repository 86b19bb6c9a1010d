/**
 * The engine as a server: configuration of the HTTP client, and the first contact.
 *
 * Guarantees: connections are kept alive, an answer's status is that of its end, and no message holds a password.
 */
import { readFileSync } from 'node:fs';
import {
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from '@clickhouse/client';
import { STORE_DEFAULTS, type StoreOptions } from './options.ts';
import { identifier, literal } from './sql.ts';

/** Settings of every request to a cluster. */
const CLUSTER_SETTINGS: ClickHouseSettings = {
  // An insert over all shards is passed on before it is answered, not kept on the node that took it.
  distributed_foreground_insert: 1,
  // A table that a query names inside another is read over all shards too.
  distributed_product_mode: 'global',
  skip_unavailable_shards: 0,
};

/** Rows shrink to a quarter at the lowest level; higher ones cost the processor more than they save the network. */
const GZIP_LEVEL = 1;

type HttpOptions = Omit<StoreOptions, 'url' | 'directory' | 'database'>;

/**
 * The client's configuration for a server. A path in the address is a proxy's, never the database.
 * @throws TypeError when `url` is not an http address, or the file of certificates cannot be read. The message does not
 * repeat the address: it may hold a password.
 */
export function httpConfig(
  url: string,
  database: string,
  options: HttpOptions,
): ClickHouseClientConfigOptions {
  const { readers, writers, compression } = { ...STORE_DEFAULTS, ...defined(options) };
  return {
    ...addressOf(url, options),
    ...tlsOf(options),
    database,
    application: 'streamgauge',
    request_timeout: options.requestTimeoutMs ?? STORE_DEFAULTS.requestTimeoutMs,
    max_open_connections: readers + writers,
    keep_alive: { enabled: true },
    compression: {
      request: compression ? { codec: 'gzip', level: GZIP_LEVEL } : false,
      response: compression,
    },
    // Long lists of values would not fit into a URL.
    use_multipart_params_auto: true,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      // The status of an answer is known only at its end; without this, a late error comes with a 200.
      wait_end_of_query: 1,
      cancel_http_readonly_queries_on_client_close: 1,
      ...(options.cluster === undefined ? {} : CLUSTER_SETTINGS),
    },
  };
}

/** Address without user and password, so that no message of the client can repeat them; these beside it. */
function addressOf(url: string, { user, password }: HttpOptions) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError('the ClickHouse address is not http://[user:password@]host:port');
  }
  const { pathname } = parsed;
  const credentials = {
    username: user ?? (decoded(parsed.username) || 'default'),
    password: password ?? decoded(parsed.password),
  };
  parsed.pathname = '';
  parsed.username = '';
  parsed.password = '';
  return { url: parsed.href, ...(pathname === '/' ? {} : { pathname }), ...credentials };
}

/** A text with a % that encodes nothing is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function tlsOf({ caFile }: HttpOptions) {
  if (caFile === undefined) return {};
  try {
    return { tls: { ca_cert: readFileSync(caFile) } };
  } catch (cause) {
    throw new TypeError(`the file of ClickHouse's certificates cannot be read: ${caFile}`, {
      cause,
    });
  }
}

function defined<Options extends object>(options: Options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as {
    [Name in keyof Options]?: Exclude<Options[Name], undefined>;
  };
}

/** Makes the database when it is missing. */
export async function createDatabaseOverHttp(url: string, options: StoreOptions): Promise<void> {
  const client = createClient(httpConfig(url, 'system', options));
  try {
    // Asked first, because a user who may use a database often may not create one.
    const found = await client.query({
      query: 'SELECT name FROM system.databases WHERE name = {name:String}',
      query_params: { name: options.database },
      format: 'JSONEachRow',
    });
    if ((await found.json()).length > 0) return;
    const on = options.cluster === undefined ? '' : ` ON CLUSTER ${literal(options.cluster)}`;
    await client.command({
      query: `CREATE DATABASE IF NOT EXISTS ${identifier(options.database)}${on}`,
    });
  } finally {
    await client.close();
  }
}
