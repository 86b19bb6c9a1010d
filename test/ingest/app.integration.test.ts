import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedLog, openEmbeddedLog } from '../../platform/log/embedded.ts';
import { partitionOf } from '../../platform/partition.ts';
import { beat, bodiesOf, type IngestServer, ingestServer, playing } from './ingest-server.ts';

let directory: string;
let log: EmbeddedLog;
let ingest: IngestServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ingest-'));
  log = await openEmbeddedLog({ directory, topic: 'qos.telemetry.v1', partitions: 4 });
  ingest = await ingestServer({ log });
});

afterEach(async () => {
  await ingest.server.close();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

async function valuesIn(partition: number): Promise<Buffer[]> {
  const values: Buffer[] = [];
  const fromOffset = await log.earliest(partition);
  for await (const batch of log.read(partition, { fromOffset, follow: false })) {
    values.push(...batch.map((record) => Buffer.from(record.value)));
  }
  return values;
}

const partition = partitionOf('default', 'view-1', 4);

describe('ingest on the embedded log', () => {
  it('has a beat durable in the partition of its view before it answers 202', async () => {
    const payload = gzipSync(
      JSON.stringify([
        beat([playing(0), { seq: 1 }, playing(2)], {
          context: { viewer_id: 'me', cdn: 'a' },
          sentAt: 5,
        }),
      ]),
    );
    const answer = await ingest.server.inject({
      method: 'POST',
      url: '/v1/beats',
      payload,
      headers: {
        authorization: 'Bearer dev-trusted',
        'content-type': 'text/plain;charset=UTF-8',
        'content-encoding': 'gzip',
      },
    });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({
      accepted: 2,
      rejected: [{ beat: 0, event: 1, code: 'at_invalid' }],
    });
    const values = await valuesIn(partition);
    const viewer = createHmac('sha256', 'dev').update('me').digest('hex').slice(0, 32);
    expect(bodiesOf('beat', values)).toMatchObject([
      {
        project: 'default',
        view: 'view-1',
        source: 'native',
        trustedClock: true,
        sentAt: 5,
        context: [
          { name: 'cdn', value: 'a' },
          { name: 'viewer_user_id', value: viewer },
        ],
        events: [
          { seq: 0, at: 1_767_225_600_000, lane: 'main', name: 'state' },
          { seq: 2, at: 1_767_225_600_002, lane: 'main', name: 'state' },
        ],
      },
    ]);
    const [reject] = bodiesOf('reject', values);
    expect(reject).toMatchObject({ view: 'view-1', code: 'at_invalid', route: '/v1/beats' });
    expect(reject?.bytes.toString()).toBe('{"seq":1}');
  });

  it('answers CMCD with 204 and keeps good records and bad', async () => {
    const payload = 'sid="view-1",v=2,ts=1767225600000,sn=0,e=ps,sta=p\nsid="view-1",v=2,sn=1';
    const answer = await ingest.server.inject({
      method: 'POST',
      url: '/v1/cmcd?key=dev',
      payload,
      headers: { 'content-type': 'application/cmcd' },
    });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect(bodiesOf('beat', await valuesIn(partition))).toMatchObject([
      { view: 'view-1', source: 'cmcd', trustedClock: false },
    ]);
    const rejects = bodiesOf('reject', await valuesIn(partition));
    expect(rejects).toMatchObject([{ code: 'missing_ts', view: 'view-1', route: '/v1/cmcd' }]);
  });

  it('hides a viewer who is named by a change of context', async () => {
    const event = { seq: 0, at: 1, type: 'context', context: { viewer_user_id: 'me' } };
    await ingest.server.inject({
      method: 'POST',
      url: '/v1/beats?key=dev',
      payload: beat([event]),
    });
    const [stored] = bodiesOf('beat', await valuesIn(partition));
    expect(JSON.stringify(stored)).not.toContain('"me"');
    expect(JSON.stringify(stored)).toContain('viewer_user_id');
  });

  // A real socket: inject has no connection that could break before the answer.
  it('answers 413 to a sender that is still sending, and ends the connection', async () => {
    await ingest.server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = ingest.server.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => {
      answer += String(data);
    });
    const closed = once(socket, 'close');
    socket.write(
      'POST /v1/beats?key=dev HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    socket.write(`200000\r\n${' '.repeat(0x10_0001)}`);
    await closed;
    expect(answer).toContain('413');
    expect(answer).toContain('body_too_large');
    expect(ingest.counters.bytesInFlight).toBe(0);
  });

  it('gives back what a request held whose sender left in the middle', async () => {
    await ingest.server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = ingest.server.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /v1/beats?key=dev HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n[');
    await expect.poll(() => ingest.counters.bytesInFlight).toBe(1);
    socket.destroy();
    await expect.poll(() => ingest.counters.abortedRequests).toBe(1);
    expect(ingest.counters.bytesInFlight).toBe(0);
    expect(ingest.counters.requestsInFlight).toBe(0);
  });
});
