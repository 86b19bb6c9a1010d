import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EdgeRequest } from '../../schemas/records.ts';
import { CORPUS } from '../support/corpus.ts';
import { CONVERSIONS, type Conversion, type NginxLine } from './edge-conversions.ts';
import { type Appended, bodiesOf, ingestServer, rememberingLog } from './ingest-server.ts';

async function setUp(fastlyServiceIds: readonly string[] = []) {
  const appended: Appended[] = [];
  const made = await ingestServer({ log: rememberingLog(appended), fastlyServiceIds });
  const post = (
    url: string,
    payload: string | Buffer | Readable,
    headers: Record<string, string> = {},
  ) =>
    made.server.inject({
      method: 'POST',
      url,
      payload,
      headers: { 'content-type': 'text/plain', ...headers },
    });
  const values = () => appended.map(({ value }) => value);
  const records = () => bodiesOf('edge', values());
  const rejects = () => bodiesOf('reject', values());
  return { ...made, post, records, rejects };
}

type Figures = Omit<EdgeRequest, 'identity'> & { readonly view: string };

/** Requests as a body brought them, without what no two formats share, in the order of path and end. */
function figures(records: ReturnType<typeof bodiesOf<'edge'>>): Figures[] {
  return records
    .flatMap(({ view, requests }) =>
      requests.map(({ identity: _, ...rest }) => ({ view, ...rest })),
    )
    .map((one) => ({ ...one, cdn: '', cache: '', originMs: -1 }))
    .sort((left, right) => order(left) - order(right) || (left.path < right.path ? -1 : 1));
}

const order = ({ endAt, bytes }: Figures) => Math.floor(endAt / 1_000) * 1e7 + bytes;

/** A request as a format that cannot carry all of it would have it. */
function without({ lost, wholeSeconds }: Conversion, hasHeaders: boolean) {
  return (one: Figures): Figures => ({
    ...one,
    endAt: wholeSeconds ? Math.floor(one.endAt / 1_000) * 1_000 : one.endAt,
    durationMs: lost.includes('durationMs') ? -1 : one.durationMs,
    ttfbMs: lost.includes('ttfbMs') ? -1 : one.ttfbMs,
    host: lost.includes('host') ? '' : one.host,
    protocol: lost.includes('protocol') ? '' : one.protocol,
    aborted: lost.includes('aborted') ? false : one.aborted,
    ...(lost.includes('headerCmcd') && hasHeaders ? { view: '', cmcd: [] } : {}),
  });
}

function recorded(name: string): NginxLine[] {
  return readFileSync(join(CORPUS, name, 'access.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NginxLine);
}

async function figuresOf(url: string, lines: readonly string[]) {
  const { post, records } = await setUp();
  const answer = await post(url, `${lines.join('\n')}\n`);
  expect([answer.statusCode, answer.json().rejected]).toEqual([202, []]);
  return { figures: figures(records()), answer: answer.json() };
}

describe.each([
  ['hls-v1q-throttled', false],
  ['hls-v2q-close', false],
  ['shaka-v2q-live-throttled', false],
  ['dash-v1h-throttled', true],
])('the access log of %s', (name, hasHeaders) => {
  it.each(Object.entries(CONVERSIONS))('gives the same figures as %s', async (_, conversion) => {
    const lines = recorded(name);
    const own = await figuresOf(
      '/v1/edge/nginx?key=dev',
      lines.map((line) => JSON.stringify(line)),
    );
    const converted = lines.map(conversion.lineOf);
    const other = await figuresOf(conversion.url, [...(conversion.head ?? []), ...converted]);
    expect(other.answer).toEqual(own.answer);
    const expected = own.figures.map(without(conversion, hasHeaders));
    expect(other.figures).toEqual(expected);
    expect(expected.length).toBeGreaterThan(20);
  });
});

const LF = Buffer.from('\n');
const LINE = { time: 1_795_326_184, status: 200, url: '/a.ts?CMCD=sid%3D%22v%22' };

describe('a route of edge logs', () => {
  it('says of each record which format it came in', async () => {
    for (const [url, line] of [
      ['/v1/edge/fastly?key=dev', { 'time.start': 1_795_326_184, 'resp.status': 200 }],
      ['/v1/edge/akamai?key=dev', { reqTimeSec: 1_795_326_184, statusCode: 200 }],
      ['/v1/edge/cloudfront?key=dev', { timestamp: 1_795_326_184, 'sc-status': 200 }],
      ['/v1/edge/cloudflare?key=dev', { EdgeEndTimestamp: 1_795_326_184, EdgeResponseStatus: 200 }],
    ] as const) {
      const { post, records } = await setUp();
      expect((await post(url, JSON.stringify(line))).json().accepted).toBe(1);
      const [record] = records();
      expect(url).toContain(record?.format);
      expect(record?.requests[0]?.cdn).toBe(record?.format);
    }
  });

  it('knows the CDN of lines that do not say theirs', async () => {
    const { post, records } = await setUp();
    const own = { msec: 1_795_326_184, status: 200, cdn: 'theirs' };
    await post('/v1/edge/ndjson?key=dev&cdn=mine', JSON.stringify(LINE));
    await post('/v1/edge/nginx?key=dev&cdn=mine', JSON.stringify({ ...own, cdn: '' }));
    await post('/v1/edge/nginx?key=dev&cdn=mine', JSON.stringify(own));
    const cdns = records().flatMap(({ requests }) => requests.map(({ cdn }) => cdn));
    expect(cdns).toEqual(['mine', 'mine', 'theirs']);
  });

  it.each([
    ['cloudfront?fields=timestamp,,sc-status', 'empty name'],
    ['akamai?fields=reqTimeSec,reqTimeSec', 'reqTimeSec twice'],
    [
      `akamai?fields=${Array.from({ length: 257 }, (_, index) => index).join(',')}`,
      'more than 256',
    ],
    ['ndjson?map=tme:ts', 'knows no tme'],
    ['ndjson?map=time', 'pairs NAME:FIELD'],
    ['ndjson?time_unit=hours', '`time_unit` is none of s, ms, us, ns'],
    ['ndjson?duration_unit=constructor', '`duration_unit` is none of'],
    [`nginx?cdn=${'x'.repeat(65)}`, '`cdn` has more than 64'],
  ])('refuses a parameter that cannot be used: %.60s', async (path, detail) => {
    const { post, counters, rejects } = await setUp();
    const answer = await post(`/v1/edge/${path}&key=dev`, JSON.stringify(LINE));
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_invalid']);
    expect(answer.json().detail).toContain(detail);
    expect([counters.bodyBytes, counters.refusals.request_invalid, rejects()]).toEqual([0, 1, []]);
  });

  it('takes a file in gzip that is not said to be, cut anywhere', async () => {
    const file = gzipSync(`${JSON.stringify(LINE)}\n`.repeat(3));
    const { post } = await setUp();
    const types = ['application/gzip', 'application/octet-stream', 'text/plain'];
    for (const type of types) {
      const answer = await post('/v1/edge/ndjson?key=dev', file, { 'content-type': type });
      expect(answer.json()).toMatchObject({ accepted: 3, rejectedTotal: 0 });
    }
    const bytewise = Readable.from([...file].map((byte) => Buffer.from([byte])));
    expect((await post('/v1/edge/ndjson?key=dev', bytewise)).json().accepted).toBe(3);
    const cut = await post('/v1/edge/ndjson?key=dev', file.subarray(0, 20));
    expect([cut.statusCode, cut.json().code]).toEqual([400, 'encoding_malformed']);
    for (const body of ['\u001f', 'x']) {
      const short = await post('/v1/edge/ndjson?key=dev', body);
      expect([short.statusCode, short.json().code]).toEqual([400, 'body_malformed']);
    }
  });

  it('counts what tells of no request, and rejects nothing of it', async () => {
    const { post, counters, rejects } = await setUp();
    const test = gzipSync('{"content":"tests"}');
    for (const [url, body, headers] of [
      ['/v1/edge/cloudflare?key=dev', test, { 'content-encoding': 'gzip' }],
      ['/v1/edge/cloudflare?key=dev', test, {}],
      ['/v1/edge/akamai?key=dev', '{"access_validation":true}', {}],
      ['/v1/edge/cloudfront?key=dev', '#Version: 1.0\n#Fields: date time\n', {}],
    ] as const) {
      const answer = await post(url, body, headers);
      expect(answer.statusCode).toBe(202);
      expect(answer.json()).toEqual({ accepted: 0, preflights: 0, rejected: [], rejectedTotal: 0 });
    }
    expect([counters.notes.line_left_out, counters.bytesInFlight, rejects()]).toEqual([5, 0, []]);
    expect(counters.notes.other).toBe(0);
  });

  it('keeps the good lines beside bad ones, and says what to send when all are bad', async () => {
    const columns = 'fields=timestamp,sc-status,cs-uri-stem';
    const { post, records, rejects } = await setUp();
    const body = '1795326184\t200\t/a.ts\n1795326184\t200\n-\t200\t/b.ts\n1795326184\t404\t/c.ts\n';
    const answer = await post(`/v1/edge/cloudfront?key=dev&${columns}`, body);
    expect(answer.json()).toMatchObject({
      accepted: 2,
      rejected: [
        { line: 2, code: 'line_columns_unexpected' },
        { line: 3, code: 'line_fields_missing' },
      ],
    });
    expect(
      records()
        .flatMap(({ requests }) => requests.map(({ path }) => path))
        .sort(),
    ).toEqual(['/a.ts', '/c.ts']);
    expect(rejects().map(({ code }) => code)).toEqual([
      'line_columns_unexpected',
      'line_fields_missing',
    ]);
    const wrong = await post('/v1/edge/cloudfront?key=dev', body);
    expect([wrong.statusCode, wrong.json().code]).toEqual([400, 'body_malformed']);
    expect(wrong.json().detail).toContain('?fields=');
  });
});

describe('a damaged edge log', () => {
  const lines = recorded('hls-v1q-throttled').slice(0, 40);

  it.each(Object.entries(CONVERSIONS))('never brings a 5xx: %s', async (_, { url, lineOf }) => {
    const { post, counters, records } = await setUp();
    const line = fc.constantFrom(...lines).map((one) => Buffer.from(lineOf(one)));
    const damage = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 8 }), fc.nat({ max: 20 }));
    const damaged = fc.tuple(line, damage).map(([bytes, [place, junk, cut]]) => {
      const at = place % bytes.length;
      return Buffer.concat([bytes.subarray(0, at), junk, bytes.subarray(at + cut)]);
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damaged, { minLength: 1, maxLength: 5 }), async (pieces) => {
        const answer = await post(url, Buffer.concat(pieces.flatMap((one) => [one, LF])));
        expect([202, 400]).toContain(answer.statusCode);
      }),
      { numRuns: 100 },
    );
    expect([counters.rejects.other, counters.notes.other, counters.bytesInFlight]).toEqual([
      0, 0, 0,
    ]);
    for (const { requests } of records()) {
      for (const request of requests) {
        expect(request.path).not.toMatch(/[?#]/);
        for (const value of Object.values(request)) {
          if (typeof value === 'number') expect(Number.isSafeInteger(value)).toBe(true);
        }
      }
    }
  });
});

describe('a rejected line of an edge log', () => {
  it('is kept without the address of its client and without tokens', async () => {
    const { post, rejects, counters } = await setUp();
    const good = JSON.stringify({ msec: 1_795_326_184, status: 200 });
    const bad = '{"remote_addr":"203.0.113.7","request_uri":"/a?token=secret&CMCD=su"}';
    expect((await post('/v1/edge/nginx?key=dev', `${good}\n${bad}\n`)).json().accepted).toBe(1);
    expect(rejects()[0]?.bytes.toString()).toBe(
      '{"remote_addr":"203.0.113.0","request_uri":"/a?token=-&CMCD=su"}',
    );
    expect(counters.bytesInFlight).toBe(0);
  });
});

describe('the challenge of Fastly', () => {
  const PATH = '/.well-known/fastly/logging/challenge';
  const ask = async (ids: readonly string[]) => (await setUp(ids)).server.inject({ url: PATH });

  it('is answered with the hash of each service, one in each line', async () => {
    const ids = ['SU1Z0isxPaozGVKXdv0eY', 'K3utIQUrsxaZcA3sFYbvc7'];
    const answer = await ask(ids);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('text/plain');
    const hashes = ids.map((id) => createHash('sha256').update(id).digest('hex'));
    expect(answer.body).toBe(`${hashes.join('\n')}\n`);
    expect(answer.body).not.toContain(ids[0]);
  });

  it('lets any service try with a star, and is not there without services', async () => {
    expect((await ask(['*'])).body).toBe('*\n');
    expect((await ask([])).statusCode).toBe(404);
  });
});
