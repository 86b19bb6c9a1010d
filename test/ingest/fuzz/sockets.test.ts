/** What an HTTP client cannot send: bytes on a socket, whole, in pieces, damaged, or never finished. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logSerializers } from '../../../platform/http/redact.ts';
import { createServer, SERVER_LIMITS } from '../../../platform/http/server.ts';
import { until } from '../../support/running.ts';
import {
  type Appended,
  beat,
  type IngestServer,
  ingestServer,
  playing,
  rememberingLog,
} from '../ingest-server.ts';
import { harmed } from './harm.ts';
import { checkRecords, type Faults, watchFaults } from './oracles.ts';
import { RUNS_TIMEOUT_MS, runs } from './runs.ts';

const KEY = 'planted-write-key';
const BODY = JSON.stringify(beat([playing(0)]));
const HEADERS = 'Host: ingest\r\nContent-Type: application/json\r\n';
const WITH_LENGTH = `${HEADERS}Content-Length: ${BODY.length}\r\n`;
const POST = 'POST /v1/beats?key=dev HTTP/1.1\r\n';
const GOOD = `${POST}${WITH_LENGTH}\r\n${BODY}`;

let faults: Faults;
let ingest: IngestServer;
let port: number;
const appended: Appended[] = [];
const logLines: string[] = [];

beforeAll(async () => {
  faults = watchFaults();
  const destination = { write: (line: string) => void logLines.push(line) };
  const logger = pino({ level: 'trace', serializers: logSerializers }, destination);
  ingest = await ingestServer({ log: rememberingLog(appended), server: createServer(logger) });
  await ingest.server.listen({ port: 0, host: '127.0.0.1' });
  port = (ingest.server.server.address() as AddressInfo).port;
});

afterAll(async () => {
  await ingest.server.close();
  faults.check();
  faults.stop();
});

/** Sends pieces, ends its side, and takes what comes until the other side ends too. */
async function exchange(...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => got.push(chunk));
  // A server that refuses closes while the rest is still being sent: EPIPE and ECONNRESET are answers too.
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    if (socket.destroyed) break;
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  }
  socket.end();
  await closed;
  return Buffer.concat(got).toString('latin1');
}

const statusesOf = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

async function checkQuiet(): Promise<void> {
  await until(
    () => Promise.resolve(ingest.counters.requestsInFlight + ingest.counters.bytesInFlight),
    (held) => held === 0,
    20_000,
  );
  faults.check();
}

const chunk = (text: string, size = text.length.toString(16)) => `${size}\r\n${text}\r\n`;
const CHUNKED = `${POST}${HEADERS}Transfer-Encoding: chunked\r\n\r\n`;

describe('a request on a socket', () => {
  it.each<[string, readonly number[], string]>([
    ['HTTP/1.0', [202], GOOD.replace('HTTP/1.1', 'HTTP/1.0')],
    ['three in one piece', [202, 202, 202], GOOD.repeat(3)],
    [
      'in chunks of one byte',
      [202],
      `${CHUNKED}${[...BODY].map((one) => chunk(one)).join('')}0\r\n\r\n`,
    ],
    [
      'in chunks with extensions and a trailer',
      [202],
      `${CHUNKED}${chunk(BODY, `000${BODY.length.toString(16).toUpperCase()};a=b`)}0\r\nX: y\r\n\r\n`,
    ],
    ['with a chunk of no size', [400], `${CHUNKED}${chunk(BODY, 'zz')}`],
    ['with a chunk of more than any size', [400], `${CHUNKED}${chunk(BODY, 'f'.repeat(17))}`],
    ['with chunks that never end', [400], `${CHUNKED}${chunk(BODY)}`],
    [
      'with a length that is too long',
      [400],
      `${POST}${HEADERS}Content-Length: 9999\r\n\r\n${BODY}`,
    ],
    ['with two lengths', [400], `${POST}${WITH_LENGTH}Content-Length: 1\r\n\r\n${BODY}`],
    [
      'with a length and chunks',
      [400],
      GOOD.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n'),
    ],
    ['with a length below zero', [400], `${POST}${HEADERS}Content-Length: -1\r\n\r\n`],
    [
      'with a length beyond all numbers',
      [400],
      `${POST}${HEADERS}Content-Length: ${'9'.repeat(30)}\r\n\r\n`,
    ],
    ['with a length beyond the limit', [413], `${POST}${HEADERS}Content-Length: 99999999\r\n\r\n`],
    [
      'compressed twice',
      [415],
      GOOD.replace('Host', 'Content-Encoding: gzip\r\nContent-Encoding: br\r\nHost'),
    ],
    [
      'with a header that is too long',
      [431],
      GOOD.replace('Host', `X: ${'x'.repeat(20_000)}\r\nHost`),
    ],
    // Those beyond 2,000 are left out by Node's parser, the host among them.
    ['with too many headers', [400], GOOD.replace('Host', `${'X: y\r\n'.repeat(5_000)}Host`)],
    [
      'with a URL that is too long',
      [431],
      GOOD.replace('key=dev', `key=dev&x=${'x'.repeat(20_000)}`),
    ],
    ['with a method that is none', [400], GOOD.replace('POST', 'BREW')],
    ['with a method for others', [404], 'PROPFIND /v1/beats HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['for everything', [404], 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['for a tunnel', [], 'CONNECT ingest:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['for a whole URL', [202], GOOD.replace('/v1', 'http://evil.example/v1')],
    ['without a host', [400], GOOD.replace('Host: ingest\r\n', '')],
    ['that wants to go on', [100, 202], GOOD.replace('Host', 'Expect: 100-continue\r\nHost')],
    ['that wants what nobody knows', [417], GOOD.replace('Host', 'Expect: a miracle\r\nHost')],
    [
      'that wants another protocol',
      [202],
      GOOD.replace('Host', 'Connection: upgrade\r\nUpgrade: h2c\r\nHost'),
    ],
    ['with NUL in a header', [400], GOOD.replace('Host', 'X: a\0b\r\nHost')],
    ['with a space in the name of a header', [400], GOOD.replace('Host', 'X y: z\r\nHost')],
    ['with a header on two lines', [400], GOOD.replace('Host', 'X: y\r\n z\r\nHost')],
    ['with line feeds only', [400], GOOD.replaceAll('\r\n', '\n')],
    ['of HTTP/2', [400], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['that is none: TLS', [400], '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['that is none: a line', [400], 'hello\r\n'],
    ['that is nothing', [], ''],
  ])('%s is answered', async (_, statuses, text) => {
    appended.length = 0;
    expect(statusesOf(await exchange(Buffer.from(text, 'latin1')))).toEqual(statuses);
    checkRecords(appended);
    await checkQuiet();
    expect(statusesOf(await exchange(GOOD))).toEqual([202]);
  });

  it('with a length that is too short is refused, and the rest is no request', async () => {
    const text = await exchange(`${POST}${HEADERS}Content-Length: 9\r\n\r\n${BODY}`);
    // The second refusal may end the connection before the first was written.
    expect(new Set(statusesOf(text))).toEqual(new Set([400]));
    await checkQuiet();
  });

  it(
    'that is damaged anywhere is refused or taken',
    async () => {
      const good = [
        GOOD,
        `${CHUNKED}${chunk(BODY)}0\r\n\r\n`,
        `OPTIONS /v1/beats HTTP/1.1\r\n${HEADERS}Origin: https://p.example\r\nAccess-Control-Request-Method: POST\r\n\r\n`,
        `POST /v1/edge/ndjson?key=dev&map=time:t HTTP/1.1\r\n${HEADERS}Content-Length: 2\r\n\r\n{}`,
      ];
      const anyBytes = harmed(fc.constantFrom(...good).map((text) => Buffer.from(text)));
      await fc.assert(
        fc.asyncProperty(anyBytes, fc.nat(400), async (bytes, cut) => {
          appended.length = 0;
          const text = await exchange(bytes.subarray(0, cut), bytes.subarray(cut));
          for (const status of statusesOf(text)) expect(status).toBeLessThan(500);
          const refusals = statusesOf(text).filter((status) => status >= 400).length;
          expect(text.split('"code":"').length - 1).toBeGreaterThanOrEqual(refusals);
          checkRecords(appended);
        }),
        runs(250),
      );
      await checkQuiet();
      expect(statusesOf(await exchange(GOOD))).toEqual([202]);
    },
    RUNS_TIMEOUT_MS,
  );

  it('that is never finished holds nobody up, and is forgotten when its sender goes', async () => {
    const { counters } = ingest;
    const before = counters.abortedRequests;
    const routes = ['beats', 'cmcd', 'epas', 'edge/nginx'];
    const sockets = routes.map((route) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`POST /v1/${route}?key=dev HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n`);
      socket.write('Content-Length: 999\r\n\r\n{');
      return socket;
    });
    const inFlight = () => Promise.resolve(counters.requestsInFlight);
    await until(inFlight, (count) => count === routes.length, 20_000);
    expect(statusesOf(await exchange(GOOD))).toEqual([202]);
    for (const socket of sockets) socket.destroy();
    await checkQuiet();
    expect(counters.abortedRequests - before).toBe(routes.length);
  });

  it('that is slow is refused with 408, headers and body, and nothing else waits for it', async () => {
    const limits = { ...SERVER_LIMITS, headersTimeoutMs: 100, requestTimeoutMs: 200 };
    const server = createServer(pino({ level: 'silent' }), [], {
      ...limits,
      timeoutsCheckMs: 20,
    });
    const slow = await ingestServer({ log: rememberingLog([]), server });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port: slowPort } = server.server.address() as AddressInfo;
    const begins = ['', 'POST /v1/b', `${POST}Host: a\r\n`, `${POST}${WITH_LENGTH}\r\n{`];
    for (const begin of begins) {
      const socket = connect(slowPort, '127.0.0.1');
      const got: Buffer[] = [];
      socket.on('data', (piece: Buffer) => got.push(piece));
      socket.on('error', () => undefined);
      socket.write(begin);
      // A byte now and then resets nothing.
      const drip = setInterval(() => socket.write(' '), 20);
      await once(socket, 'close');
      clearInterval(drip);
      const text = Buffer.concat(got).toString();
      expect(text).toMatch(/^HTTP\/1\.1 4/);
      expect(text).toContain('application/problem+json');
    }
    const inFlight = () => Promise.resolve(slow.counters.requestsInFlight);
    await until(inFlight, (count) => count === 0, 20_000);
    await server.close();
  });

  it('with a key in its URL leaves none in the log of the process', async () => {
    const keyed = GOOD.replace('key=dev', `key=${KEY}`);
    await exchange(keyed);
    await exchange(keyed.replace('/v1/beats', '/v1/nothing'));
    await exchange(keyed.replace('/v1/beats', '/v1/be%zzats'));
    await exchange(keyed.replace('Host', `X: ${'x'.repeat(20_000)}\r\nHost`));
    await exchange(keyed.replace('?key=', '?%6bey='));
    await exchange(
      GOOD.replace('Host', `Authorization: Bearer ${KEY}\r\nReferer: /?key=${KEY}\r\nHost`),
    );
    await fc.assert(
      fc.asyncProperty(harmed(fc.constant(Buffer.from(keyed))), async (bytes) => {
        await exchange(bytes);
      }),
      runs(60),
    );
    expect(logLines.join('')).not.toContain(KEY);
  });
});
