/** What every store does, whatever engine is behind it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoreOptions } from '../../../platform/store/options.ts';
import { RowWriter } from '../../../platform/store/row-binary.ts';
import { RowReader } from '../../../platform/store/row-reader.ts';
import { mutationsDone, stopQueries } from '../../../platform/store/stop-queries.ts';
import type { OpenStore, QueryValue } from '../../../platform/store/store.ts';
import { type Column, column } from '../../../schemas/tables/table.ts';

// The engine takes the machine's time zone when it starts; rows must not show it.
process.env.TZ = 'America/New_York';

export function numbers(from: number, to: number): Buffer {
  const rows = new RowWriter();
  for (let n = from; n < to; n += 1) rows.int64(n);
  return rows.take();
}

/** Output first, error later: what a query wrote before it failed. */
const FAILS_LATE =
  'SELECT number, throwIf(number = 700000) AS x FROM numbers(1000000) SETTINGS max_block_size = 1000';

export const SLOW =
  'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))';

/** Declares the tests; `open` opens the database `qos` of the same engine each time. */
export function storeContract(open: (options?: Partial<StoreOptions>) => Promise<OpenStore>): void {
  let store: OpenStore;

  beforeAll(async () => {
    store = await open();
  });

  afterAll(() => store.close());

  let tables = 0;
  async function table(columns: string, rest = 'ORDER BY tuple()'): Promise<string> {
    tables += 1;
    const name = `t${tables}`;
    const settings = 'SETTINGS non_replicated_deduplication_window = 10000';
    await store.command(`CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ${rest} ${settings}`);
    return name;
  }

  async function count(name: string): Promise<number> {
    const [row] = await store.query<{ n: number }>(`SELECT count() AS n FROM ${name}`);
    return row?.n ?? -1;
  }

  describe('insert', () => {
    it('leaves one copy of what was inserted twice with one token, and two of two tokens', async () => {
      const name = await table('n Int64');
      const insert = (token: string) =>
        store.insert(name, numbers(0, 10), { columns: ['n'], token });
      await insert('a');
      await insert('a');
      expect(await count(name)).toBe(10);
      await insert('b');
      expect(await count(name)).toBe(20);
    });

    it('keeps every byte of a String, wherever it stands in the body', async () => {
      const name = await table('n Int64, s String');
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const rows = new RowWriter();
      for (const first of [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x27, 0x3b, 0x5c, 0xff]) {
        rows.int64(first);
        rows.bytes(all);
        await store.insert(name, rows.take(), { columns: ['n', 's'], token: `${first}` });
      }
      const sql = `SELECT count() AS c, uniqExact(n) AS u, any(hex(s)) AS h, uniqExact(s) AS v FROM ${name}`;
      expect(await store.query(sql)).toEqual([
        { c: 10, u: 10, h: all.toString('hex').toUpperCase(), v: 1 },
      ]);
    });

    it('takes an empty line and SQL in a String for what they are', async () => {
      const bystander = await table('n Int64');
      const name = await table('s String');
      const texts = [
        '\n\n',
        `\n\nDROP TABLE ${bystander};`,
        `;\n\nDROP TABLE qos.${bystander}`,
        '\r\n\r\n',
      ];
      const rows = new RowWriter();
      for (const text of texts) rows.string(text);
      await store.insert(name, rows.take(), { columns: ['s'], token: 'a' });
      const read = await store.query<{ s: string }>(`SELECT s FROM ${name}`);
      expect(read.map(({ s }) => s)).toEqual(texts);
      expect(await count(bystander)).toBe(0);
    });

    it('makes one part of any number of rows', async () => {
      const name = await table('n Int64', 'ORDER BY n');
      await store.command(`SYSTEM STOP MERGES ${name}`);
      await store.insert(name, numbers(0, 100_000), { columns: ['n'], token: 'a' });
      // More than the engine's own block size, 1,048,449 rows.
      await store.insert(name, numbers(0, 1_200_000), { columns: ['n'], token: 'b' });
      const parts = await store.query(
        'SELECT rows FROM system.parts WHERE database = {d:String} AND table = {t:String} AND active ORDER BY rows',
        { params: { d: 'qos', t: name } },
      );
      expect(parts).toEqual([{ rows: 100_000 }, { rows: 1_200_000 }]);
    });

    it('takes rows of more partitions than the engine allows by itself', async () => {
      const name = await table('n Int64', 'PARTITION BY n ORDER BY n');
      await store.insert(name, numbers(0, 150), { columns: ['n'], token: 'a' });
      await store.insert(name, numbers(0, 150), { columns: ['n'], token: 'a' });
      expect(await count(name)).toBe(150);
    });

    it('reads back every type that RowWriter writes', async () => {
      const name = await table(
        `a UInt8, b UInt16, c UInt32, d Int32, e Int64, f UInt64, g Float64, h String, i Nullable(Int64),
       j Nullable(Int64), k Date, l DateTime64(3, 'UTC'), m Array(String), o LowCardinality(String), p Map(String, Int64)`,
      );
      const rows = new RowWriter();
      rows.uint8(255);
      rows.uint16(65_535);
      rows.uint32(4_294_967_295);
      rows.int32(-5);
      rows.int64(-(2 ** 40) - 3);
      rows.uint64(2 ** 53 - 1);
      rows.float64(-1.25);
      rows.string('日本 "😀"\n');
      rows.nullableInt64(null);
      rows.nullableInt64(-7);
      rows.date(20_454);
      rows.dateTime64Ms(1_767_225_599_123);
      rows.varuint(2);
      rows.string('x');
      rows.string('');
      rows.string('fastly');
      rows.varuint(1);
      rows.string('k');
      rows.int64(-9);
      const columns = [...'abcdefghijklmop'];
      await store.insert(name, rows.take(), { columns, token: 'a' });
      expect(await store.query(`SELECT * FROM ${name}`)).toEqual([
        {
          a: 255,
          b: 65_535,
          c: 4_294_967_295,
          d: -5,
          e: -1_099_511_627_779,
          f: 9_007_199_254_740_991,
          g: -1.25,
          h: '日本 "😀"\n',
          i: null,
          j: -7,
          k: '2026-01-01',
          l: '2025-12-31 23:59:59.123',
          m: ['x', ''],
          o: 'fastly',
          p: { k: -9 },
        },
      ]);
    });

    it('refuses a body that is cut, keeps the table and the connection', async () => {
      const name = await table('n Int64');
      const cut = store.insert(name, Buffer.alloc(12), { columns: ['n'], token: 'a' });
      await expect(cut).rejects.toMatchObject({ code: 'store_insert_failed' });
      expect(await count(name)).toBe(0);
      await store.insert(name, Buffer.alloc(16), { columns: ['n'], token: 'a' });
      expect(await count(name)).toBe(2);
    });

    it('does nothing with no rows', async () => {
      await store.insert('no_such_table', Buffer.alloc(0), { columns: ['n'], token: 'a' });
    });
  });

  describe('query', () => {
    it.each<[string, QueryValue]>([
      ['String', ''],
      ['String', "it's"],
      ['String', '"double" `back` \\ \\\\ \\n \\N \\0'],
      ['String', 'line\nline\r\n\ttab\0nul\b\f'],
      ['String', "'; DROP TABLE t; --"],
      ['String', '{x:String} 日本 😀 é'],
      ['String', '\\N'],
      ['Array(String)', []],
      ['Array(String)', ["a'b", '\\', 'c\nd', '', "\\'", '日本', ']', ',']],
      ['Array(Int64)', [1, -2, 2 ** 53 - 1]],
      ['Array(Float64)', [0.5, -1e300]],
      ['Nullable(String)', null],
      ['Nullable(Int64)', null],
      ['Nullable(Int64)', 7],
      ['Int64', -(2 ** 53) + 1],
      ['Float64', 0.1],
      ['Bool', true],
      ['Bool', false],
    ])('gives a bound %s back as it was: %j', async (type, value) => {
      expect(await store.query(`SELECT {v:${type}} AS v`, { params: { v: value } })).toEqual([
        { v: value },
      ]);
    });

    it('takes lists of values longer than the engine’s own limit for a statement', async () => {
      const values = Array.from({ length: 50_000 }, (_, i) => `value ${i}`);
      const sql = 'SELECT length({v:Array(String)}) AS n';
      expect(await store.query(sql, { params: { v: values } })).toEqual([{ n: 50_000 }]);
    });

    it('gives integers as numbers, times as text in UTC, and what is no number as null', async () => {
      const sql = `SELECT toInt64(-9007199254740991) AS i, toUInt64(5) AS u, toDateTime(0) AS t,
      toDateTime64(1.5, 3) AS m, toDate(1) AS d, nan AS n, 1 / 0 AS f, toDecimal64(1.25, 2) AS c -- a comment`;
      expect(await store.query(sql)).toEqual([
        {
          i: -9_007_199_254_740_991,
          u: 5,
          t: '1970-01-01 00:00:00',
          m: '1970-01-01 00:00:01.500',
          d: '1970-01-02',
          n: null,
          f: null,
          c: 1.25,
        },
      ]);
    });

    it('takes a statement with empty lines, a comment and a semicolon at its end', async () => {
      expect(await store.query("\n\nSELECT\n\n'a\n\nb' AS a -- why\n\n;")).toEqual([
        { a: 'a\n\nb' },
      ]);
    });

    it('gives no rows as an empty array and many rows in order', async () => {
      expect(await store.query('SELECT 1 WHERE 0')).toEqual([]);
      const rows = await store.query<{ number: number }>('SELECT number FROM numbers(5000)');
      expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    });

    it('tells once of each read that has its rows what it read, or that it does not know', async () => {
      let told = 0;
      const onStatistics = () => {
        told += 1;
      };
      await store.query('SELECT 1', { onStatistics });
      await store.queryBinary('SELECT 1', { onStatistics });
      expect(told).toBe(2);
      await store.query('SELECT nothing', { onStatistics }).catch(() => {});
      expect(told).toBe(2);
    });

    it.each([
      'SELEC 1 1',
      'SELECT no_such_column',
      'SELECT {x:String}',
      'SELECT * FROM no_such_table',
    ])('fails with the engine’s reason: %s', async (sql) => {
      const failing = store.query(sql);
      await expect(failing).rejects.toMatchObject({
        name: 'StoreError',
        code: 'store_query_failed',
      });
      await expect(failing).rejects.toHaveProperty('cause.type');
    });

    it('never gives a query the value that an earlier one bound', async () => {
      const sql = 'SELECT {secret:String} AS s';
      await store.queryOnWriter(sql, { params: { secret: 'mine' } });
      await expect(store.queryOnWriter(sql)).rejects.toMatchObject({ code: 'store_query_failed' });
    });

    it('never gives a query the rows that a failed one had written', async () => {
      await expect(store.queryOnWriter(FAILS_LATE)).rejects.toMatchObject({
        code: 'store_query_failed',
      });
      expect(await store.queryOnWriter('SELECT 2 AS a')).toEqual([{ a: 2 }]);
      await expect(store.queryOnWriter(FAILS_LATE)).rejects.toMatchObject({
        code: 'store_query_failed',
      });
      await expect(store.queryOnWriter('SELECT nothing')).rejects.toMatchObject({
        code: 'store_query_failed',
      });
      expect(await store.queryOnWriter('SELECT 3 AS a')).toEqual([{ a: 3 }]);
    });

    it('forgets the limits of one query before the next on its connection', async () => {
      const sql = `SELECT getSetting('max_result_rows') AS r, getSetting('max_memory_usage') AS m,
      getSetting('max_execution_time') AS t, getSetting('session_timezone') AS z`;
      const limits = { rowsMax: 10, memoryBytesMax: 100_000_000, timeoutMs: 9_000 };
      const [limited] = await store.queryOnWriter<Record<string, unknown>>(sql, limits);
      expect(limited).toMatchObject({ r: 10, m: 100_000_000, z: 'UTC' });
      expect(limited?.t).not.toBe(0);
      await expect(
        store.queryOnWriter('SELECT number FROM numbers(11)', limits),
      ).rejects.toMatchObject({
        code: 'store_query_too_large',
      });
      expect(await store.queryOnWriter(sql)).toEqual([{ r: 0, m: 0, t: 0, z: 'UTC' }]);
    });

    it('fails when the result has more rows than it may, not when it reads more', async () => {
      const rowsMax = 10;
      await expect(
        store.query('SELECT number FROM numbers(11)', { rowsMax }),
      ).rejects.toMatchObject({
        code: 'store_query_too_large',
      });
      expect(await store.query('SELECT number FROM numbers(10)', { rowsMax })).toHaveLength(10);
      const inside = 'SELECT count() AS n FROM (SELECT number FROM numbers(100000))';
      expect(await store.query(inside, { rowsMax })).toEqual([{ n: 100_000 }]);
    });

    it('fails when it needs more memory than it may', async () => {
      const sql = 'SELECT length(groupArray(number)) FROM numbers(10000000)';
      const hungry = store.query(sql, { memoryBytesMax: 10_000_000 });
      await expect(hungry).rejects.toMatchObject({ code: 'store_query_too_large' });
    });

    it('ends at its time limit, and the connection works on', async () => {
      const failing = store.queryOnWriter(SLOW, { timeoutMs: 100 });
      await expect(failing).rejects.toMatchObject({ code: 'store_query_timeout' });
      expect(await store.queryOnWriter('SELECT 1 AS a')).toEqual([{ a: 1 }]);
    });

    it('sets the limits again that a failed query may or may not have set', async () => {
      const memoryBytesMax = 123_000_000;
      const wrong = store.queryOnWriter('SELECT 1', { memoryBytesMax, rowsMax: 1.5 });
      await expect(wrong).rejects.toMatchObject({ code: 'store_query_failed' });
      const sql = "SELECT getSetting('max_memory_usage') AS m";
      expect(await store.queryOnWriter(sql, { memoryBytesMax })).toEqual([{ m: memoryBytesMax }]);
    });

    it('keeps values and limits of queries that run side by side apart', async () => {
      const sql = "SELECT {v:Int64} AS v, getSetting('max_result_rows') AS r";
      const queries = Array.from({ length: 100 }, async (_, i) => {
        const rows = await store.query(sql, { params: { v: i }, rowsMax: i + 1 });
        expect(rows).toEqual([{ v: i, r: i + 1 }]);
      });
      await Promise.all(queries);
    });

    it('runs reads beside a read that takes long, and beside writes', async () => {
      const slow = store.query(`${SLOW} AND number >= {x:Int64}`, {
        params: { x: 0 },
        timeoutMs: 2_000,
      });
      const ended = slow.catch(() => 'slow');
      const quick = store.query('SELECT {x:Int64} AS a', { params: { x: 1 } });
      const written = quick.then(() => store.command('SELECT {x:Int64}', { params: { x: 2 } }));
      expect(await Promise.race([ended, written.then(() => 'quick')])).toBe('quick');
      expect(await ended).toBe('slow');
    });
  });

  describe('queryBinary', () => {
    /** Values that text formats, line readers and SQL parsers take for something else. */
    const HOSTILE = [
      Buffer.from(''),
      Buffer.from('\n\n'),
      Buffer.from('\n\nDROP TABLE t;\n\n'),
      Buffer.from("'; SELECT 1 FORMAT CSV --"),
      Buffer.from('\0\t\r\\N'),
      Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a, 0x0a]),
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      Buffer.alloc(100_000, '\n'),
    ];

    const columns: readonly Column[] = [
      column('a', 'String', ''),
      column('b', 'LowCardinality(String)', ''),
      column('c', 'UInt8', ''),
      column('d', 'UInt16', ''),
      column('e', 'UInt32', ''),
      column('f', 'UInt64', ''),
      column('g', 'Int64', ''),
      column('h', 'Nullable(Int64)', ''),
      column('i', 'Date', ''),
      column('j', 'Map(UInt16, Int64)', ''),
      column('k', "DateTime('UTC')", ''),
      column('l', "DateTime64(3, 'UTC')", ''),
    ];

    function everyType(text: Buffer, order: number): Buffer {
      const rows = new RowWriter();
      rows.bytes(text);
      rows.bytes(text);
      rows.uint8(order);
      rows.uint16(0x0a0a);
      rows.uint32(0x0a0a0a0a);
      rows.uint64(Number.MAX_SAFE_INTEGER);
      rows.int64(-order);
      rows.nullableInt64(order % 2 === 0 ? null : -1);
      rows.date(20_454);
      rows.varuint(3);
      // The order of a map's entries is kept as it was written.
      for (const key of [7, 1, 300]) {
        rows.uint16(key);
        rows.int64(-key);
      }
      rows.uint32(1_767_225_600);
      rows.dateTime64Ms(1_767_225_599_123);
      return rows.take();
    }

    it('gives every type back as the bytes that were inserted', async () => {
      const name = await table(columns.map((entry) => `${entry.name} ${entry.type}`).join(', '));
      const written = HOSTILE.map(everyType);
      const names = columns.map((entry) => entry.name);
      const options = { columns: names, token: 'a' };
      await store.insert(name, Buffer.concat(written), options);
      const read = await store.queryBinary(
        `SELECT ${names.join(', ')} FROM ${name} WHERE c < {max:UInt8} ORDER BY c -- and a comment\n;`,
        { params: { max: 200 } },
      );
      expect(read.equals(Buffer.concat(written))).toBe(true);
      const reader = new RowReader(columns, 'latin1');
      const texts: string[] = [];
      for (let start = 0; start < read.length; start = reader.endOf(read, start)) {
        texts.push(String(reader.valueAt(read, start, 0)));
      }
      expect(texts).toEqual(HOSTILE.map((text) => text.toString('latin1')));
    });

    it('gives no rows as no bytes', async () => {
      expect(await store.queryBinary('SELECT 1 WHERE 0')).toHaveLength(0);
    });

    it('has the limits, the errors and the counters of a query', async () => {
      const before = { ...store.counters };
      const tooMany = store.queryBinary('SELECT number FROM numbers(2)', { rowsMax: 1 });
      await expect(tooMany).rejects.toMatchObject({ code: 'store_query_too_large' });
      const slow = store.queryBinary(SLOW, { timeoutMs: 50 });
      await expect(slow).rejects.toMatchObject({ code: 'store_query_timeout' });
      await expect(store.queryBinary('SELECT nothing')).rejects.toMatchObject({
        code: 'store_query_failed',
      });
      // What a failed query had written is in front of nobody's rows.
      await expect(store.queryBinary(FAILS_LATE)).rejects.toMatchObject({
        code: 'store_query_failed',
      });
      for (let turn = 0; turn < 4; turn += 1) {
        expect(await store.queryBinary('SELECT toUInt8(7)')).toEqual(Buffer.from([7]));
      }
      expect(store.counters).toMatchObject({
        queries: before.queries + 8,
        queriesFailed: before.queriesFailed + 2,
        queriesTimedOut: before.queriesTimedOut + 1,
        queriesTooLarge: before.queriesTooLarge + 1,
      });
    });
  });

  describe('queryFormat', () => {
    const sql = `SELECT {text:String} AS text, toInt64(number) AS n, if(number = 0, NULL, 0.5) AS f,
      toDateTime64(1.5, 3) AS t FROM numbers(2) ORDER BY n -- all of them\n;`;
    const options = { params: { text: 'a "b",\n\n;c' }, rowsMax: 2 };

    it('gives rows as lines of text, times in UTC', async () => {
      const csv = await store.queryFormat(sql, 'CSV', options);
      expect(csv.toString()).toBe(
        '"a ""b"",\n\n;c",0,\\N,"1970-01-01 00:00:01.500"\n"a ""b"",\n\n;c",1,0.5,"1970-01-01 00:00:01.500"\n',
      );
      const lines = (await store.queryFormat(sql, 'JSONEachRow', options)).toString().split('\n');
      expect(lines.map((line) => (line === '' ? undefined : JSON.parse(line)))).toEqual([
        { text: 'a "b",\n\n;c', n: 0, f: null, t: '1970-01-01 00:00:01.500' },
        { text: 'a "b",\n\n;c', n: 1, f: 0.5, t: '1970-01-01 00:00:01.500' },
        undefined,
      ]);
    });

    it('takes settings of the format in the statement, and has forgotten them by the next', async () => {
      const iso = `SELECT toDateTime64(1.5, 3) AS t SETTINGS date_time_output_format = 'iso'`;
      const text = '"1970-01-01T00:00:01.500Z"\n';
      expect((await store.queryFormat(iso, 'CSV')).toString()).toBe(text);
      for (let turn = 0; turn < 4; turn += 1) {
        const rows = await store.query('SELECT toDateTime64(1.5, 3) AS t');
        expect(rows).toEqual([{ t: '1970-01-01 00:00:01.500' }]);
      }
    });

    it.each([0, 3])('gives %i rows as one whole Parquet file', async (rows) => {
      const statement = 'SELECT toInt64(number) AS n FROM numbers({rows:UInt8})';
      const file = await store.queryFormat(statement, 'Parquet', { params: { rows } });
      // A Parquet file begins and ends with its name.
      expect(file.subarray(0, 4).toString()).toBe('PAR1');
      expect(file.subarray(-4).toString()).toBe('PAR1');
    });

    it('has the limits, the errors and the counters of a query', async () => {
      const before = { ...store.counters };
      const tooMany = store.queryFormat('SELECT number FROM numbers(2)', 'CSV', { rowsMax: 1 });
      await expect(tooMany).rejects.toMatchObject({ code: 'store_query_too_large' });
      const slow = store.queryFormat(SLOW, 'Parquet', { timeoutMs: 50 });
      await expect(slow).rejects.toMatchObject({ code: 'store_query_timeout' });
      // What a failed query had written is in front of nobody's file.
      await expect(store.queryFormat(FAILS_LATE, 'CSV')).rejects.toMatchObject({
        code: 'store_query_failed',
      });
      for (let turn = 0; turn < 4; turn += 1) {
        expect((await store.queryFormat('SELECT 7', 'CSV')).toString()).toBe('7\n');
      }
      expect(store.counters).toMatchObject({
        queries: before.queries + 7,
        queriesFailed: before.queriesFailed + 1,
        queriesTimedOut: before.queriesTimedOut + 1,
        queriesTooLarge: before.queriesTooLarge + 1,
      });
    });
  });

  describe('stopping', () => {
    it('is done when nothing of that name runs and no mutation is at work', async () => {
      const name = await table('n Int64');
      await store.insert(name, numbers(0, 10), { columns: ['n'], token: 'a' });
      await store.command(`ALTER TABLE ${name} DELETE WHERE n < 5 SETTINGS mutations_sync = 0`);
      await stopQueries(store, 'nobody/');
      await mutationsDone(store);
      expect(await count(name)).toBe(5);
    });
  });

  describe('counters', () => {
    it('count what was asked and what became of it', async () => {
      const before = { ...store.counters };
      await store.query('SELECT 1');
      await store.query('SELECT nothing').catch(() => {});
      await store.query(SLOW, { timeoutMs: 50 }).catch(() => {});
      await store.query('SELECT number FROM numbers(2)', { rowsMax: 1 }).catch(() => {});
      expect(store.counters).toMatchObject({
        queries: before.queries + 4,
        queriesFailed: before.queriesFailed + 1,
        queriesTimedOut: before.queriesTimedOut + 1,
        queriesTooLarge: before.queriesTooLarge + 1,
      });
    });
  });

  describe('opening and closing', () => {
    it('refuses reads when too many wait', async () => {
      const small = await open({ readers: 1, readsWaitingMax: 1 });
      const asked = Array.from({ length: 3 }, () => small.query('SELECT 1 AS a'));
      const outcomes = await Promise.allSettled(asked);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      expect(outcomes[2]).toMatchObject({ reason: { code: 'store_unavailable' } });
      expect(small.counters.queriesRefused).toBe(1);
      await small.close();
    });

    it('finishes what was asked before it closes, takes nothing after, and finds its rows when opened again', async () => {
      const name = await table('n Int64');
      const inserts = Array.from({ length: 5 }, (_, i) =>
        store.insert(name, numbers(i, i + 1), { columns: ['n'], token: `${i}` }),
      );
      const reading = store.query(SLOW, { timeoutMs: 300 });
      const closing = store.close();
      const late = store.query('SELECT 1');
      await expect(late).rejects.toMatchObject({ code: 'store_closed' });
      await expect(reading).rejects.toMatchObject({ code: 'store_query_timeout' });
      await Promise.all([...inserts, closing, store.close()]);
      store = await open();
      expect(await count(name)).toBe(5);
    });
  });
}
