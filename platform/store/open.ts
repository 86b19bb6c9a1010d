/** Opens the store: over HTTP, on a cluster, or on the embedded engine. */
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { ClickHouseStore, type Clients } from './clickhouse.ts';
import { ClusterStore } from './cluster.ts';
import { storeErrorOf } from './errors.ts';
import { createDatabaseOverHttp, httpConfig } from './http.ts';
import { STORE_DEFAULTS, type StoreOptions } from './options.ts';
import { identifier } from './sql.ts';
import type { OpenStore } from './store.ts';

/**
 * Opens the store, and creates its database.
 * @throws StoreError `store_unavailable` when the engine cannot be reached or the directory cannot be opened.
 * @throws TypeError when an option is wrong.
 */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  checkOptions(options);
  const clients = await openClients(options).catch((cause: unknown) => {
    throw storeErrorOf(cause, 'query');
  });
  const store = new ClickHouseStore(options, clients);
  if (options.cluster === undefined) return store;
  return new ClusterStore(store, options.cluster);
}

function checkOptions(options: StoreOptions): void {
  const { url, directory, database } = options;
  identifier(database);
  for (const name of ['readers', 'writers'] as const) {
    const count = options[name] ?? 1;
    if (!(Number.isInteger(count) && count >= 1)) throw new TypeError(`${name} must be 1 or more`);
  }
  if (options.cluster !== undefined && url === undefined)
    throw new TypeError('the embedded engine has no cluster');
  if (url !== undefined) httpConfig(url, database, options);
  else if (directory === undefined) throw new TypeError('a store needs a url or a directory');
}

async function openClients(options: StoreOptions): Promise<Clients> {
  const { url, directory = '', database, readers = STORE_DEFAULTS.readers } = options;
  if (url === undefined) return openEmbedded(directory, database, readers);
  await createDatabaseOverHttp(url, options);
  const client = createClient(httpConfig(url, database, options));
  const lanes = (length: number) => Array.from({ length }, () => client);
  return { writers: lanes(options.writers ?? STORE_DEFAULTS.writers), readers: lanes(readers) };
}

async function openEmbedded(
  directory: string,
  database: string,
  readers: number,
): Promise<Clients> {
  // Loaded here, because the engine is half a gigabyte that a process with a server does not need.
  const { EmbeddedConnection } = await import('./chdb.ts');
  const clients: ClickHouseClient[] = [];
  try {
    while (clients.length < readers + 1) {
      const connection = await EmbeddedConnection.open(directory, database);
      clients.push(createClient({ connection, log: { level: ClickHouseLogLevel.OFF } }));
    }
    return { writers: clients.slice(0, 1), readers: clients.slice(1) };
  } catch (cause) {
    for (const client of clients) await client.close();
    throw cause;
  }
}
