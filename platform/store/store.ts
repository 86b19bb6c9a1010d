/**
 * The store: what was concluded. ClickHouse, embedded (chDB) or over HTTP, behind one interface.
 *
 * Writes and reads have connections of their own. The embedded engine takes writes one at a time, in the order they were
 * asked for; a server takes several side by side, so what must come after a write waits for its acknowledgement. Every
 * failure is a StoreError. Dates and times without a time zone of their own are UTC, in and out.
 */

/** Formats that a result can be had in as the engine writes it: rows of text, or a file. */
export type ResultFormat = 'CSV' | 'JSONEachRow' | 'Parquet';

/** A value bound to a `{name:Type}` placeholder; never spliced into SQL. */
export type QueryValue = string | number | boolean | null | readonly string[] | readonly number[];

/** What a query read of its tables, as the engine counts it. */
export interface QueryStatistics {
  readonly rows: number;
  readonly bytes: number;
}

export interface QueryOptions {
  readonly params?: Readonly<Record<string, QueryValue>>;
  /** Ends the query with `store_query_timeout` after this many ms, the time it waits for a connection included. */
  readonly timeoutMs?: number;
  /** Fails with `store_query_too_large` when the result has more rows. */
  readonly rowsMax?: number;
  /** Fails with `store_query_too_large` when the query needs more memory, bytes. */
  readonly memoryBytesMax?: number;
  /**
   * Gives the query up: the caller is answered at once with `store_query_failed`. A server stops a read; the embedded
   * engine cannot, and its connection stays busy until the query is done or out of time.
   */
  readonly signal?: AbortSignal;
  /**
   * Called once when a read has its rows, before the caller has them: with what it read, or undefined when the engine
   * does not tell. The embedded engine tells how many rows came out alone.
   */
  readonly onStatistics?: (read: QueryStatistics | undefined) => void;
}

export interface CommandOptions extends QueryOptions {
  /** As of an insert. A server runs a query on when its client is gone: only under this name is it found then. */
  readonly queryId?: string;
}

export interface InsertOptions {
  /** Column names in the order of the values in a row. Columns left out get their defaults. */
  readonly columns: readonly string[];
  /**
   * Deduplication token: a second insert with the same token is dropped by the engine, whatever its rows. Holds for the
   * last `non_replicated_deduplication_window` tokens of the table, a setting that is 0 unless the table says otherwise.
   */
  readonly token: string;
  /** Name under which a server knows the query, to find or kill it. The embedded engine's queries die with the process. */
  readonly queryId?: string;
}

export interface Store {
  /** Database that the tables live in. */
  readonly database: string;
  /**
   * Rows of a SELECT without a FORMAT clause, as objects. 64-bit integers come as numbers (exact below 2^53), times as
   * strings in UTC, not-a-number and infinity as null. `{name:Type}` in the SQL takes the value of `params`.
   * @throws StoreError `store_query_failed`, `store_query_timeout`, `store_query_too_large`, `store_unavailable`
   */
  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]>;
  /**
   * Rows of a SELECT without a FORMAT clause as RowBinary, on a reading connection: every value as the engine holds it,
   * strings byte for byte. All of it is in memory at once: ask for a range. Options and errors as of `query`.
   */
  queryBinary(sql: string, options?: QueryOptions): Promise<Buffer>;
  /**
   * Rows of a SELECT without a FORMAT clause as the engine writes them in `format`, byte for byte. CSV has no line of
   * names; Parquet is one whole file, also without rows. Settings of the format may stand in the statement. All of it is
   * in memory at once, of this process too when the engine is embedded: limit the rows. Options and errors as of `query`.
   */
  queryFormat(sql: string, format: ResultFormat, options?: QueryOptions): Promise<Buffer>;
  /** Rows of a SELECT on a writing connection: sees every insert that was acknowledged before. */
  queryOnWriter<Row>(sql: string, options?: QueryOptions): Promise<Row[]>;
  /** One statement without a result. Runs on a writing connection. Errors as of `query`. */
  command(sql: string, options?: CommandOptions): Promise<void>;
  /**
   * One insert of rows in RowBinary: one block, so one part in each table partition it touches, each whole or not at
   * all. Empty `rows` is no insert. `rows` must not change until the promise settles.
   * @throws StoreError `store_insert_failed` when the engine refused it, `store_unavailable` when no answer came. After
   * either, what the table holds is in doubt: some partitions, or all, may have their rows.
   */
  insert(table: string, rows: Uint8Array, options: InsertOptions): Promise<void>;
  /** Waits for work under way and waiting, then closes. Work asked for later fails with `store_closed`. */
  close(): Promise<void>;
}

/** What the store did since it was opened. */
export interface StoreCounters {
  /** Queries and statements asked for. */
  queries: number;
  queriesFailed: number;
  queriesTimedOut: number;
  queriesTooLarge: number;
  /** Reads that found `readsWaitingMax` others waiting. */
  queriesRefused: number;
  /** Inserts asked for, without empty ones. */
  inserts: number;
  insertsFailed: number;
  insertedBytes: number;
  /** Failures, of any kind of work, because the engine was not there. */
  unavailable: number;
}

/** A store as its owner has it. */
export interface OpenStore extends Store {
  readonly counters: Readonly<StoreCounters>;
  /** Reads without a connection now. */
  readonly readsWaiting: number;
}

export type StoreErrorCode =
  | 'store_unavailable'
  | 'store_query_failed'
  | 'store_query_timeout'
  | 'store_query_too_large'
  | 'store_insert_failed'
  | 'store_migration_changed'
  | 'store_newer_than_program'
  | 'store_closed';

/** An error of the store, with a stable code; `cause` is the engine's own. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
