/**
 * The store over `@clickhouse/client`, the same code above an HTTP server and the embedded engine.
 *
 * Guarantees: embedded, writes run one at a time in the order they were asked for, and a read holds one connection of the
 * pool until the engine is done with it; settings of one query are never seen by another; every failure is a StoreError.
 */
import { Readable } from 'node:stream';
import {
  type ClickHouseClient,
  type ClickHouseSettings,
  drainStream,
  type ResponseHeaders,
} from '@clickhouse/client';
import { Deadline } from './deadline.ts';
import { type Attempt, storeErrorOf } from './errors.ts';
import { insertSettings, insertStatement } from './insert.ts';
import { Lanes } from './lanes.ts';
import { STORE_DEFAULTS, type StoreOptions } from './options.ts';
import {
  type CommandOptions,
  type InsertOptions,
  type OpenStore,
  type QueryOptions,
  type QueryStatistics,
  type ResultFormat,
  type StoreCounters,
  StoreError,
} from './store.ts';

/** Connections by what they are for. Over HTTP all are the one client, which has a socket for each. */
export interface Clients {
  readonly writers: readonly ClickHouseClient[];
  readonly readers: readonly ClickHouseClient[];
}

/** Settings of every request: they make rows the same from every engine, whatever its profile and time zone. */
const COMMON_SETTINGS: ClickHouseSettings = {
  session_timezone: 'UTC',
  date_time_output_format: 'simple',
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 0,
  output_format_json_quote_decimals: 0,
};

/**
 * Of every read from a server, which stops a read whose client is gone only when it may do nothing else. 2 and not 1,
 * because with 1 no other setting could be sent. The embedded engine would keep it for the next statement.
 */
const READ_SETTINGS: ClickHouseSettings = { readonly: '2' };

export class ClickHouseStore implements OpenStore {
  readonly database: string;
  readonly counters: StoreCounters = {
    queries: 0,
    queriesFailed: 0,
    queriesTimedOut: 0,
    queriesTooLarge: 0,
    queriesRefused: 0,
    inserts: 0,
    insertsFailed: 0,
    insertedBytes: 0,
    unavailable: 0,
  };
  readonly #clients: Clients;
  readonly #writers: Lanes<ClickHouseClient>;
  readonly #readers: Lanes<ClickHouseClient>;
  readonly #readsWaitingMax: number;
  readonly #readSettings: ClickHouseSettings;
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions, clients: Clients) {
    this.database = options.database;
    this.#clients = clients;
    this.#writers = new Lanes(clients.writers);
    this.#readers = new Lanes(clients.readers);
    this.#readSettings = options.url === undefined ? {} : READ_SETTINGS;
    this.#readsWaitingMax = options.readsWaitingMax ?? STORE_DEFAULTS.readsWaitingMax;
  }

  get readsWaiting(): number {
    return this.#readers.waiting;
  }

  async query<Row>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    this.#refuseWhenCrowded();
    return this.#rows<Row>(this.#readers, sql, options);
  }

  async queryBinary(sql: string, options: QueryOptions = {}): Promise<Buffer> {
    return this.#bytes(inFormat(sql, 'RowBinary'), options);
  }

  async queryFormat(
    sql: string,
    format: ResultFormat,
    options: QueryOptions = {},
  ): Promise<Buffer> {
    return this.#bytes(inFormat(sql, format), options);
  }

  async #bytes(query: string, options: QueryOptions): Promise<Buffer> {
    this.#refuseWhenCrowded();
    return this.#read(this.#readers, options, async (client, request) => {
      const { stream, response_headers } = await client.exec({ query, ...request });
      const bytes = await bytesOf(stream);
      options.onStatistics?.(statisticsOf(response_headers));
      return bytes;
    });
  }

  async queryOnWriter<Row>(sql: string, options: QueryOptions = {}): Promise<Row[]> {
    return this.#rows<Row>(this.#writers, sql, options);
  }

  async command(sql: string, options: CommandOptions = {}): Promise<void> {
    await this.#ask(this.#writers, options, async (client, request) => {
      await client.command({ query: sql, ...request, ...named(options) });
    });
  }

  async insert(table: string, rows: Uint8Array, options: InsertOptions): Promise<void> {
    if (rows.byteLength === 0) return;
    const query = insertStatement(this.database, table, options);
    const settings = { ...COMMON_SETTINGS, ...insertSettings(options) };
    const body = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
    this.#refuseWhenClosed();
    this.counters.inserts += 1;
    const task = this.#writers.use(async (client) => {
      const { stream } = await client.exec({
        query,
        values: Readable.from([body], { objectMode: false }),
        clickhouse_settings: settings,
        ...named(options),
      });
      await drainStream(stream);
    });
    await task.catch((cause: unknown) => {
      throw this.#counted(cause, 'insert');
    });
    this.counters.insertedBytes += rows.byteLength;
  }

  close(): Promise<void> {
    this.#closing ??= this.#drainAndClose();
    return this.#closing;
  }

  async #drainAndClose(): Promise<void> {
    await Promise.all([this.#writers.idle(), this.#readers.idle()]);
    const { writers, readers } = this.#clients;
    for (const client of new Set([...writers, ...readers])) await client.close();
  }

  #rows<Row>(lanes: Lanes<ClickHouseClient>, sql: string, options: QueryOptions): Promise<Row[]> {
    return this.#read(lanes, options, async (client, request) => {
      const result = await client.query({ query: sql, format: 'JSONEachRow', ...request });
      const rows = rowsOf<Row>(await result.text());
      options.onStatistics?.(statisticsOf(result.response_headers));
      return rows;
    });
  }

  #read<Result>(
    lanes: Lanes<ClickHouseClient>,
    options: QueryOptions,
    work: (client: ClickHouseClient, request: Request) => Promise<Result>,
  ): Promise<Result> {
    return this.#ask(lanes, options, (client, request) => {
      const settings = { ...request.clickhouse_settings, ...this.#readSettings };
      return work(client, { ...request, clickhouse_settings: settings });
    });
  }

  async #ask<Result>(
    lanes: Lanes<ClickHouseClient>,
    options: QueryOptions,
    work: (client: ClickHouseClient, request: Request) => Promise<Result>,
  ): Promise<Result> {
    this.#refuseWhenClosed();
    this.counters.queries += 1;
    const deadline = new Deadline(options);
    const task = lanes.use((client) => {
      deadline.signal.throwIfAborted();
      return work(client, requestOf(options, deadline));
    });
    try {
      return await deadline.settle(task);
    } catch (cause) {
      throw this.#counted(deadline.signal.aborted ? deadline.signal.reason : cause, 'query');
    }
  }

  #refuseWhenCrowded(): void {
    if (this.#readers.waiting < this.#readsWaitingMax) return;
    this.counters.queriesRefused += 1;
    throw new StoreError(
      'store_unavailable',
      `${this.#readsWaitingMax} queries wait already; ask again later`,
    );
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) {
      throw new StoreError('store_closed', 'the store is closed; nothing can be asked of it');
    }
  }

  #counted(cause: unknown, attempt: Attempt): StoreError {
    const error = storeErrorOf(cause, attempt);
    if (error.code === 'store_unavailable') this.counters.unavailable += 1;
    if (attempt === 'insert') this.counters.insertsFailed += 1;
    else if (error.code === 'store_query_timeout') this.counters.queriesTimedOut += 1;
    else if (error.code === 'store_query_too_large') this.counters.queriesTooLarge += 1;
    else this.counters.queriesFailed += 1;
    return error;
  }
}

function named({ queryId }: { readonly queryId?: string }): { query_id?: string } {
  return queryId === undefined ? {} : { query_id: queryId };
}

interface Request {
  readonly query_params: Record<string, unknown>;
  readonly clickhouse_settings: ClickHouseSettings;
  readonly abort_signal: AbortSignal;
}

function requestOf(options: QueryOptions, deadline: Deadline): Request {
  const settings: ClickHouseSettings = { ...COMMON_SETTINGS };
  const remainingMs = deadline.remainingMs();
  if (remainingMs !== undefined) {
    settings.max_execution_time = remainingMs / 1000;
    settings.timeout_overflow_mode = 'throw';
  }
  if (options.rowsMax !== undefined) {
    settings.max_result_rows = String(options.rowsMax);
    settings.result_overflow_mode = 'throw';
  }
  if (options.memoryBytesMax !== undefined) {
    settings.max_memory_usage = String(options.memoryBytesMax);
  }
  return {
    query_params: { ...options.params },
    clickhouse_settings: settings,
    abort_signal: deadline.signal,
  };
}

/** A server counts to the end of a query in this header, because it answers at the end. An old one may leave it out. */
function statisticsOf(headers: ResponseHeaders): QueryStatistics | undefined {
  const summary = headers['x-clickhouse-summary'];
  if (typeof summary !== 'string') return undefined;
  const { read_rows, read_bytes } = JSON.parse(summary) as Record<string, string | undefined>;
  if (read_rows === undefined || read_bytes === undefined) return undefined;
  return { rows: Number(read_rows), bytes: Number(read_bytes) };
}

/** Rows of JSONEachRow. No newline stands inside a row, and one parse of all is twice as fast as one for each. */
function rowsOf<Row>(text: string): Row[] {
  return JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Row[];
}

/** The client appends a format of its own only to queries whose rows it parses. The newline ends a last comment. */
function inFormat(sql: string, format: ResultFormat | 'RowBinary'): string {
  return `${sql.replace(/[\s;]+$/, '')}\nFORMAT ${format}`;
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const [first] = chunks;
  // The embedded engine's answer is one piece, and may be large: it is not copied.
  if (first !== undefined && chunks.length === 1) {
    return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  }
  return Buffer.concat(chunks);
}
