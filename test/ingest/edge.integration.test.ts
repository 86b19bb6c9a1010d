import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../platform/log/embedded.ts';
import { bodiesOf, type IngestServer, ingestServer } from './ingest-server.ts';

let directory: string;
let log: EmbeddedLog;
let ingest: IngestServer;

async function start(queueRecordsMax?: number): Promise<void> {
  const limits = queueRecordsMax === undefined ? {} : { queueRecordsMax };
  log = await openEmbeddedLog({ directory, topic: 'qos.telemetry.v1', partitions: 4, limits });
  ingest = await ingestServer({
    log,
    edgeLimits: { edgeDecompressedBytesMax: 2_000_000, edgeRequestsPerRecordMax: 10 },
  });
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-'));
});

afterEach(async () => {
  await ingest.server.close();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

async function storedRequests(): Promise<number> {
  let count = 0;
  for (let partition = 0; partition < 4; partition++) {
    const fromOffset = await log.earliest(partition);
    for await (const batch of log.read(partition, { fromOffset, follow: false })) {
      const values = batch.map((record) => Buffer.from(record.value));
      for (const { requests } of bodiesOf('edge', values)) count += requests.length;
    }
  }
  return count;
}

function lines(count: number): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `{"msec":${1_795_326_184 + index},"status":200,"request_uri":"/?CMCD=sid%3D%22v${index % 50}%22"}\n`,
  ).join('');
}

/** inject has no connection that could break before the answer. */
async function open(): Promise<{ socket: Socket; answer: () => string }> {
  await ingest.server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = ingest.server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += String(data);
  });
  socket.on('error', () => undefined);
  return { socket, answer: () => answer };
}

const HEAD = 'POST /v1/edge/nginx?key=dev HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n';

function chunk(data: Buffer | string): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
}

describe('an edge log on the embedded log', () => {
  it('is durable before it is answered', async () => {
    await start();
    const answer = await ingest.server.inject({
      method: 'POST',
      url: '/v1/edge/nginx?key=dev',
      payload: gzipSync(lines(5_000)),
      headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
    });
    expect([answer.statusCode, answer.json().accepted]).toEqual([202, 5_000]);
    expect(await storedRequests()).toBe(5_000);
  });

  it('that is more than the log can queue is asked to come back', async () => {
    await start(2);
    const answer = await ingest.server.inject({
      method: 'POST',
      url: '/v1/edge/nginx?key=dev',
      payload: lines(5_000),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(await storedRequests()).toBe(ingest.counters.edgeRequests);
  });

  it('is refused while its sender is still sending, compressed or not', async () => {
    await start();
    const { socket, answer } = await open();
    const closed = once(socket, 'close');
    socket.write(`${HEAD}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`);
    socket.write(chunk(gzipSync(Buffer.alloc(4_000_000, '\n'))));
    await closed;
    expect(answer()).toContain('413');
    expect(answer()).toContain('decompressed_too_large');
    expect(ingest.counters).toMatchObject({ bytesInFlight: 0, requestsInFlight: 0 });
  });

  it('is refused with its answer also when that waits for the log', async () => {
    const letGo: (() => void)[] = [];
    await start();
    const { append } = log;
    log.append = async (partition, value) => {
      await new Promise<void>((resolve) => letGo.push(resolve));
      return append.call(log, partition, value);
    };
    const { socket, answer } = await open();
    const closed = once(socket, 'close');
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    socket.write(chunk(lines(600)));
    await expect.poll(() => letGo.length).toBeGreaterThan(0);
    const more = '\n'.repeat(1_000_000);
    socket.write(chunk(more));
    socket.write(chunk(more));
    await expect.poll(() => ingest.counters.decompressedBytes).toBeGreaterThan(1_900_000);
    expect(answer()).toBe('');
    for (const resolve of letGo) resolve();
    await closed;
    expect(answer()).toContain('413');
    expect(ingest.counters).toMatchObject({ bytesInFlight: 0, requestsInFlight: 0 });
    expect(await storedRequests()).toBe(ingest.counters.edgeRequests);
  });

  it.each(['identity', 'gzip'])(
    'whose sender left in the middle gives back what it held, in %s',
    async (encoding) => {
      await start();
      const { socket } = await open();
      const body = Buffer.from(lines(5));
      socket.write(`${HEAD}Content-Encoding: ${encoding}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      socket.write(chunk(encoding === 'gzip' ? gzipSync(body) : body));
      await expect.poll(() => ingest.counters.edgeGroupsOpen).toBe(5);
      socket.destroy();
      await expect.poll(() => ingest.counters.abortedRequests).toBe(1);
      expect(ingest.counters).toMatchObject({
        bytesInFlight: 0,
        requestsInFlight: 0,
        edgeGroupsOpen: 0,
        edgeRequests: 0,
      });
    },
  );
});
