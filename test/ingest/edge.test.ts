import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../ingest/formats/edge.ts';
import { type Log, LogError } from '../../platform/log/log.ts';
import { partitionOf } from '../../platform/partition.ts';
import type { EdgeRequest } from '../../schemas/records.ts';
import { CORPUS } from '../support/corpus.ts';
import type { Appended, ServerChoices } from './ingest-server.ts';
import { bodiesOf, ingestServer, rememberingLog } from './ingest-server.ts';

const URL = '/v1/edge/nginx?key=dev';
const NDJSON = { 'content-type': 'application/x-ndjson' };

function line(index: number, view = 'v', more: object = {}): string {
  const request_uri = view === '' ? '/a.ts' : `/a.ts?CMCD=sid%3D%22${view}%22`;
  return `${JSON.stringify({ msec: 1_795_326_184 + index, status: 200, request_uri, ...more })}\n`;
}

/** At its default quality brotli takes seconds. */
function brotli(plain: Buffer): Buffer {
  return brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } });
}

async function setUp(choices: Partial<ServerChoices> = {}) {
  const appended: Appended[] = [];
  const made = await ingestServer({ log: rememberingLog(appended), ...choices });
  const post = (payload: string | Buffer | Readable, headers: Record<string, string> = {}) =>
    made.server.inject({ method: 'POST', url: URL, payload, headers: { ...NDJSON, ...headers } });
  const values = () => appended.map(({ value }) => value);
  const records = () => bodiesOf('edge', values());
  const requests = () => records().flatMap((record) => record.requests);
  const rejects = () => bodiesOf('reject', values());
  return { ...made, appended, post, records, requests, rejects };
}

/** A log whose appends wait until they are let go. */
function heldLog(appended: Appended[]) {
  const inner = rememberingLog(appended);
  const waiting: (() => void)[] = [];
  const log: Log = {
    ...inner,
    append: (partition, value) =>
      new Promise((resolve, reject) => {
        waiting.push(() => inner.append(partition, value).then(resolve, reject));
      }),
  };
  return { log, waiting };
}

function bytes(request: EdgeRequest): string {
  return request.identity.toString('hex');
}

const recorded = readdirSync(CORPUS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => readFileSync(join(CORPUS, name, 'access.ndjson')));

describe('an edge log', () => {
  it.each([
    ['identity', (body: Buffer) => body],
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotli],
  ])('of every recording is taken whole, in %s', async (encoding, compress) => {
    const { post, requests, records, counters, appended } = await setUp();
    const body = Buffer.concat(recorded);
    const answer = await post(compress(body), { 'content-encoding': encoding });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({
      accepted: 1_788,
      preflights: 131,
      rejected: [],
      rejectedTotal: 0,
    });
    expect(counters).toMatchObject({
      edgeRequests: 1_788,
      edgeRecords: records().length,
      edgeEarlyRecords: 0,
      preflights: 131,
      decompressedBytes: body.length,
      bytesInFlight: 0,
      edgeGroupsOpen: 0,
    });
    expect(new Set(requests().map(bytes)).size).toBe(1_788);
    for (const [index, record] of records().entries()) {
      expect(record).toMatchObject({ project: 'default', format: 'nginx' });
      expect(record.requests.length).toBeLessThanOrEqual(200);
      if (record.view === '') continue;
      const sid = { name: 'sid', value: `"${record.view}"` };
      for (const { cmcd } of record.requests) expect(cmcd).toContainEqual(sid);
      expect(appended[index]?.partition).toBe(partitionOf('default', record.view, 4));
    }
  });

  it('keeps the good lines beside bad ones, and says which were bad', async () => {
    const { post, requests, rejects, counters } = await setUp({
      edgeLimits: { edgeLineBytesMax: 200 },
    });
    const bad = ['{"status":200}', 'not json', 'x'.repeat(1_000)];
    const body = `${line(0)}\r\n${bad[0]}\n${line(1)}${bad[1]}\n${bad[2]}\n${line(2)}`;
    const answer = await post(body);
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({
      accepted: 3,
      rejectedTotal: 3,
      rejected: [
        { line: 3, code: 'line_fields_missing', message: expect.any(String) },
        { line: 5, code: 'line_malformed', message: expect.any(String) },
        { line: 6, code: 'line_too_long', message: expect.stringContaining('200') },
      ],
    });
    expect(requests()).toHaveLength(3);
    expect(rejects().map((one) => [one.code, one.route, one.view])).toEqual([
      ['line_fields_missing', '/v1/edge/nginx', ''],
      ['line_malformed', '/v1/edge/nginx', ''],
      ['line_too_long', '/v1/edge/nginx', ''],
    ]);
    expect(rejects().map((one) => one.bytes.toString())).toEqual([bad[0], bad[1], 'x'.repeat(200)]);
    expect(counters.rejects).toMatchObject({
      line_fields_missing: 1,
      line_malformed: 1,
      line_too_long: 1,
      other: 0,
    });
    expect([counters.rejectRecords, counters.bytesInFlight]).toEqual([3, 0]);
  });

  it('caps the records and the list of rejects, and says how many there were', async () => {
    const limits = { rejectRecordsMax: 2, rejectedListMax: 1, rejectBytesMax: 3 };
    const { post, rejects } = await setUp({ limits });
    const answer = await post(`${line(0)}first\n${'{}\n'.repeat(3)}last`);
    expect(answer.json()).toMatchObject({ accepted: 1, rejectedTotal: 5 });
    expect(answer.json().rejected).toHaveLength(1);
    expect(rejects().map(({ code }) => code)).toEqual([
      'line_malformed',
      'line_fields_missing',
      'rejects_capped',
    ]);
    expect(rejects()[2]?.message).toBe(
      '3 more rejects of one body: line_fields_missing 2, line_malformed 1',
    );
    expect(rejects()[0]?.bytes.toString()).toBe('fir');
  });

  it('knows a line again by its identity, stripped or not', async () => {
    const { post, requests, appended } = await setUp();
    const raw = line(0, '', { remote_port: 1 });
    await post(raw);
    await post(raw.replace('\n', '\r\n'));
    await post(line(0, '', { remote_port: 2 }));
    const [first, again, other] = requests();
    expect(first?.identity).toEqual(identityOf(Buffer.from(raw.trimEnd())));
    expect(again?.identity).toEqual(first?.identity);
    expect(other?.identity).not.toEqual(first?.identity);
    // Without a view the identity finds the partition, so that the repeat meets the first.
    expect(appended[1]?.partition).toBe(appended[0]?.partition);
    expect(appended[0]?.partition).toBe(
      partitionOf('default', first?.identity.toString('hex') ?? '', 4),
    );
  });

  it('of preflights only is fine, one that says nothing or nothing readable is not', async () => {
    const { post, rejects } = await setUp();
    const preflight = await post(line(0, '', { request_method: 'OPTIONS' }));
    expect([preflight.statusCode, preflight.json().preflights]).toEqual([202, 1]);
    for (const body of ['', '\n \r\n']) {
      const answer = await post(body);
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'body_empty']);
    }
    expect(rejects()).toEqual([]);
    const other = await post('\n127.0.0.1 GET / HTTP/1.1 200 1\n');
    expect([other.statusCode, other.json().code]).toEqual([400, 'body_malformed']);
    expect(other.json().detail).toContain('line 2');
    expect(rejects().map(({ code }) => code)).toEqual(['line_malformed']);
  });

  it('takes the types of shippers and refuses others, and large bodies, before it reads', async () => {
    const { post } = await setUp({ edgeLimits: { edgeBodyBytesMax: 1_000 } });
    for (const type of ['application/json', 'text/plain;charset=UTF-8', 'application/jsonl']) {
      expect((await post(line(0), { 'content-type': type })).statusCode).toBe(202);
    }
    expect((await post(line(0), { 'content-type': 'text/csv' })).statusCode).toBe(415);
    expect((await post(line(0), { 'content-encoding': 'zstd' })).statusCode).toBe(415);
    const large = await post('x'.repeat(1_001));
    expect([large.statusCode, large.json().code]).toEqual([413, 'body_too_large']);
  });

  it('needs a key, in whatever format', async () => {
    const { server } = await setUp();
    const status = async (url: string) =>
      (await server.inject({ method: 'POST', url, payload: line(0), headers: NDJSON })).statusCode;
    for (const format of ['nginx', 'cloudfront', 'fastly', 'akamai', 'cloudflare', 'ndjson']) {
      expect(await status(`/v1/edge/${format}`)).toBe(401);
    }
    expect(await status('/v1/edge/other?key=dev')).toBe(404);
  });
});

describe('an edge log that comes as a stream', () => {
  /** Views that are far more than may be open. */
  const VIEWS = 500;

  function* manyLines(count: number): Generator<string> {
    for (let first = 0; first < count; first += 100) {
      let chunk = '';
      for (let index = first; index < first + 100; index++) {
        chunk += line(index, `view-${index % VIEWS}`);
      }
      yield chunk;
    }
  }

  it('is taken in bounded memory, whatever its size', { timeout: 120_000 }, async () => {
    const count = 200_000;
    const most = { groups: 0, bytes: 0, heap: 0 };
    let requests = 0;
    const inner = rememberingLog([]);
    const log: Log = {
      ...inner,
      append: async (_partition, bytesOf) => {
        const value = Buffer.from(bytesOf);
        const { edgeGroupsOpen, bytesInFlight } = made.counters;
        most.groups = Math.max(most.groups, edgeGroupsOpen);
        most.bytes = Math.max(most.bytes, bytesInFlight);
        most.heap = Math.max(most.heap, process.memoryUsage().heapUsed);
        requests += bodiesOf('edge', [value])[0]?.requests.length ?? 0;
        return { offset: 0, appendTimeMs: 0 };
      },
    };
    const edgeLimits = { edgeGroupsMax: 100, edgeGroupBytesMax: 100_000, edgeAppendsMax: 8 };
    const made = await setUp({ log, edgeLimits });
    const before = process.memoryUsage().heapUsed;
    const body = Readable.from(manyLines(count)).pipe(createGzip({ level: 1 }));
    const answer = await made.post(body, { 'content-encoding': 'gzip' });
    expect(answer.json()).toMatchObject({ accepted: count, rejectedTotal: 0 });
    expect(requests).toBe(count);
    expect(made.counters.edgeEarlyRecords).toBeGreaterThan(0);
    expect(most.groups).toBeLessThanOrEqual(101);
    // Groups, what waits for the log, and a line.
    expect(most.bytes).toBeLessThan(200_000);
    expect(made.counters.decompressedBytes).toBeGreaterThan(15_000_000);
    expect(most.heap - before).toBeLessThan(250_000_000);
    expect([made.counters.bytesInFlight, made.counters.edgeGroupsOpen]).toEqual([0, 0]);
  });

  it('is read no further while the log is slow', async () => {
    const appended: Appended[] = [];
    const { log, waiting } = heldLog(appended);
    const edgeLimits = { edgeRequestsPerRecordMax: 1, edgeAppendsMax: 2, edgeGroupsMax: 1 };
    const { post, counters } = await setUp({ log, edgeLimits });
    let given = 0;
    const chunks = function* () {
      for (; given < 1_000; given++) yield line(given).padEnd(1_000, ' ').concat('\n');
    };
    const answer = post(Readable.from(chunks()));
    await expect.poll(() => waiting.length).toBe(2);
    // What the stream itself keeps ahead is little and fixed.
    const ahead = counters.bodyBytes;
    expect(ahead).toBeLessThan(100_000);
    expect(counters.bytesInFlight).toBeGreaterThan(0);
    waiting.shift()?.();
    waiting.shift()?.();
    await expect.poll(() => waiting.length).toBe(2);
    expect(given).toBeLessThan(200);
    const letGo = setInterval(() => {
      while (waiting.length > 0) waiting.shift()?.();
    });
    expect((await answer).json().accepted).toBe(1_000);
    clearInterval(letGo);
  });

  it('is answered only when everything is durable', async () => {
    const { log, waiting } = heldLog([]);
    const { post } = await setUp({ log });
    let answered = false;
    const answer = post(line(0) + line(1, 'w')).then((response) => {
      answered = true;
      return response;
    });
    await expect.poll(() => waiting.length).toBe(2);
    waiting[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    waiting[1]?.();
    expect((await answer).json().accepted).toBe(2);
  });

  it('leaves nothing under way when it is refused midway', async () => {
    const { log, waiting } = heldLog([]);
    const edgeLimits = { edgeRequestsPerRecordMax: 1, edgeDecompressedBytesMax: 1_000 };
    const { post, counters } = await setUp({ log, edgeLimits });
    let answered = false;
    const chunks = async function* () {
      yield line(0) + line(1);
      await expect.poll(() => waiting.length).toBe(1);
      yield '\n'.repeat(1_000);
    };
    const answer = post(Readable.from(chunks())).then((response) => {
      answered = true;
      return response;
    });
    await expect.poll(() => counters.bodyBytes).toBeGreaterThan(1_000);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    waiting[0]?.();
    expect((await answer).json().code).toBe('decompressed_too_large');
    // The record that was open is dropped: the body comes again.
    expect(counters).toMatchObject({ edgeRequests: 1, bytesInFlight: 0, edgeGroupsOpen: 0 });
  });

  it.each(['log_overloaded', 'log_unavailable', 'log_closed'] as const)(
    'is refused with 503 when the log says %s midway, and stops there',
    async (code) => {
      const appended: Appended[] = [];
      const inner = rememberingLog(appended);
      let appends = 0;
      const log: Log = {
        ...inner,
        append: (partition, value) =>
          ++appends <= 3
            ? inner.append(partition, value)
            : Promise.reject(new LogError(code, 'as told')),
      };
      const edgeLimits = { edgeRequestsPerRecordMax: 1, edgeAppendsMax: 1 };
      const { post, counters } = await setUp({ log, edgeLimits });
      const body = Array.from({ length: 100 }, (_, index) => line(index)).join('');
      const answer = await post(body);
      expect([answer.statusCode, answer.json().code]).toEqual([503, 'log_unavailable']);
      expect(answer.headers).toMatchObject({ 'retry-after': '1', connection: 'close' });
      expect(appends).toBe(4);
      expect(counters).toMatchObject({ edgeRequests: 3, bytesInFlight: 0, edgeGroupsOpen: 0 });
      // Sent again, the same requests have the same identities.
      const [first] = bodiesOf('edge', [appended[0]?.value ?? Buffer.alloc(0)]);
      expect(first?.requests[0]?.identity).toEqual(identityOf(Buffer.from(line(0).trimEnd())));
    },
  );

  it('writes what it holds when all bodies together hold too much, and is refused only then', async () => {
    const { post, counters, records } = await setUp({ limits: { bytesInFlightMax: 300 } });
    const body = Array.from({ length: 20 }, (_, index) => line(index)).join('');
    expect((await post(body)).json().accepted).toBe(20);
    expect(records().length).toBeGreaterThan(3);
    expect(counters.edgeEarlyRecords).toBeGreaterThan(3);
    const large = await post(line(0, 'v', { x: 'x'.repeat(300) }));
    expect([large.statusCode, large.json().code]).toEqual([503, 'overloaded']);
    expect(large.headers['retry-after']).toBe('1');
    expect(counters.bytesInFlight).toBe(0);
  });

  it('fails as internal when the log fails in a way that nobody foresaw', async () => {
    const log = { ...rememberingLog([]), append: () => Promise.reject(new Error('secret')) };
    const { post, counters } = await setUp({ log });
    const answer = await post(line(0));
    expect([answer.statusCode, answer.json().code]).toEqual([500, 'internal']);
    expect(answer.body).not.toContain('secret');
    expect(counters.bytesInFlight).toBe(0);
  });
});

describe('a hostile edge log', () => {
  it('without a line end is one reject, and never held', async () => {
    const { post, rejects, counters } = await setUp();
    let most = 0;
    const chunks = function* () {
      for (let index = 0; index < 320; index++) {
        most = Math.max(most, counters.bytesInFlight);
        yield Buffer.alloc(65_536, 'x');
      }
    };
    const answer = await post(Readable.from(chunks()));
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'body_malformed']);
    expect(rejects().map(({ code, bytes }) => [code, bytes.length])).toEqual([
      ['line_too_long', 65_536],
    ]);
    expect(most).toBeLessThan(100_000);
    expect(counters.bodyBytes).toBe(320 * 65_536);
  });

  it('with bytes that are no UTF-8, or deep JSON, costs only the lines that cannot be read', async () => {
    const { post, requests } = await setUp();
    const latin = Buffer.from(line(0, 'v', { cdn: 'M\xfcnchen' }), 'latin1');
    const deep = Buffer.from(`{"msec":1,"status":200,"x":${'['.repeat(30_000)}\n`);
    const answer = await post(Buffer.concat([latin, Buffer.from([0xff, 0, 0xfe, 10]), deep]));
    expect(answer.json()).toMatchObject({ accepted: 1, rejectedTotal: 2 });
    expect(requests()[0]?.cdn).toBe('München');
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotli],
  ])(
    'that was cut in %s is refused, and what tells its encoding kept',
    async (encoding, compress) => {
      const { post, rejects, requests, counters } = await setUp();
      const sent = compress(Buffer.concat(recorded));
      const half = sent.subarray(0, sent.length / 2);
      const answer = await post(half, { 'content-encoding': encoding });
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'encoding_malformed']);
      expect(answer.headers.connection).toBe('close');
      expect(rejects().at(-1)).toMatchObject({
        code: 'encoding_malformed',
        // Not more: it could be decompressed, and has addresses.
        bytes: sent.subarray(0, 4),
      });
      // What had gone to the log is whole: no half line became a request.
      const known = new Set(
        recorded.flatMap((one) =>
          one
            .toString()
            .split('\n')
            .map((text) => identityOf(Buffer.from(text)).toString('hex')),
        ),
      );
      for (const request of requests()) expect(known.has(bytes(request))).toBe(true);
      expect(counters).toMatchObject({ bytesInFlight: 0, edgeGroupsOpen: 0, requestsInFlight: 0 });
    },
  );

  it('that is not compressed as it says is refused, and 503 when even that cannot be kept', async () => {
    const { post } = await setUp();
    for (const encoding of ['gzip', 'deflate', 'br']) {
      const answer = await post(line(0), { 'content-encoding': encoding });
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'encoding_malformed']);
    }
    const full = await setUp({ log: rememberingLog([], 'log_overloaded') });
    const answer = await full.post('x', { 'content-encoding': 'gzip' });
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'log_unavailable']);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateRawSync],
    ['br', brotli],
  ])('that is a bomb in %s stops at the limit', async (encoding, compress) => {
    const edgeLimits = { edgeDecompressedBytesMax: 1_000_000 };
    const { post, counters } = await setUp({ edgeLimits });
    const bomb = compress(Buffer.alloc(50_000_000, ' '));
    const answer = await post(bomb, { 'content-encoding': encoding });
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'decompressed_too_large']);
    expect(counters.decompressedBytes).toBeLessThanOrEqual(1_000_000);
    const fits = await post(compress(Buffer.from(line(0).padEnd(1_000_000))), {
      'content-encoding': encoding,
    });
    expect(fits.json()).toMatchObject({ accepted: 1, rejectedTotal: 1 });
  });

  it('that says no length stops at the limit too', async () => {
    const { post, counters } = await setUp({ edgeLimits: { edgeBodyBytesMax: 1_000 } });
    const body = Readable.from([Buffer.from(line(0)), Buffer.alloc(1_000, '\n')]);
    const answer = await post(body, { 'transfer-encoding': 'chunked' });
    expect([answer.statusCode, answer.json().code]).toEqual([413, 'body_too_large']);
    expect(counters).toMatchObject({ bytesInFlight: 0, edgeGroupsOpen: 0 });
  });

  it('never brings a 5xx, whatever its bytes', async () => {
    const { post, counters } = await setUp({ edgeLimits: { edgeLineBytesMax: 100 } });
    const good = fc.nat({ max: 5 }).map((index) => Buffer.from(line(index)));
    const junk = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const json = fc.json().map((text) => Buffer.from(`${text}\n`));
    const body = fc.array(fc.oneof(good, junk, json), { maxLength: 8 });
    const encodings = fc.constantFrom('', 'identity', 'gzip', 'deflate', 'br');
    await fc.assert(
      fc.asyncProperty(body, encodings, fc.boolean(), async (pieces, encoding, honest) => {
        const plain = Buffer.concat(pieces);
        const compressed = honest ? compressedAs(plain, encoding) : plain;
        const answer = await post(compressed, { 'content-encoding': encoding });
        expect(answer.statusCode).toBeLessThan(500);
      }),
      { numRuns: 400 },
    );
    expect([counters.rejects.other, counters.refusals.other, counters.notes.other]).toEqual([
      0, 0, 0,
    ]);
    expect([counters.bytesInFlight, counters.edgeGroupsOpen]).toEqual([0, 0]);
  });
});

function compressedAs(plain: Buffer, encoding: string): Buffer {
  if (encoding === 'gzip') return gzipSync(plain);
  if (encoding === 'deflate') return deflateSync(plain);
  return encoding === 'br' ? brotli(plain) : plain;
}
