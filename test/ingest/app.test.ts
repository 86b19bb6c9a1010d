import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openProjects } from '../../platform/projects.ts';
import { clientBeatsV1 } from '../../schemas/avro/client-beat.v1.ts';
import { fingerprintOf } from '../../schemas/fingerprint.ts';
import type { Appended, ServerChoices } from './ingest-server.ts';
import { beat, bodiesOf, ingestServer, playing, rememberingLog, silent } from './ingest-server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD = JSON.stringify(beat([playing(0)]));

async function setUp(choices: Partial<ServerChoices> = {}) {
  const appended: Appended[] = [];
  const made = await ingestServer({ log: rememberingLog(appended), ...choices });
  const post = (
    url: string,
    payload: string | Buffer,
    headers: Record<string, string> = JSON_TYPE,
  ) => made.server.inject({ method: 'POST', url, payload, headers });
  return { ...made, appended, post };
}

/** The key is hashed by the projects, so any double works that knows it. */
const withKeyThatIs = (state: 'expired' | 'revoked') => ({
  findWriteKey: () => state,
});

describe('ingest refuses', () => {
  it('a request without a key, or with an unknown one, before it reads the body', async () => {
    const { post, counters } = await setUp();
    for (const [url, code] of [
      ['/v1/beats', 'key_missing'],
      ['/v1/beats?key=', 'key_missing'],
      ['/v1/beats?key=nonsense', 'key_unknown'],
      [`/v1/beats?key=${'x'.repeat(5_000)}`, 'key_unknown'],
      ['/v1/cmcd', 'key_missing'],
    ] as const) {
      const answer = await post(url, '{');
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ code, status: 401, title: expect.any(String) });
    }
    expect(counters.refusals.key_missing).toBe(3);
    expect(counters.bodyBytes).toBe(0);
  });

  it.each(['expired', 'revoked'] as const)(
    'a key that is %s: 410 tells CMCD players to stop',
    async (state) => {
      const { post } = await setUp({ projects: withKeyThatIs(state) });
      const cmcd = await post('/v1/cmcd?key=k', 'sid="a"', { 'content-type': 'application/cmcd' });
      expect([cmcd.statusCode, cmcd.json().code, cmcd.json().status]).toEqual([
        410,
        `key_${state}`,
        410,
      ]);
      const beats = await post('/v1/beats?key=k', GOOD);
      expect([beats.statusCode, beats.json().code]).toEqual([401, `key_${state}`]);
    },
  );

  it('a key whose time has come, by the clock of the projects', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ingest-keys-'));
    const file = join(directory, 'projects.json');
    const writeKeys = [{ key: 'k', expiresAt: '2030-01-01T00:00:00Z' }];
    const project = { id: 'p', writeKeys, readTokens: [], rawViewerIds: true };
    writeFileSync(file, JSON.stringify({ projects: [project] }));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    let nowMs = Date.parse('2029-12-31T23:59:59Z');
    const now = () => nowMs;
    const projects = openProjects({
      file,
      host: '0.0.0.0',
      logger: silent,
      now,
      watchIntervalMs: 0,
    });
    const { post } = await setUp({ projects });
    expect((await post('/v1/beats?key=k', GOOD)).statusCode).toBe(202);
    nowMs += 1_000;
    expect((await post('/v1/beats?key=k', GOOD)).json().code).toBe('key_expired');
  });

  it('a body that is too large, by its header and by its bytes', async () => {
    const { server, post } = await setUp({ limits: { bodyBytesMax: 1_024 } });
    const large = `${GOOD}${' '.repeat(2_000)}`;
    const byHeader = await post('/v1/beats?key=dev', large);
    expect([byHeader.statusCode, byHeader.json().code]).toEqual([413, 'body_too_large']);
    const chunked = await server.inject({
      method: 'POST',
      url: '/v1/beats?key=dev',
      payload: Readable.from([Buffer.from(GOOD), Buffer.alloc(2_000, ' ')]),
      headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
    });
    expect([chunked.statusCode, chunked.json().code]).toEqual([413, 'body_too_large']);
    expect(chunked.headers.connection).toBe('close');
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('a bomb in %s, at the limit and not after it', async (encoding, compress) => {
    const { post, counters } = await setUp({ limits: { decompressedBytesMax: 100_000 } });
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    const bomb = await post('/v1/beats?key=dev', compress(Buffer.alloc(100_001, ' ')), headers);
    expect([bomb.statusCode, bomb.json().code]).toEqual([413, 'decompressed_too_large']);
    const fits = await post('/v1/beats?key=dev', compress(GOOD.padEnd(100_000)), headers);
    expect(fits.statusCode).toBe(202);
    expect(counters.bytesInFlight).toBe(0);
    expect(counters.requestsInFlight).toBe(0);
  });

  it.each([
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415, 'type_unknown'],
    [{ 'content-type': 'application/xml' }, 415, 'type_unknown'],
    [{ 'content-type': 'application/octet-stream' }, 415, 'type_unknown'],
    [{ 'content-type': 'nonsense' }, 415, 'type_unknown'],
    [{ ...JSON_TYPE, 'content-encoding': 'zstd' }, 415, 'encoding_unknown'],
    [{ ...JSON_TYPE, 'content-encoding': 'gzip, gzip' }, 415, 'encoding_unknown'],
    [{ ...JSON_TYPE, 'content-encoding': 'gzip' }, 400, 'encoding_malformed'],
    [{ ...JSON_TYPE, 'content-encoding': 'deflate' }, 400, 'encoding_malformed'],
    [{ ...JSON_TYPE, 'content-encoding': 'br' }, 400, 'encoding_malformed'],
  ])('headers %j with %i %s', async (headers, status, code) => {
    const { post } = await setUp();
    const answer = await post('/v1/beats?key=dev', GOOD, headers as Record<string, string>);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
  });

  it('a compressed body that was cut', async () => {
    const { post } = await setUp();
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    const answer = await post('/v1/beats?key=dev', gzipSync(GOOD).subarray(0, 40), headers);
    expect(answer.json().code).toBe('encoding_malformed');
  });

  it('a body that cannot be read, and keeps it as a reject', async () => {
    const { post, appended, counters } = await setUp();
    const answer = await post('/v1/beats?key=dev', '{"view": ');
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'body_malformed']);
    expect((await post('/v1/beats?key=dev', '')).json().code).toBe('body_empty');
    const cmcd = await post('/v1/cmcd?key=dev', '\u0001\u0002', { 'content-type': 'text/cmcd' });
    expect(cmcd.statusCode).toBe(400);
    const [first] = bodiesOf(
      'reject',
      appended.map(({ value }) => value),
    );
    expect(first).toMatchObject({ project: 'default', code: 'body_malformed', route: '/v1/beats' });
    expect(first?.bytes.toString()).toBe('{"view": ');
    expect(counters.rejects.body_malformed).toBe(1);
  });

  it.each([
    ['log_overloaded', '/v1/beats', 503, 'log_unavailable'],
    ['log_unavailable', '/v1/beats', 503, 'log_unavailable'],
    ['log_closed', '/v1/beats', 503, 'log_unavailable'],
    ['log_overloaded', '/v1/cmcd', 429, 'overloaded'],
    ['log_unavailable', '/v1/cmcd', 503, 'log_unavailable'],
  ] as const)(
    'when the log says %s on %s: %i %s, come back',
    async (failure, path, status, code) => {
      const { post, counters } = await setUp({ log: rememberingLog([], failure) });
      const body =
        path === '/v1/beats' ? GOOD : JSON.stringify({ sid: 'a', ts: 1_767_225_600_000 });
      const answer = await post(`${path}?key=dev`, body);
      expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
      expect(answer.headers['retry-after']).toBe('1');
      expect(counters.acceptedEvents).toBe(0);
    },
  );

  it('what nobody foresaw as internal, without saying what it was', async () => {
    const log = {
      ...rememberingLog([]),
      append: () => Promise.reject(new Error('secret path /x')),
    };
    const { post } = await setUp({ log });
    const answer = await post('/v1/beats?key=dev', GOOD);
    expect([answer.statusCode, answer.json().code]).toEqual([500, 'internal']);
    expect(answer.body).not.toContain('secret');
  });

  it('a key that is over its rate, until it rested', async () => {
    let nowMs = 0;
    const { post } = await setUp({ limits: { keyRequestsPerSecondMax: 2 }, now: () => nowMs });
    const status = async (key: string) => (await post(`/v1/beats?key=${key}`, GOOD)).statusCode;
    expect([await status('dev'), await status('dev'), await status('dev')]).toEqual([
      202, 202, 429,
    ]);
    expect(await status('dev-trusted')).toBe(202);
    nowMs = 500;
    expect([await status('dev'), await status('dev')]).toEqual([202, 429]);
  });

  it('more requests than it may work on at once', async () => {
    const waiting: (() => void)[] = [];
    const log = {
      ...rememberingLog([]),
      append: () =>
        new Promise<{ offset: number; appendTimeMs: number }>((resolve) => {
          waiting.push(() => resolve({ offset: 0, appendTimeMs: 0 }));
        }),
    };
    const { post } = await setUp({ log, limits: { requestsInFlightMax: 1 } });
    const first = post('/v1/beats?key=dev', GOOD);
    await expect.poll(() => waiting.length).toBe(1);
    const second = await post('/v1/beats?key=dev', GOOD);
    expect([second.statusCode, second.json().code]).toEqual([503, 'overloaded']);
    expect(second.headers['retry-after']).toBe('1');
    waiting[0]?.();
    expect((await first).statusCode).toBe(202);
  });

  it('more bytes than it may hold at once', async () => {
    const { post, counters } = await setUp({ limits: { bytesInFlightMax: 10 } });
    const answer = await post('/v1/cmcd?key=dev', GOOD);
    expect([answer.statusCode, answer.json().code]).toEqual([429, 'overloaded']);
    expect(counters.bytesInFlight).toBe(0);
  });

  it('what is not there', async () => {
    const { post } = await setUp();
    for (const path of ['/v1/nothing', '/v1/edge/other']) {
      expect((await post(`${path}?key=dev`, '{}')).json().code).toBe('not_found');
    }
  });
});

describe('ingest', () => {
  it('takes beats in Avro as it takes them in JSON', async () => {
    const type = avro.Type.forSchema(clientBeatsV1 as avro.Schema);
    const body = { 'streamgauge.client.v1.State': { state: 'playing' } };
    const event = { seq: 0, at: 1_767_225_600_000, body };
    const sent = { beats: [{ view: 'view-1', sentAt: null, context: {}, events: [event] }] };
    const head = Buffer.concat([Buffer.from([0xc3, 1]), fingerprintOf(type)]);
    const { post, appended } = await setUp();
    const answer = await post('/v1/beats?key=dev', Buffer.concat([head, type.toBuffer(sent)]), {
      'content-type': 'application/avro',
    });
    expect([answer.statusCode, answer.json().accepted]).toEqual([202, 1]);
    await post('/v1/beats?key=dev', GOOD);
    expect(appended[0]).toEqual(appended[1]);
  });

  it('never answers 5xx to JSON, whatever it says', async () => {
    const { post, counters } = await setUp();
    const event = fc.record({ seq: fc.nat(), at: fc.nat(), type: fc.jsonValue() });
    const one = fc.record({
      view: fc.jsonValue(),
      events: fc.array(fc.oneof(event, fc.jsonValue())),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.array(one).map((value) => JSON.stringify(value)),
        ),
        fc.constantFrom('/v1/beats', '/v1/cmcd'),
        async (body, path) => {
          const answer = await post(`${path}?key=dev`, body);
          expect(answer.statusCode).toBeLessThan(500);
        },
      ),
      { numRuns: 200 },
    );
    // Every code is in the tables.
    expect([counters.rejects.other, counters.refusals.other, counters.notes.other]).toEqual([
      0, 0, 0,
    ]);
  });

  it('answers a preflight from anywhere, and lets the sender read refusals', async () => {
    const { server, post } = await setUp();
    const preflight = await server.inject({
      method: 'OPTIONS',
      url: '/v1/cmcd?key=dev',
      headers: {
        origin: 'https://player.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-anything',
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('https://player.example');
    expect(preflight.headers['access-control-allow-headers']).toBe('content-type,x-anything');
    expect(preflight.headers['access-control-allow-methods']).toBe('POST');
    const refused = await post('/v1/beats', GOOD, { ...JSON_TYPE, origin: 'https://a.example' });
    expect(refused.headers['access-control-allow-origin']).toBe('https://a.example');
  });

  it('takes the key of the header before that of the query, and passes over Basic', async () => {
    const { post } = await setUp();
    const status = async (url: string, authorization: string) =>
      (await post(url, GOOD, { ...JSON_TYPE, authorization })).statusCode;
    expect(await status('/v1/beats', 'Bearer dev')).toBe(202);
    expect(await status('/v1/beats', 'bearer dev')).toBe(202);
    expect(await status('/v1/beats?key=dev', 'Bearer wrong')).toBe(401);
    expect(await status('/v1/beats?key=dev', 'Basic ZGV2OmRldg==')).toBe(202);
  });

  it('caps the records and the list of rejects, and says how many there were', async () => {
    const limits = { rejectRecordsMax: 2, rejectedListMax: 1, rejectBytesMax: 10 };
    const { post, appended, counters } = await setUp({ limits });
    const body = JSON.stringify(beat([playing(0), 1, 2, { seq: 'a long one' }, {}]));
    const answer = await post('/v1/beats?key=dev', body);
    expect(answer.json()).toMatchObject({ accepted: 1, rejectedTotal: 4 });
    expect(answer.json().rejected).toEqual([
      { beat: 0, event: 1, code: 'event_not_object', message: expect.any(String) },
    ]);
    const rejects = bodiesOf(
      'reject',
      appended.map(({ value }) => value),
    );
    expect(rejects.map(({ code }) => code)).toEqual([
      'event_not_object',
      'event_not_object',
      'rejects_capped',
    ]);
    expect(rejects[2]?.message).toContain('seq_invalid 2');
    expect(rejects[2]?.bytes).toHaveLength(10);
    expect(counters.rejects.seq_invalid).toBe(2);
    // The rejects of a view are where its beats are.
    expect(new Set(appended.map(({ partition }) => partition)).size).toBe(1);
  });

  it('splits a beat that is too large for a record, and says its context once', async () => {
    const { post, appended } = await setUp({ limits: { recordBytesMax: 300 } });
    const events = Array.from({ length: 40 }, (_, seq) => playing(seq));
    const answer = await post(
      '/v1/beats?key=dev',
      JSON.stringify(beat(events, { context: { cdn: 'a' } })),
    );
    expect(answer.json()).toMatchObject({ accepted: 40, rejected: [] });
    const beats = bodiesOf(
      'beat',
      appended.map(({ value }) => value),
    );
    expect(beats.length).toBeGreaterThan(1);
    expect(beats.flatMap((one) => one.events.map(({ seq }) => seq))).toEqual(
      events.map((_, seq) => seq),
    );
    expect(beats.map((one) => one.context.length)).toEqual(
      beats.map((_, index) => (index ? 0 : 1)),
    );
    for (const { value } of appended) expect(value.length).toBeLessThanOrEqual(300);
  });

  it('rejects an event that fits into no record', async () => {
    const { post, appended } = await setUp({ limits: { recordBytesMax: 300 } });
    const long = { seq: 1, at: 1_767_225_600_000, type: 'error', message: 'x'.repeat(500) };
    const answer = await post('/v1/beats?key=dev', JSON.stringify(beat([playing(0), long])));
    expect(answer.json()).toMatchObject({
      accepted: 1,
      rejected: [{ beat: 0, code: 'event_too_large' }],
    });
    const values = appended.map(({ value }) => value);
    expect(bodiesOf('beat', values)).toHaveLength(1);
    expect(bodiesOf('reject', values)).toMatchObject([{ code: 'event_too_large', view: 'view-1' }]);
  });
});
