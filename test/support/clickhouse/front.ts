/**
 * ClickHouse's HTTP interface on chDB, the same engine: for tests that need a server, and processes that share one.
 *
 * Guarantees: what is acknowledged is in the engine; a query whose connection was lost runs on, as on a server, and is in
 * `system.processes` until it ends. Not there: users' rights, sessions, `compress=1`, progress headers, KILL of what the
 * engine has begun (see engine.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Engine } from './engine.ts';
import { Exception, exceptionOf, statusOf } from './exception.ts';
import { type FrontRequest, readRequest } from './request.ts';

/** What becomes of a request: it goes on, or its connection is cut without a word. */
export type Fate = 'go on' | 'cut';

export interface ClickHouseOptions {
  readonly directory: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Passwords by user; user `default` without a password if left out. */
  readonly users?: Readonly<Record<string, string>>;
  /** Queries that run at once; one more connection answers about processes. Each may take a thread of libuv's pool. */
  readonly connections?: number;
  /** The engine is the one node of a cluster of this name: see one-node-cluster.ts. */
  readonly cluster?: string;
  /** Speaks HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Called when a request has been read, before the engine has it. */
  readonly beforeRun?: (request: FrontRequest) => Fate | Promise<Fate>;
  /** Called when the engine is done with a request, before it is answered. */
  readonly beforeAnswer?: (request: FrontRequest) => Fate | Promise<Fate>;
}

export interface ClickHouse {
  readonly url: string;
  readonly port: number;
  /** Ids of the queries that wait or run. */
  readonly running: () => readonly string[];
  /** Cuts all connections, waits until the engine is done, closes it. */
  close(): Promise<void>;
}

const CONNECTIONS = 3;
/** As long as ClickHouse keeps an idle connection, ms. */
const KEEP_ALIVE_MS = 10_000;
/** Longest address and headers, bytes: ClickHouse takes 1 MiB. */
const HEADER_BYTES_MAX = 1_048_576;

export async function startClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  const { directory, connections = CONNECTIONS, cluster } = options;
  const engine = await Engine.open(directory, connections, cluster);
  const handle = (message: IncomingMessage, response: ServerResponse) => {
    answer(engine, options, message, response).catch(() => response.destroy());
  };
  const limits = { keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: HEADER_BYTES_MAX };
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(limits, handle)
      : createTlsServer({ ...limits, ...tls }, handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  }).catch(async (cause: unknown) => {
    await engine.close();
    throw cause;
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    running: () => engine.running,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await engine.close();
    },
  };
}

async function answer(
  engine: Engine,
  options: ClickHouseOptions,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://localhost');
  if (pathname === '/ping' || (pathname === '/' && isGreeting(message, searchParams))) {
    message.resume();
    response.end('Ok.\n');
    return;
  }
  try {
    const request = await readRequest(message);
    response.setHeader('X-ClickHouse-Query-Id', request.queryId);
    checkPassword(request, options.users ?? { default: '' });
    if ((await options.beforeRun?.(request)) === 'cut') return cut(message);
    const result = await engine.run({ ...request, isGone: () => response.destroyed });
    if ((await options.beforeAnswer?.(request)) === 'cut') return cut(message);
    await send(response, 200, result, request.compressed);
  } catch (cause) {
    const exception = exceptionOf(cause);
    response.setHeader('X-ClickHouse-Exception-Code', exception.code);
    await send(response, statusOf(exception), Buffer.from(`${exception.message}\n`), false);
  }
}

function isGreeting({ method }: IncomingMessage, parameters: URLSearchParams): boolean {
  return method === 'GET' && !parameters.has('query');
}

/** The client sees a reset, as when a server dies. */
function cut(message: IncomingMessage): void {
  message.socket.resetAndDestroy();
}

function checkPassword({ user, password }: FrontRequest, users: Readonly<Record<string, string>>) {
  if (Object.hasOwn(users, user) && users[user] === password) return;
  const reason = `${user}: Authentication failed: password is incorrect, or there is no user with such name.`;
  throw new Exception(516, 'AUTHENTICATION_FAILED', reason);
}

async function send(
  response: ServerResponse,
  status: number,
  body: Buffer,
  compressed: boolean,
): Promise<void> {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  if (compressed) response.setHeader('Content-Encoding', 'gzip');
  response.end(compressed ? await promisify(gzip)(body) : body);
}
