/** Requests around the bodies: types, encodings, methods, parameters and headers that are wrong, and bombs. */
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { harmed } from './harm.ts';
import { type Faults, watchFaults } from './oracles.ts';
import { RUNS_TIMEOUT_MS, runs } from './runs.ts';
import { fuzzTarget } from './target.ts';
import { WIRE_FORMS } from './wire-forms.ts';

let faults: Faults;
beforeAll(() => {
  faults = watchFaults();
});
afterAll(() => {
  faults.check();
  faults.stop();
});

/** At its default quality brotli takes seconds. */
function brotli(plain: Buffer): Buffer {
  return brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
}

const compressions = [gzipSync, deflateSync, deflateRawSync, brotli];
const anyForm = fc.constantFrom(...WIRE_FORMS);
const anyCompressed = fc
  .tuple(anyForm, fc.constantFrom(...compressions))
  .chain(([form, compress]) =>
    form.good.map((body) => ({ form, plain: body, sent: compress(body) })),
  );
const anyEncoding = fc.constantFrom(
  ...['gzip', 'x-gzip', 'deflate', 'br', 'GZIP ', 'identity', ''],
  ...['zstd', 'gzip, gzip', 'gzip;q=1', '*', 'br\tgzip', '__proto__'],
);
const anyType = fc.constantFrom(
  ...[
    'application/json',
    'text/plain;charset=utf-16',
    'APPLICATION/JSON ; a=b',
    'application/avro',
  ],
  ...[
    '',
    ';',
    'application',
    'application/',
    '/',
    'text/plain, application/json',
    'multipart/form-data',
  ],
  ...['application/cmcd', 'application/x-www-form-urlencoded', `text/${'x'.repeat(3_000)}`],
);

describe('a compressed body', () => {
  it(
    'that is damaged, cut, joined to another or called by another name is refused or taken',
    async () => {
      const { send, checkAlive } = await fuzzTarget();
      const anyBody = anyCompressed.chain(({ form, sent }) =>
        fc.record({
          form: fc.constant(form),
          encoding: anyEncoding,
          body: fc.oneof(
            fc.constant(sent),
            fc.constant(Buffer.concat([sent, sent])),
            fc.constant(Buffer.concat([sent, Buffer.from('tail')])),
            harmed(fc.constant(sent)),
          ),
        }),
      );
      await fc.assert(
        fc.asyncProperty(anyBody, async ({ form, encoding, body }) => {
          const headers = { 'content-type': form.type, 'content-encoding': encoding };
          const { statusCode } = await send({ url: form.url, headers, body });
          if (/^(?:zstd|gzip[,;]|\*|br\t|_)/.test(encoding)) expect(statusCode).toBe(415);
          faults.check();
        }),
        runs(400),
      );
      await checkAlive();
    },
    RUNS_TIMEOUT_MS,
  );

  const MANY = 24_000_000;
  it.each([
    ['gzip', gzipSync(Buffer.alloc(MANY))],
    ['gzip', Buffer.concat(Array.from({ length: 24 }, () => gzipSync(Buffer.alloc(MANY / 24))))],
    ['deflate', deflateSync(Buffer.alloc(MANY))],
    ['br', brotli(Buffer.alloc(MANY))],
  ])(
    'that grows beyond the limit is 413, in %s, and is not grown whole',
    async (encoding, body) => {
      const { send, counters, checkAlive } = await fuzzTarget();
      expect(body.length).toBeLessThan(100_000);
      for (const { url, type } of WIRE_FORMS.slice(0, 5)) {
        const headers = { 'content-type': type, 'content-encoding': encoding };
        const { statusCode, body: text } = await send({ url, headers, body });
        expect([statusCode, JSON.parse(text).code]).toEqual([413, 'decompressed_too_large']);
      }
      expect(counters.decompressedBytes).toBe(0);
      await checkAlive();
    },
  );
});

const anyHeaderValue = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('x'.repeat(8_000), '203.0.113.7', '"Chromium";v="1"', '?1', '\u00ff\u00fe', ','),
);
const anyHeaders = fc.dictionary(
  fc.constantFrom(
    ...['user-agent', 'sec-ch-ua', 'sec-ch-ua-platform', 'sec-ch-ua-model', 'sec-ch-ua-mobile'],
    ...['x-forwarded-for', 'origin', 'referer', 'cookie', 'authorization', 'accept', 'host'],
    ...['content-language', 'access-control-request-method', 'cmcd-request', 'range', '__proto__'],
  ),
  anyHeaderValue,
  { maxKeys: 6 },
);
const anyMethod = fc.constantFrom(
  ...(['POST', 'POST', 'POST', 'PUT', 'GET', 'OPTIONS', 'HEAD', 'DELETE', 'PATCH'] as const),
);

const oddText = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => encodeURIComponent(text.replace(/\p{Cs}/gu, ''))),
  fc.constantFrom(
    ...['', '%', '%zz', '%ff', '%00', '%c0%af', '+', 'dev', 'dev&key=x', '[]', 'a,a', ',', 'time:'],
    ...['time:ts,status:s', 'time:__proto__.x', 'time:constructor', 'tme:a', '%E2%98', '=', '&&=&'],
    ...['a,'.repeat(400), 'x'.repeat(5_000), `time:${'a.'.repeat(120)}`, 's', 'ns', 'fortnight'],
  ),
);
const anyQuery = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'key',
        'key[]',
        'fields',
        'map',
        'time_unit',
        'duration_unit',
        'cdn',
        '__proto__',
      ),
      oddText,
    ),
    { maxLength: 5 },
  )
  .map((pairs) => pairs.map(([name, text]) => `${name}=${text}`).join('&'));
const anyPath = fc.oneof(
  { weight: 6, arbitrary: anyForm.map(({ url }) => url.split('?', 1)[0] ?? '') },
  fc.constantFrom(
    ...[
      '/',
      '/v1',
      '/v1/',
      '/v1//beats',
      '/v1/beats/',
      '/v1/../v1/beats',
      '/v1/%62eats',
      '/v1/be%zzats',
    ],
    ...[
      '//evil.example/v1/beats',
      '/v1/edge/',
      '/v1/edge/nope',
      '/v1/edge/__proto__',
      '/v1/beats;a=b',
    ],
    ...['/v1/beats%00', `/v1/${'x'.repeat(4_000)}`, '/V1/BEATS', '/v1/beats%3Fkey=dev', '/%ff'],
  ),
);

describe('a request', () => {
  it(
    'with odd types, headers, methods, paths and parameters is refused or taken',
    async () => {
      const { send, checkAlive } = await fuzzTarget();
      const anyRequest = fc.tuple(
        ...([anyMethod, anyPath, anyQuery, anyHeaders, fc.option(anyType), anyForm] as const),
        fc.boolean(),
      );
      await fc.assert(
        fc.asyncProperty(
          anyRequest.chain(([method, path, query, headers, type, form, hasKey]) =>
            form.good.map((body) => ({
              ...{ method, body },
              url: `${path}?${query}${hasKey ? '&key=dev' : ''}`,
              headers: { ...headers, ...(type === null ? {} : { 'content-type': type }) },
            })),
          ),
          async (request) => {
            const isRead = request.method !== 'GET' && request.method !== 'HEAD';
            const answered = await send({
              ...request,
              body: isRead ? request.body : Buffer.alloc(0),
            });
            if (request.method !== 'POST' && request.method !== 'OPTIONS')
              expect(answered.logged).toEqual({ events: 0, requests: 0, rejects: 0 });
            faults.check();
          },
        ),
        runs(600),
      );
      await checkAlive();
    },
    RUNS_TIMEOUT_MS,
  );
});
