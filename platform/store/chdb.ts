/**
 * The embedded engine: chDB behind the connection contract of `@clickhouse/client`.
 *
 * chdb's own adapter (3.4) is not used. It turns insert bodies into UTF-8 text, leaves settings behind on the connection,
 * binds the parameters of all connections one query at a time, and the engine puts what a failed query had written in
 * front of the next result. Guarantees here, as over HTTP: a query has exactly the settings and parameters it asks for
 * and gets its own rows only, and an insert's bytes arrive as they are. A connection runs one request at a time; its
 * owner sees to that.
 *
 * An insert's body goes through a file. Behind its statement the engine would take it for text that ends at an empty
 * line: two newline bytes in a number would cut the rows, and what follows them would run as SQL.
 *
 * An abort signal is ignored: the engine cannot cancel. Query ids are ignored too: the query dies with this process.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { type ClickHouseClientConfigOptions, parseError } from '@clickhouse/client';
import { Session } from 'chdb';
import { identifier, literal, parameterText, settingLiteral } from './sql.ts';
import { type QueryValue, StoreError } from './store.ts';

type Connection = NonNullable<ClickHouseClientConfigOptions['connection']>;
type QueryRequest = Parameters<Connection['query']>[0];
type ExecRequest = Parameters<Connection['exec']>[0];
type InsertRequest = Parameters<Connection['insert']>[0];
type Answer = Awaited<ReturnType<Connection['exec']>>;

/** Longest statement with its bound values, bytes. Over HTTP values do not count, so the engine's 256 KiB is too few. */
export const STATEMENT_BYTES_MAX = 16 * 1024 * 1024;

const SUMMARY = {
  read_rows: '0',
  read_bytes: '0',
  written_rows: '0',
  written_bytes: '0',
  result_rows: '0',
  result_bytes: '0',
  total_rows_to_read: '0',
  elapsed_ns: '0',
};

/** Bodies of inserts that run. A file that a crash left is overwritten by a later process, or lies there unread. */
const BODIES = 'insert-bodies';
let connections = 0;

/** One connection to the engine of a directory. A process has one directory; it can have many connections to it. */
export class EmbeddedConnection implements Connection {
  readonly #session: Session;
  readonly #bodyFile: string;
  /** Settings as they stand on the connection; undefined when a failure left that unknown. */
  readonly #settings = new Map<string, string | undefined>();
  readonly #parameters = new Set<string>();
  #dirty = false;

  private constructor(session: Session, bodyFile: string) {
    this.#session = session;
    this.#bodyFile = bodyFile;
  }

  /**
   * Opens a connection whose unqualified names are the database's; creates the directory and the database. Arguments of
   * the engine, as of its command line, are those of the first connection.
   * @throws StoreError `store_unavailable` when the directory cannot be opened.
   */
  static async open(
    directory: string,
    database: string,
    connectionArgs: readonly string[] = [],
  ): Promise<EmbeddedConnection> {
    const path = resolve(directory);
    // The engine would read the name of a body's file as a pattern.
    if (/[*?{}]/.test(path)) {
      throw new StoreError('store_unavailable', `a data directory has no * ? { } in it: ${path}`);
    }
    await mkdir(join(path, BODIES), { recursive: true, mode: 0o700 });
    connections += 1;
    const bodyFile = join(path, BODIES, `${connections}.rowbinary`);
    const connection = new EmbeddedConnection(openSession(path, connectionArgs), bodyFile);
    await connection.#ask(`SET max_query_size = ${STATEMENT_BYTES_MAX}`);
    await connection.#ask(`CREATE DATABASE IF NOT EXISTS ${identifier(database)}`);
    await connection.#ask(`USE ${identifier(database)}`);
    return connection;
  }

  async query(request: QueryRequest): Promise<Answer> {
    const run = () => this.#ask(this.#preamble(request) + request.query);
    const bytes = await this.#guarded(request, run);
    return answer(request, bytes);
  }

  command(request: QueryRequest): Promise<Answer> {
    return this.query(request);
  }

  /** A statement with a body is `INSERT INTO … FORMAT …`, the body its rows. */
  async exec(request: ExecRequest): Promise<Answer> {
    const { values } = request;
    if (values === undefined) return this.query(request);
    const statement = fromFile(request.query, this.#bodyFile);
    try {
      await writeFile(this.#bodyFile, await bytesOf(values), { mode: 0o600 });
      return await this.query({ ...request, query: statement });
    } finally {
      await rm(this.#bodyFile, { force: true });
    }
  }

  insert(request: InsertRequest): Promise<Answer> {
    const { values } = request;
    return this.exec({
      ...request,
      values: typeof values === 'string' ? Readable.from([Buffer.from(values)]) : values,
    });
  }

  async ping(): Promise<{ success: true } | { success: false; error: Error }> {
    try {
      await this.#ask('SELECT 1');
      return { success: true };
    } catch (cause) {
      return { success: false, error: cause instanceof Error ? cause : new Error(String(cause)) };
    }
  }

  /** Call it only when nothing runs on the connection: closing a busy one aborts the engine of the whole process. */
  async close(): Promise<void> {
    this.#session.close();
  }

  async #ask(sql: string): Promise<Uint8Array> {
    return (await this.#session.queryAsync(sql, { format: 'JSONEachRow' })).bytes();
  }

  /** Runs a request and, when it fails, brings the connection back to a known state before anyone hears of it. */
  async #guarded(request: QueryRequest, run: () => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      if (this.#dirty) await this.#discardOutput();
      return await run();
    } catch (cause) {
      for (const name of this.#settings.keys()) this.#settings.set(name, undefined);
      this.#dirty = true;
      // When this fails too, the next request tries again, and fails with its error.
      await this.#discardOutput().catch(() => {});
      throw engineError(cause);
    } finally {
      for (const name of Object.keys(request.query_params ?? {})) this.#parameters.add(name);
    }
  }

  /** What a failed query had written before it failed comes out with the next answer; this is that answer. */
  async #discardOutput(): Promise<void> {
    await this.#ask('SELECT 1 FORMAT Null');
    this.#dirty = false;
  }

  /** The statement that gives the connection this request's settings and parameters, and takes back all others. */
  #preamble(request: QueryRequest): string {
    this.#refuseStale(request);
    const changes = this.#settingChanges(request.clickhouse_settings ?? {});
    for (const [name, value] of Object.entries(request.query_params ?? {})) {
      // A parameter's text is itself a value in a SET, so it is quoted once more.
      changes.push(`param_${identifier(name)} = ${literal(parameterText(value as QueryValue))}`);
    }
    return changes.length === 0 ? '' : `SET ${changes.join(', ')}; `;
  }

  #settingChanges(wanted: object): string[] {
    const changes: string[] = [];
    const values = new Map<string, string>();
    for (const [name, value] of Object.entries(wanted)) {
      if (value !== undefined) values.set(identifier(name), settingLiteral(value));
    }
    for (const name of this.#settings.keys()) {
      if (!values.has(name)) values.set(name, 'DEFAULT');
    }
    for (const [name, value] of values) {
      if (this.#settings.get(name) === value) continue;
      changes.push(`${name} = ${value}`);
      this.#settings.set(name, value);
    }
    return changes;
  }

  /** Parameters cannot be taken back, so one that this request forgot would silently have an earlier query's value. */
  #refuseStale(request: QueryRequest): void {
    for (const [, name] of request.query.matchAll(/\{\s*(\w+)\s*:/g)) {
      if (name === undefined || !this.#parameters.has(name)) continue;
      if (Object.hasOwn(request.query_params ?? {}, name)) continue;
      throw new StoreError(
        'store_query_failed',
        `the query failed: parameter ${name} has no value`,
      );
    }
  }
}

function openSession(directory: string, connectionArgs: readonly string[]): Session {
  try {
    return new Session(directory, { connectionArgs: [...connectionArgs] });
  } catch (cause) {
    throw new StoreError(
      'store_unavailable',
      `the embedded ClickHouse cannot open ${directory}; a directory belongs to one process at a time, ` +
        'and a process to one directory: stop the other process or choose another directory',
      { cause },
    );
  }
}

/** The same insert with its rows in a file. */
function fromFile(statement: string, file: string): string {
  const format = / FORMAT \w+$/.exec(statement);
  if (format === null)
    throw new TypeError(`a statement with a body ends in its FORMAT: ${statement}`);
  const source = ` FROM INFILE ${literal(file)} COMPRESSION 'none'`;
  return statement.slice(0, format.index) + source + format[0];
}

function engineError(cause: unknown): unknown {
  if (!(cause instanceof Error)) return parseError(String(cause));
  const parsed = parseError(cause);
  if (parsed !== cause) parsed.cause = cause;
  return parsed;
}

async function bytesOf(values: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of values)
    chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk));
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}

function answer(request: QueryRequest, bytes: Uint8Array): Answer {
  return {
    query_id: request.query_id ?? randomUUID(),
    stream: Readable.from(
      bytes.byteLength === 0 ? [] : [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)],
      {
        objectMode: false,
      },
    ),
    response_headers: {},
    http_status_code: 200,
    summary: SUMMARY,
  };
}
