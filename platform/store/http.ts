/**
 * The engine as a server: configuration of the HTTP client, and the first contact.
 *
 * Guarantees: connections are kept alive, requests are not compressed, and an answer's status is that of its end.
 */
import {
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client';
import { STORE_DEFAULTS, type StoreOptions } from './options.ts';
import { identifier } from './sql.ts';

/**
 * The client's configuration for a server. A path in the address is a proxy's, never the database.
 * @throws TypeError when `url` is not an http address. The message does not repeat it: it may hold a password.
 */
export function httpConfig(
  url: string,
  database: string,
  options: Pick<StoreOptions, 'readers' | 'requestTimeoutMs'>,
): ClickHouseClientConfigOptions {
  const { pathname, address } = splitPath(url);
  return {
    url: address,
    ...(pathname === '/' ? {} : { pathname }),
    database,
    application: 'streamgauge',
    request_timeout: options.requestTimeoutMs ?? STORE_DEFAULTS.requestTimeoutMs,
    max_open_connections: (options.readers ?? STORE_DEFAULTS.readers) + 1,
    keep_alive: { enabled: true },
    compression: { request: false, response: false },
    // Long lists of values would not fit into a URL.
    use_multipart_params_auto: true,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      // The status of an answer is known only at its end; without this, a late error comes with a 200.
      wait_end_of_query: 1,
      cancel_http_readonly_queries_on_client_close: 1,
    },
  };
}

function splitPath(url: string): { address: string; pathname: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError('the ClickHouse address is not http://[user:password@]host:port');
  }
  const { pathname } = parsed;
  parsed.pathname = '';
  return { address: parsed.href, pathname };
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
    await client.command({
      query: `CREATE DATABASE IF NOT EXISTS ${identifier(options.database)}`,
    });
  } finally {
    await client.close();
  }
}
