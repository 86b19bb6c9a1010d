/**
 * chDB as the engine of a server: several connections to one directory, a list of what runs, and its end by name.
 *
 * The embedded engine cannot stop a query. So KILL QUERY ends what has not begun, and leaves the rest in the list of
 * processes until the engine is done with it: the list says what is true.
 */
import { Readable } from 'node:stream';
import { EmbeddedConnection } from '../../../platform/store/chdb.ts';
import { Lanes } from '../../../platform/store/lanes.ts';
import { identifier, literal } from '../../../platform/store/sql.ts';
import { Exception, exceptionOf } from './exception.ts';
import { clusterArguments, onOneNode } from './one-node-cluster.ts';
import { isRead, placeholders, type Statement } from './statement.ts';

export interface EngineQuery extends Statement {
  readonly queryId: string;
  readonly user: string;
  readonly database: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Values of placeholders, in the text that the interface takes them in. */
  readonly params: ReadonlyMap<string, string>;
  /** True when nobody waits for the answer any more. */
  readonly isGone: () => boolean;
}

interface Process {
  readonly query: EngineQuery;
  readonly startedMs: number;
  running: boolean;
  killed: boolean;
  end(cause: Exception): void;
}

interface Lane {
  readonly connection: EmbeddedConnection;
  /** Database in use; undefined when a failure left that unknown. */
  database: string | undefined;
  /** Placeholders that have had a value: the engine would take an old one for a new query's. */
  readonly bound: Set<string>;
}

const PROCESSES = /\bclusterAllReplicas\('\w+', system\.processes\)|\bsystem\.processes\b/gi;
const ABOUT_PROCESSES = /\bsystem\.processes\b|^\s*KILL\s+QUERY\b/i;
const KILL =
  /^\s*KILL\s+QUERY\s+WHERE\s+([\s\S]+?)(?:\s+(SYNC|ASYNC|TEST))?\s*;?\s*(?:FORMAT\s+(\w+)\s*)?$/i;
const QUERY_LENGTH_MAX = 1_000;

export class Engine {
  readonly #lanes: Lanes<Lane>;
  /** Answers about processes while all others are busy. */
  readonly #control: Lanes<Lane>;
  readonly #all: readonly Lane[];
  readonly #processes = new Map<string, Process>();

  private constructor(lanes: readonly Lane[]) {
    this.#all = lanes;
    this.#control = new Lanes(lanes.slice(0, 1));
    this.#lanes = new Lanes(lanes.slice(1));
  }

  /** @throws StoreError when another process has the directory, or this process another directory. */
  static async open(directory: string, connections: number, cluster?: string): Promise<Engine> {
    const lanes: Lane[] = [];
    const args = cluster === undefined ? [] : await clusterArguments(directory, cluster);
    while (lanes.length < connections + 1) {
      const connection = await EmbeddedConnection.open(directory, 'default', args);
      lanes.push({ connection, database: 'default', bound: new Set() });
    }
    return new Engine(lanes);
  }

  /** Ids of what waits or runs now. */
  get running(): string[] {
    return [...this.#processes.keys()];
  }

  /** Runs one query to its end, whether or not its client stays. @throws Exception */
  async run(query: EngineQuery): Promise<Buffer> {
    if (this.#processes.has(query.queryId)) {
      const text = `Query with id = ${query.queryId} is already running.`;
      throw new Exception(216, 'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', text);
    }
    const { promise: ended, reject } = withReject();
    const process: Process = {
      query,
      startedMs: performance.now(),
      running: false,
      killed: false,
      end: reject,
    };
    this.#processes.set(query.queryId, process);
    try {
      return await Promise.race([this.#turn(process), ended]);
    } catch (cause) {
      throw exceptionOf(cause);
    } finally {
      this.#processes.delete(query.queryId);
    }
  }

  /** Waits for everything that runs, then closes the connections. */
  async close(): Promise<void> {
    await Promise.all([this.#lanes.idle(), this.#control.idle()]);
    for (const { connection } of this.#all) await connection.close();
  }

  #turn(process: Process): Promise<Buffer> {
    const { query } = process;
    const lanes = ABOUT_PROCESSES.test(query.text) ? this.#control : this.#lanes;
    return lanes.use(async (lane) => {
      if (process.killed) throw cancelled();
      if (query.isGone() && isRead(query.text)) throw cancelled();
      process.running = true;
      const text = onOneNode(query.text);
      const kill = KILL.exec(text);
      if (kill === null) return this.#ask(lane, query, this.#withProcesses(text));
      const [, condition = '', mode = 'ASYNC', format = 'TabSeparated'] = kill;
      return this.#kill(lane, query, condition, mode.toUpperCase(), format);
    });
  }

  async #kill(lane: Lane, query: EngineQuery, where: string, mode: string, format: string) {
    const found = `FROM ${this.#processList()} WHERE (${where}) AND query_id != ${literal(query.queryId)}`;
    const ids = await this.#ask(lane, query, `SELECT query_id ${found} FORMAT JSONEachRow`);
    const answer = await this.#ask(
      lane,
      query,
      `SELECT 'waiting' AS kill_status, query_id, user, query ${found} FORMAT ${format}`,
    );
    if (mode === 'TEST') return answer;
    for (const line of ids.toString().split('\n').filter(Boolean)) {
      this.#end(String((JSON.parse(line) as { query_id: string }).query_id));
    }
    return answer;
  }

  #end(queryId: string): void {
    const process = this.#processes.get(queryId);
    if (process === undefined) return;
    process.killed = true;
    if (!process.running) process.end(cancelled());
  }

  #withProcesses(text: string): string {
    return text.replace(PROCESSES, () => this.#processList());
  }

  /** The list as a table; never empty, because whoever asks is in it. */
  #processList(): string {
    const rows = [...this.#processes.values()].map(({ query, startedMs, killed }) => {
      const seconds = (performance.now() - startedMs) / 1_000;
      // A query of a client, not one that another server passed on: its first id is its own.
      const texts = [
        query.queryId,
        query.queryId,
        query.user,
        query.text.slice(0, QUERY_LENGTH_MAX),
      ].map(literal);
      return `(${[...texts, seconds.toFixed(3), killed ? 1 : 0].join(', ')})`;
    });
    const columns =
      'query_id String, initial_query_id String, user String, query String, elapsed Float64, is_cancelled UInt8';
    return `(SELECT * FROM values('${columns}', ${rows.join(', ')}))`;
  }

  async #ask(lane: Lane, query: EngineQuery, text: string): Promise<Buffer> {
    const request = {
      query: preamble(lane, query, text) + text,
      clickhouse_settings: query.settings,
      query_id: query.queryId,
    };
    try {
      const { rows } = query;
      const answer =
        rows === undefined
          ? await lane.connection.query(request)
          : await lane.connection.exec({ ...request, values: Readable.from([rows]) });
      lane.database = query.database;
      return Buffer.concat(await answer.stream.toArray());
    } catch (cause) {
      lane.database = undefined;
      throw cause;
    }
  }
}

/** Statements that give a connection the query's database and values. */
function preamble(lane: Lane, { database, params }: EngineQuery, text: string): string {
  for (const name of placeholders(text)) {
    if (!params.has(name) && lane.bound.has(name)) {
      throw new Exception(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set.`);
    }
  }
  const values = [...params].map(([name, value]) => {
    lane.bound.add(name);
    return `param_${identifier(name)} = ${literal(value)}`;
  });
  const use = lane.database === database ? '' : `USE ${identifier(database)}; `;
  return use + (values.length === 0 ? '' : `SET ${values.join(', ')}; `);
}

function cancelled(): Exception {
  return new Exception(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled.');
}

function withReject(): { promise: Promise<never>; reject: (cause: Exception) => void } {
  let reject: (cause: Exception) => void = () => {};
  const promise = new Promise<never>((_resolve, rejectIt) => {
    reject = rejectIt;
  });
  promise.catch(() => {});
  return { promise, reject };
}
