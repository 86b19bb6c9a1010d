import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../platform/store/open.ts';
import type { StoreOptions } from '../../../platform/store/options.ts';
import { stopQueries } from '../../../platform/store/stop-queries.ts';
import type { OpenStore } from '../../../platform/store/store.ts';
import { selfSigned } from '../../support/clickhouse/certificate.ts';
import {
  type ClickHouse,
  type ClickHouseOptions,
  type Fate,
  startClickHouse,
} from '../../support/clickhouse/front.ts';
import {
  type ClickHouseProcess,
  startClickHouseProcess,
} from '../../support/clickhouse/process.ts';
import { numbers, SLOW, storeContract } from './store-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'streamgauge-http-'));
/** A password with what an address must encode, and a % that encodes nothing. */
const PASSWORD = 's:e/c@r%t';
let server: ClickHouse;
type Hooks = Pick<ClickHouseOptions, 'beforeRun' | 'beforeAnswer'>;
/** What becomes of requests, as the test that runs wants it. */
const hooks: { -readonly [Name in keyof Hooks]: Hooks[Name] } = {};

const start = (options: Partial<ClickHouseOptions> = {}) =>
  startClickHouse({ directory: join(directory, 'chdb'), ...options });

beforeAll(async () => {
  server = await start({
    users: { default: '', writer: PASSWORD },
    beforeRun: async (request) => (await hooks.beforeRun?.(request)) ?? 'go on',
    beforeAnswer: async (request) => (await hooks.beforeAnswer?.(request)) ?? 'go on',
  });
});

afterEach(() => {
  delete hooks.beforeRun;
  delete hooks.beforeAnswer;
});

afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const open = (options: Partial<StoreOptions> = {}) =>
  openStore({
    url: server.url,
    user: 'writer',
    password: PASSWORD,
    database: 'qos',
    requestTimeoutMs: 30_000,
    ...options,
  });

storeContract(open);

let tables = 0;
async function table(store: OpenStore): Promise<string> {
  tables += 1;
  const name = `h${tables}`;
  await store.command(
    `CREATE TABLE ${name} (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`,
  );
  return name;
}

async function count(store: OpenStore, name: string): Promise<number> {
  const [row] = await store.queryOnWriter<{ n: number }>(`SELECT count() AS n FROM ${name}`);
  return row?.n ?? -1;
}

const ask = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);

describe('a store over HTTP', () => {
  let store: OpenStore;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());

  it('has as many writes under way as it may, and no more', async () => {
    const name = await table(store);
    const seen: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    hooks.beforeRun = async ({ queryId }): Promise<Fate> => {
      seen.push(queryId);
      await released;
      return 'go on';
    };
    const inserts = Array.from({ length: 6 }, (_, i) =>
      store.insert(name, numbers(i, i + 1), { columns: ['n'], token: `${i}`, queryId: `w${i}` }),
    );
    await vi.waitFor(() => expect(seen).toHaveLength(4), { timeout: 60_000 });
    expect(seen.toSorted()).toEqual(['w0', 'w1', 'w2', 'w3']);
    release();
    await Promise.all(inserts);
    expect(await count(store, name)).toBe(6);
  });

  it('shows every acknowledged insert to a read on a writing connection', async () => {
    const name = await table(store);
    const turns = Array.from({ length: 40 }, async (_, i) => {
      await store.insert(name, numbers(i, i + 1), { columns: ['n'], token: `${i}` });
      const sql = `SELECT count() AS rows FROM ${name} WHERE n = {n:Int64}`;
      expect(await store.queryOnWriter(sql, { params: { n: i } })).toEqual([{ rows: 1 }]);
    });
    await Promise.all(turns);
  });

  it('compresses what it sends and takes compressed answers, unless told not to', async () => {
    const seen: unknown[] = [];
    const name = await table(store);
    hooks.beforeRun = ({ rows, encoding, compressed }) => {
      seen.push(rows === undefined ? { compressed } : { encoding });
      return 'go on';
    };
    const plain = await open({ compression: false });
    for (const each of [store, plain]) {
      seen.length = 0;
      const token = String(each === store);
      await each.insert(name, numbers(0, 100_000), { columns: ['n'], token });
      const rows = await each.queryBinary(`SELECT n FROM ${name} ORDER BY n DESC LIMIT 1`);
      expect(rows.readBigUInt64LE()).toBe(99_999n);
      const zipped = each === store;
      expect(seen).toEqual([{ encoding: zipped ? 'gzip' : undefined }, { compressed: zipped }]);
    }
    await plain.close();
  });

  it('does not know whether an insert was done when its answer is lost, and its repetition changes nothing', async () => {
    const name = await table(store);
    const insert = () => store.insert(name, numbers(0, 5), { columns: ['n'], token: 'a' });
    hooks.beforeAnswer = ({ rows }) => (rows === undefined ? 'go on' : 'cut');
    await expect(insert()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await count(store, name)).toBe(5);
    hooks.beforeAnswer = () => 'go on';
    await insert();
    expect(await count(store, name)).toBe(5);
  });

  it('does not know it when the connection is cut before the engine has the insert, either', async () => {
    const name = await table(store);
    hooks.beforeRun = ({ rows }) => (rows === undefined ? 'go on' : 'cut');
    const insert = store.insert(name, numbers(0, 5), { columns: ['n'], token: 'a' });
    await expect(insert).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await count(store, name)).toBe(0);
  });

  it('gives its connection free at once when the caller of a read gives up', async () => {
    const controller = new AbortController();
    const one = await open({ readers: 1 });
    const given = { signal: controller.signal, timeoutMs: 2_000 };
    const slow = one.query(SLOW, given);
    const quick = one.query('SELECT 1 AS a');
    await vi.waitFor(() => expect(server.running()).toHaveLength(1), { timeout: 60_000 });
    controller.abort();
    await expect(slow).rejects.toMatchObject({ code: 'store_query_failed' });
    expect(await quick).toEqual([{ a: 1 }]);
    await one.close();
    await vi.waitFor(() => expect(server.running()).toEqual([]), { timeout: 60_000 });
  });

  it('ends what has a name that begins so, and waits for what cannot be ended', async () => {
    const name = await table(store);
    const controller = new AbortController();
    const insert = `INSERT INTO qos.${name} SELECT number FROM numbers(20) WHERE sleepEachRow(0.05) = 0`;
    const settings = 'max_block_size=1&query_id=epoch/7/a';
    const dropped = ask(`/?${settings}`, {
      method: 'POST',
      body: insert,
      signal: controller.signal,
    });
    await vi.waitFor(() => expect(server.running()).toContain('epoch/7/a'), { timeout: 60_000 });
    controller.abort();
    await expect(dropped).rejects.toThrow();
    const sql =
      'SELECT query_id AS id FROM system.processes WHERE startsWith(query_id, {p:String})';
    expect(await store.queryOnWriter(sql, { params: { p: 'epoch/7/' } })).toEqual([
      { id: 'epoch/7/a' },
    ]);
    await stopQueries(store, 'epoch/8/');
    expect(server.running()).toContain('epoch/7/a');
    await stopQueries(store, 'epoch/7/');
    expect(server.running()).not.toContain('epoch/7/a');
    expect(await count(store, name)).toBe(20);
  });

  it('lets a read do nothing but read', async () => {
    const name = await table(store);
    const written = store.queryOnWriter(`INSERT INTO ${name} SELECT 1`);
    await expect(written).rejects.toMatchObject({
      code: 'store_query_failed',
      cause: { code: '164' },
    });
    expect(await count(store, name)).toBe(0);
  });

  it('gives a statement the name that it is asked for', async () => {
    const seen: string[] = [];
    hooks.beforeRun = ({ queryId }) => {
      seen.push(queryId);
      return 'go on';
    };
    await store.command('SELECT 1', { queryId: 'epoch/9/delete' });
    expect(seen).toEqual(['epoch/9/delete']);
  });
});

describe('user and password', () => {
  it('may stand in the address', async () => {
    const encoded = encodeURIComponent(PASSWORD);
    const url = server.url.replace('//', `//writer:${encoded}@`);
    const store = await open({ url, user: undefined, password: undefined });
    expect(await store.query('SELECT 1 AS a')).toEqual([{ a: 1 }]);
    await store.close();
  });

  it('fail with store_unavailable when they are wrong', async () => {
    for (const wrong of [{ password: 'other' }, { user: 'nobody' }]) {
      await expect(open(wrong)).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('Authentication failed'),
      });
    }
  });

  it('never show in an error', async () => {
    const secret = 'hunter2%hunter2';
    const address = (rest: string) => `http://writer:${secret}@${rest}`;
    const attempts = [
      open({ url: address(new URL(server.url).host), user: undefined, password: undefined }),
      open({ password: secret }),
      ...['127.0.0.1:1', '[broken', '127.0.0.1:1/?nonsense=1', 'nowhere.invalid:8123'].map((rest) =>
        open({ url: address(rest), user: undefined, password: undefined }),
      ),
      open({ url: address('127.0.0.1:1'), caFile: join(directory, 'no such file') }),
    ];
    for (const outcome of await Promise.allSettled(attempts)) {
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(Error);
      const shown = inspect(reason, { depth: 20, showHidden: true });
      expect(shown + JSON.stringify(reason)).not.toContain('hunter2');
    }
  });
});

describe('TLS', () => {
  it('needs a certificate that the file of trusted ones vouches for', async () => {
    const mine = selfSigned();
    const caFile = join(directory, 'ca.pem');
    writeFileSync(caFile, mine.cert);
    const other = join(directory, 'other.pem');
    writeFileSync(other, selfSigned().cert);
    const secure = await start({ tls: mine });
    const opened = (trusted: string | undefined) =>
      open({ url: secure.url, user: undefined, password: undefined, caFile: trusted });
    for (const trusted of [undefined, other]) {
      await expect(opened(trusted)).rejects.toMatchObject({ code: 'store_unavailable' });
    }
    const store = await opened(caFile);
    const name = await table(store);
    await store.insert(name, numbers(0, 1_000), { columns: ['n'], token: 'a' });
    expect(await count(store, name)).toBe(1_000);
    await store.close();
    await secure.close();
  });
});

describe('a server that dies', () => {
  let child: ClickHouseProcess;
  const place = join(directory, 'process');
  afterAll(() => child.kill());

  it('is unavailable until it is back, and has every acknowledged insert', async () => {
    child = await startClickHouseProcess({ directory: place });
    const store = await openStore({ url: child.url, database: 'qos', requestTimeoutMs: 30_000 });
    const name = await table(store);
    await store.insert(name, numbers(0, 10), { columns: ['n'], token: 'a' });
    child.freeze();
    const inDoubt = store.insert(name, numbers(10, 20), { columns: ['n'], token: 'b' });
    const failed = expect(inDoubt).rejects.toMatchObject({ code: 'store_unavailable' });
    await child.kill();
    await failed;
    await expect(store.query('SELECT 1')).rejects.toMatchObject({ code: 'store_unavailable' });
    child = await startClickHouseProcess({ directory: place, port: child.port });
    expect([10, 20]).toContain(await count(store, name));
    await store.insert(name, numbers(10, 20), { columns: ['n'], token: 'b' });
    expect(await count(store, name)).toBe(20);
    await store.close();
  });

  it('is unavailable when it says nothing for as long as it may', async () => {
    const store = await openStore({ url: child.url, database: 'qos', requestTimeoutMs: 500 });
    child.freeze();
    const silent = store.insert('t', numbers(0, 1), { columns: ['n'], token: 'a' });
    await expect(silent).rejects.toMatchObject({ code: 'store_unavailable' });
    child.resume();
    await store.close();
  });

  it('serves several processes', async () => {
    const stores = await Promise.all(
      Array.from({ length: 3 }, () => openStore({ url: child.url, database: 'shared' })),
    );
    const [first] = stores as [OpenStore];
    const name = await table(first);
    const inserts = stores.map((store, i) =>
      store.insert(name, numbers(i * 10, i * 10 + 10), { columns: ['n'], token: `${i}` }),
    );
    await Promise.all(inserts);
    for (const store of stores) {
      expect(await count(store, name)).toBe(30);
      await store.close();
    }
  });
});

describe('the front, as other clients see it', () => {
  it('answers a greeting', async () => {
    expect(await (await ask('/ping')).text()).toBe('Ok.\n');
    expect(await (await ask('/')).text()).toBe('Ok.\n');
  });

  it('answers in tab-separated text, and names the query', async () => {
    const answer = await ask('/?query=SELECT+1,+%27a%27&query_id=mine');
    expect(await answer.text()).toBe('1\ta\n');
    expect(answer.headers.get('x-clickhouse-query-id')).toBe('mine');
  });

  it.each([
    ['SELEC 1', 400, 62],
    ['SELECT * FROM nowhere', 404, 60],
    ['SELECT throwIf(1)', 500, 395],
    ['SELECT 1 SETTINGS nonsense = 1', 404, 115],
  ])('fails %s with the engine’s code', async (body, status, code) => {
    const answer = await ask('/', { method: 'POST', body });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe(String(code));
    expect(await answer.text()).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: `));
  });

  it('refuses wrong passwords, by header and by Basic', async () => {
    const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` });
    const wrong = [
      { 'x-clickhouse-user': 'writer', 'x-clickhouse-key': 'no' },
      basic('writer:no'),
      basic('nobody:'),
    ];
    for (const headers of wrong) {
      const answer = await ask('/?query=SELECT+1', { headers });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('Code: 516.');
    }
    const right = await ask('/?query=SELECT+1', { headers: basic(`writer:${PASSWORD}`) });
    expect(right.status).toBe(200);
  });

  it('takes rows behind the statement, in the body or in the address', async () => {
    const post = async (path: string, body: string) => {
      const answer = await ask(path, { method: 'POST', body });
      expect([answer.status, await answer.text()]).toEqual([200, '']);
    };
    await post('/', 'CREATE TABLE IF NOT EXISTS rows (s String) ENGINE = MergeTree ORDER BY s');
    await post('/?query=INSERT+INTO+rows+FORMAT+CSV', '"a"\n"b\n\nc"\n');
    await post('/', 'INSERT INTO rows FORMAT JSONEachRow\n{"s":"d\\n\\ne"}\n');
    await post('/', "INSERT INTO rows VALUES ('f')");
    await post('/?query=INSERT+INTO+rows+VALUES', "('g')");
    const answer = await ask('/?query=SELECT+s+FROM+rows+ORDER+BY+s+FORMAT+JSONCompactEachRow');
    expect(await answer.text()).toBe('["a"]\n["b\\n\\nc"]\n["d\\n\\ne"]\n["f"]\n["g"]\n');
    const get = await ask(`/?query=${encodeURIComponent("INSERT INTO rows VALUES ('h')")}`);
    expect(await get.text()).toContain('Code: 164.');
  });

  it('refuses a query under the name of one that runs', async () => {
    const slow = ask(`/?query_id=twice&max_execution_time=1`, { method: 'POST', body: SLOW });
    await vi.waitFor(() => expect(server.running()).toContain('twice'), { timeout: 60_000 });
    const again = await ask('/?query_id=twice&query=SELECT+1');
    expect(await again.text()).toContain('Code: 216.');
    expect((await slow).status).toBe(408);
  });

  it('keeps databases and values of queries apart', async () => {
    const post = (path: string, body: string) => ask(path, { method: 'POST', body });
    await post('/', 'CREATE DATABASE IF NOT EXISTS other');
    const asked = Array.from({ length: 30 }, async (_, i) => {
      const database = i % 2 === 0 ? 'other' : 'default';
      const answer = await post(
        `/?database=${database}&param_n=${i}`,
        'SELECT database(), {n:Int64}',
      );
      expect(await answer.text()).toBe(`${database}\t${i}\n`);
    });
    await Promise.all(asked);
    const unset = await post('/', 'SELECT {n:Int64}');
    expect(await unset.text()).toContain('Code: 456.');
  });
});
