import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { ClickHouseError } from '@clickhouse/client';
import { afterEach, describe, expect, it } from 'vitest';
import { storeErrorOf } from '../../../platform/store/errors.ts';
import { httpConfig } from '../../../platform/store/http.ts';
import { insertSettings, insertStatement } from '../../../platform/store/insert.ts';
import { openStore } from '../../../platform/store/open.ts';
import { parameterText } from '../../../platform/store/sql.ts';

interface Seen {
  readonly parameters: URLSearchParams;
  readonly authorization: string | undefined;
  readonly encoding: string | undefined;
  readonly body: Buffer;
}

interface Reply {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server that answers every query as told and remembers what it was sent. Not an engine: it knows no SQL. */
async function listen(answer: (seen: Seen) => Reply | 'nothing') {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sent = Buffer.concat(chunks);
    const encoding = request.headers['content-encoding'];
    const one: Seen = {
      parameters: new URL(request.url ?? '/', 'http://localhost').searchParams,
      authorization: request.headers.authorization,
      encoding,
      body: encoding === 'gzip' ? gunzipSync(sent) : sent,
    };
    seen.push(one);
    const reply = answer(one);
    if (reply === 'nothing') return;
    response.writeHead(reply.status, reply.headers);
    response.end(reply.body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { seen, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const ok = (body: string | Buffer = '') => ({ status: 200, body });
const found = '{"name":"qos"}\n';

describe('the store over HTTP', () => {
  it('keeps connections, compresses, and takes a path in the address as a proxy’s', () => {
    const config = httpConfig('https://u:p%3A@example.test:8443/behind/proxy', 'qos', {
      readers: 3,
    });
    expect(config).toMatchObject({
      url: 'https://example.test:8443/',
      username: 'u',
      password: 'p:',
      pathname: '/behind/proxy',
      database: 'qos',
      max_open_connections: 7,
      request_timeout: 60_000,
      keep_alive: { enabled: true },
      compression: { request: { codec: 'gzip', level: 1 }, response: true },
      clickhouse_settings: { wait_end_of_query: 1 },
    });
  });

  it('refuses an address that is none, without repeating it', async () => {
    const opening = openStore({ url: 'secret@nowhere', database: 'qos' });
    await expect(opening).rejects.toThrow(TypeError);
    await expect(opening).rejects.not.toThrow(/secret/);
  });

  it('sends rows as they are, with settings that fix every block limit', async () => {
    const { seen, address } = await listen(({ body }) =>
      ok(body.includes('system.databases') ? found : ''),
    );
    const store = await openStore({
      url: `http://reader:secret@${address}`,
      database: 'qos',
    });
    const rows = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await store.insert('views', rows, { columns: ['a', 'b'], token: "it's", queryId: 'epoch-7' });
    await store.close();
    const sent = seen.at(-1);
    expect(sent?.body).toEqual(rows);
    expect(sent?.encoding).toBe('gzip');
    expect(sent?.authorization).toBe(`Basic ${Buffer.from('reader:secret').toString('base64')}`);
    expect(sent?.parameters.get('database')).toBe('qos');
    expect(sent?.parameters.get('query_id')).toBe('epoch-7');
    expect(sent?.parameters.get('wait_end_of_query')).toBe('1');
    expect(sent?.parameters.has('readonly')).toBe(false);
    expect(sent?.parameters.get('query')).toBe('INSERT INTO qos.views (a, b) FORMAT RowBinary');
    for (const [name, value] of Object.entries(insertSettings({ columns: ['a'], token: "it's" }))) {
      expect([name, sent?.parameters.get(name)]).toEqual([name, String(value)]);
    }
    expect(sent?.parameters.get('insert_deduplication_token')).toBe("it's");
    expect(store.counters).toMatchObject({ inserts: 1, insertedBytes: 256, insertsFailed: 0 });
  });

  it('sends limits and values beside the query, the values in the text that the embedded engine gets', async () => {
    const { seen, address } = await listen(() => ok(found));
    const store = await openStore({ url: `http://${address}`, database: 'qos' });
    const params = {
      s: "a'b\\c\nd\te",
      list: ["x'y", '\\'],
      numbers: [1, -2],
      none: null,
      yes: true,
      n: 1.5,
    };
    await store.query('SELECT 1', { params, rowsMax: 7, memoryBytesMax: 1000, timeoutMs: 30_000 });
    await store.close();
    const parameters = seen.at(-1)?.parameters;
    for (const [name, value] of Object.entries(params)) {
      expect([name, parameters?.get(`param_${name}`)]).toEqual([name, parameterText(value)]);
    }
    expect(parameters?.get('max_result_rows')).toBe('7');
    expect(parameters?.get('result_overflow_mode')).toBe('throw');
    expect(parameters?.get('max_memory_usage')).toBe('1000');
    expect(parameters?.get('session_timezone')).toBe('UTC');
    // Without it a server would not stop what its client has given up.
    expect(parameters?.get('readonly')).toBe('2');
    expect(parameters?.get('cancel_http_readonly_queries_on_client_close')).toBe('1');
    expect(parameters?.get('output_format_json_quote_64bit_integers')).toBe('0');
    expect(Number(parameters?.get('max_execution_time'))).toBeGreaterThan(0);
    expect(Number(parameters?.get('max_execution_time'))).toBeLessThanOrEqual(30);
  });

  it('asks for rows as RowBinary and gives their bytes as they came', async () => {
    const all = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256));
    const { seen, address } = await listen(({ body }) =>
      ok(body.includes('RowBinary') ? all : found),
    );
    const store = await openStore({ url: `http://${address}`, database: 'qos' });
    const asked = store.queryBinary('SELECT a FROM t -- all;\n;', { params: { p: 1 }, rowsMax: 7 });
    expect((await asked).equals(all)).toBe(true);
    await store.close();
    const sent = seen.at(-1);
    expect(sent?.body.toString()).toBe('SELECT a FROM t -- all\nFORMAT RowBinary');
    expect(sent?.parameters.get('param_p')).toBe('1');
    expect(sent?.parameters.get('max_result_rows')).toBe('7');
    expect(sent?.parameters.get('wait_end_of_query')).toBe('1');
    expect(store.counters).toMatchObject({ queries: 1, queriesFailed: 0 });
  });

  it('tells what a read has read, where the server says so', async () => {
    const summary = { read_rows: '1200', read_bytes: '98765', result_rows: '1' };
    let headers: Record<string, string> = {};
    const { address } = await listen(() => ({ ...ok(found), headers }));
    const store = await openStore({ url: `http://${address}`, database: 'qos' });
    const told: unknown[] = [];
    const options = { onStatistics: (read: unknown) => told.push(read) };
    await store.query('SELECT 1', options);
    headers = { 'X-ClickHouse-Summary': JSON.stringify(summary) };
    await store.query('SELECT 1', options);
    await store.queryFormat('SELECT 1', 'CSV', options);
    const read = { rows: 1_200, bytes: 98_765 };
    expect(told).toEqual([undefined, read, read]);
    await store.close();
  });

  it('fails a query for RowBinary with the server’s reason', async () => {
    const { address } = await listen(({ body }) =>
      body.includes('RowBinary')
        ? { status: 500, body: 'Code: 62. DB::Exception: why (SYNTAX_ERROR)' }
        : ok(found),
    );
    const store = await openStore({ url: `http://${address}`, database: 'qos' });
    await expect(store.queryBinary('SELECT 1')).rejects.toMatchObject({
      code: 'store_query_failed',
      message: expect.stringContaining('why'),
    });
    await store.close();
  });

  it('creates the database only when it is missing', async () => {
    const missing = await listen(() => ok());
    await (await openStore({ url: `http://${missing.address}`, database: 'qos' })).close();
    expect(missing.seen.map(({ body }) => body.toString())).toEqual([
      expect.stringContaining('system.databases'),
      'CREATE DATABASE IF NOT EXISTS qos',
    ]);
    const there = await listen(() => ok(found));
    await (await openStore({ url: `http://${there.address}`, database: 'qos' })).close();
    expect(there.seen).toHaveLength(1);
  });

  it('says that the engine is not there when nobody listens or nobody answers', async () => {
    const nobody = openStore({ url: 'http://127.0.0.1:1', database: 'qos' });
    await expect(nobody).rejects.toMatchObject({ code: 'store_unavailable' });
    const { address } = await listen(() => 'nothing');
    const silent = openStore({ url: `http://${address}`, database: 'qos', requestTimeoutMs: 50 });
    await expect(silent).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('ends a query at its time limit even when the server does not answer', async () => {
    const { address } = await listen(({ body }) => (body.includes('slow') ? 'nothing' : ok(found)));
    const store = await openStore({ url: `http://${address}`, database: 'qos', readers: 1 });
    const slow = store.query('SELECT slow', { timeoutMs: 50 });
    await expect(slow).rejects.toMatchObject({ code: 'store_query_timeout' });
    expect(await store.query('SELECT quick')).toEqual([{ name: 'qos' }]);
    await store.close();
  });
});

describe('storeErrorOf', () => {
  const engine = (code: string) => new ClickHouseError({ code, type: 'X', message: 'why' });

  it.each([
    ['62', 'query', 'store_query_failed'],
    ['159', 'query', 'store_query_timeout'],
    ['396', 'query', 'store_query_too_large'],
    ['241', 'query', 'store_query_too_large'],
    ['241', 'insert', 'store_insert_failed'],
    ['210', 'query', 'store_unavailable'],
    ['516', 'insert', 'store_unavailable'],
  ] as const)('maps engine code %s of a %s to %s', (code, attempt, expected) => {
    const cause = engine(code);
    const error = storeErrorOf(cause, attempt);
    expect(error).toMatchObject({ code: expected, cause });
    expect(error.message).toContain('why');
  });
});

it('storeErrorOf takes a mistake in the program for no outage', () => {
  expect(storeErrorOf(new TypeError('no name'), 'query').code).toBe('store_query_failed');
  expect(storeErrorOf(new Error('socket hang up'), 'query').code).toBe('store_unavailable');
});

describe('insertStatement', () => {
  it('refuses names that are not plain, an empty token and missing columns', () => {
    const options = { columns: ['a', 'b'], token: 't' };
    expect(() => insertStatement('qos', 'views; DROP', options)).toThrow(TypeError);
    expect(() => insertStatement('qos', 'v', { ...options, columns: ['a)'] })).toThrow(TypeError);
    expect(() => insertStatement('qos', 'v', { ...options, columns: [] })).toThrow(TypeError);
    expect(() => insertSettings({ ...options, token: '' })).toThrow(TypeError);
  });
});
