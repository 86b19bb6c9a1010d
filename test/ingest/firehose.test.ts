import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EnvelopeTaker } from '../../ingest/firehose.ts';
import { type Appended, bodiesOf, ingestServer, rememberingLog } from './ingest-server.ts';

/** A real-time record with the first fields of AWS's order: end, address, first byte, status, bytes, method, … */
const record = (path: string): string =>
  `1767225600.123\t203.0.113.7\t0.010\t200\t1000\tGET\thttps\tcdn.example.com\t${path}`;

const envelope = (texts: readonly string[]): string =>
  JSON.stringify({
    requestId: 'ed4acda5-034f-9f42-bba1-f29aea6d7d8f',
    timestamp: 1_767_225_600_000,
    records: texts.map((text) => ({ data: Buffer.from(text).toString('base64') })),
  });

const HEADERS = {
  'content-type': 'application/json',
  'x-amz-firehose-protocol-version': '1.0',
  'x-amz-firehose-request-id': 'ed4acda5-034f-9f42-bba1-f29aea6d7d8f',
  'x-amz-firehose-access-key': 'dev',
};

async function setUp() {
  const appended: Appended[] = [];
  const made = await ingestServer({ log: rememberingLog(appended), now: () => 1_767_225_601_000 });
  const deliver = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    made.server.inject({
      method: 'POST',
      url: '/v1/edge/cloudfront?fields=timestamp,c-ip,time-to-first-byte,sc-status,sc-bytes,cs-method,cs-protocol,cs-host,cs-uri-stem',
      payload,
      headers: { ...HEADERS, ...headers },
    });
  const paths = () =>
    bodiesOf(
      'edge',
      appended.map(({ value }) => value),
    ).flatMap(({ requests }) => requests.map(({ path }) => path));
  return { ...made, deliver, paths };
}

describe('a delivery of Firehose', () => {
  it('is unwrapped, with or without ends of lines, and answered as it expects', async () => {
    const { deliver, paths } = await setUp();
    const texts = [`${record('/a')}\n`, record('/b'), `${record('/c')}\n${record('/d')}\n`];
    const answer = await deliver(envelope(texts));
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      requestId: HEADERS['x-amz-firehose-request-id'],
      timestamp: 1_767_225_601_000,
    });
    expect(answer.headers['content-type']).toContain('application/json');
    expect(paths()).toEqual(['/a', '/b', '/c', '/d']);
  });

  it('may be compressed', async () => {
    const { deliver, paths } = await setUp();
    const body = gzipSync(envelope([record('/a')]));
    expect((await deliver(body, { 'content-encoding': 'gzip' })).statusCode).toBe(200);
    expect(paths()).toHaveLength(1);
  });

  it('needs a key that is known', async () => {
    const { deliver } = await setUp();
    const answer = await deliver(envelope([]), { 'x-amz-firehose-access-key': 'nonsense' });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'key_unknown']);
  });

  it.each([
    ['that is cut', envelope([record('/a')]).slice(0, -3)],
    ['that is cut in a record', envelope([record('/a')]).slice(0, 120)],
    ['that is no JSON', record('/a')],
    ['without records', '{"records":[]}'],
  ])('%s is 400', async (_, body) => {
    const { deliver } = await setUp();
    expect((await deliver(body)).statusCode).toBe(400);
  });
});

describe('the envelope', () => {
  const unwrap = async (pieces: readonly Buffer[]): Promise<string> => {
    const taken: Buffer[] = [];
    const taker = new EnvelopeTaker({
      sent: () => undefined,
      take: async (chunk) => {
        taken.push(Buffer.from(chunk));
        return undefined;
      },
    });
    for (const piece of pieces) await taker.take(piece);
    expect(taker.end()).toBeUndefined();
    return Buffer.concat(taken).toString('latin1');
  };

  it('gives each record whole, wherever it is cut and however its base64 is escaped', async () => {
    const escapedJson = (json: string): string =>
      json.replaceAll('/', '\\/').replaceAll('=', '\\u003d').replaceAll('+', '\\u002B');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        fc.boolean(),
        async (records, cuts, escaped) => {
          const texts = records.map((bytes) => Buffer.from(bytes).toString('base64'));
          const json = JSON.stringify({
            requestId: '"data":"x"',
            records: texts.map((data) => ({ data })),
          });
          const body = Buffer.from(escaped ? escapedJson(json) : json);
          const places = [0, ...cuts.map((cut) => cut % body.length), body.length].sort(
            (a, b) => a - b,
          );
          const pieces = places.slice(1).map((to, index) => body.subarray(places[index], to));
          const expected = records.map((bytes) => `${Buffer.from(bytes).toString('latin1')}\n`);
          expect(await unwrap(pieces)).toBe(expected.join(''));
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });
});
