import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StreamCounters } from '../../api/monitoring/stream-hub.ts';
import { epochs, playback5s, viewersNow } from '../../schemas/tables/tables.ts';
import { insertRows, type RowObject } from '../support/rows.ts';
import { NOW_MS, startAt } from './support/generated-intervals.ts';
import { AUTHORIZATION, ask, openTestStore, type TestStore } from './support/server.ts';

interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: {
    readonly at: string;
    readonly complete_through: string;
    readonly totals: Readonly<Record<string, number | null>>;
  };
}

interface Connection {
  readonly response: IncomingMessage;
  readonly messages: Message[];
  readonly comments: string[];
  ended: boolean;
}

let engine: TestStore;
const servers: FastifyInstance[] = [];

beforeAll(async () => {
  engine = await openTestStore();
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

afterAll(async () => {
  await engine.close();
});

async function start(
  monitoring = {},
): Promise<{ server: FastifyInstance; url: string; counters: () => StreamCounters }> {
  let counters: Readonly<StreamCounters> | undefined;
  const server = await startAt(engine.store, {
    monitoring: { streamPollMs: 20, ...monitoring },
    onStreamCounters: (found) => {
      counters = found;
    },
  });
  servers.push(server);
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const found = (): StreamCounters => {
    if (counters === undefined) throw new Error('the stream has no counters');
    return counters;
  };
  return { server, url: `http://127.0.0.1:${port}/data/v1/monitoring/stream`, counters: found };
}

function open(url: string, headers: Record<string, string> = {}): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const all = { authorization: AUTHORIZATION, ...headers };
    httpGet(url, { headers: all, agent: false }, (response) => {
      const connection: Connection = { response, messages: [], comments: [], ended: false };
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) take(connection, block);
      });
      response.on('close', () => {
        connection.ended = true;
      });
      response.on('error', () => {});
      resolve(connection);
    }).on('error', reject);
  });
}

function take(connection: Connection, block: string): void {
  if (block.startsWith(':')) connection.comments.push(block);
  const fields = new Map(
    block.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const [id, event, data] = ['id', 'event', 'data'].map((name) => fields.get(name));
  if (id === undefined || event === undefined || data === undefined) return;
  connection.messages.push({ id, event, data: JSON.parse(data) as Message['data'] });
}

const NONE = { starting: 0, playing: 0, rebuffering: 0, seeking: 0, paused: 0 };
const atOf = (partition: number, epoch: number): number =>
  NOW_MS - 120_000 + epoch * 2_000 + partition * 100;

/** Commits an epoch as a processor does: its gauges first. */
async function commit(
  partition: number,
  epoch: number,
  gauges: readonly Partial<typeof NONE>[],
  project = 'default',
): Promise<void> {
  const at = atOf(partition, epoch);
  const rows = gauges.map(
    (gauge, index): RowObject => ({
      project,
      at,
      country: `C${index}`,
      ...NONE,
      ...gauge,
      _partition: partition,
      _epoch: epoch,
    }),
  );
  if (rows.length > 0) await insertRows(engine.store, viewersNow, rows);
  await insertRows(engine.store, epochs, [
    { topic: 'a', _partition: partition, _epoch: epoch, log_time: at, open_since: at },
  ]);
}

const until = (holds: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(holds()).toBe(true), { timeout: 20_000, interval: 10 });

async function received({ messages }: Connection, count: number): Promise<Message[]> {
  await until(() => messages.length >= count);
  return messages;
}

describe('the stream', () => {
  it('is open, and nothing fails, before the first epoch', async () => {
    const { server, url, counters } = await start();
    const path = '/monitoring/metrics/current-concurrent-viewers/breakdown';
    const { body } = await ask(server, path);
    expect(body).toMatchObject({ data: [], meta: { complete_through: null, gauge_from: null } });
    const connection = await open(url);
    expect(connection.response.statusCode).toBe(200);
    await until(() => counters().looks > 2);
    expect(counters()).toMatchObject({ looksFailed: 0, messages: 0 });
    connection.response.destroy();
  });

  it('tells the present state, then every epoch with the totals after it', async () => {
    await commit(0, 1, [
      { playing: 3, paused: 2 },
      { starting: 1, rebuffering: 1 },
    ]);
    await commit(1, 1, [{ playing: 4, seeking: 1 }]);
    await commit(1, 2, [{ playing: 99 }], 'other');
    const window = Math.floor((atOf(0, 1) - 30_000) / 5_000) * 5 - 5;
    const bits = { bitrate_bit_ms: 6_000_000_000, bitrate_known_ms: 2_000 };
    await insertRows(engine.store, playback5s, [{ project: 'default', window, ...bits }]);
    const { url, counters } = await start();
    const connection = await open(url);
    expect(connection.response.headers['content-type']).toContain('text/event-stream');
    expect(connection.response.headers['cache-control']).toBe('no-store');
    const [first] = await received(connection, 1);
    // Partition 1's newest epoch holds no viewer of this project.
    expect(first).toEqual({
      id: 'p0=1,p1=2',
      event: 'epoch',
      data: {
        at: new Date(atOf(1, 2)).toISOString(),
        complete_through: new Date(atOf(0, 1) - 30_000).toISOString(),
        totals: {
          ...NONE,
          starting: 1,
          playing: 3,
          rebuffering: 1,
          paused: 2,
          'current-concurrent-viewers': 5,
          'current-starting-viewers': 1,
          'current-rebuffering-percentage': 0.25,
          'current-average-bitrate': 3_000_000,
        },
      },
    });
    await commit(0, 2, [{ playing: 10 }]);
    await received(connection, 2);
    await commit(1, 3, [{ rebuffering: 10 }]);
    await received(connection, 3);
    await commit(0, 3, []);
    const messages = await received(connection, 4);
    expect(messages.map(({ id }) => id)).toEqual([
      'p0=1,p1=2',
      'p0=2,p1=2',
      'p0=2,p1=3',
      'p0=3,p1=3',
    ]);
    const totals = messages.map(({ data }) => data.totals);
    expect(totals.map((one) => one['current-concurrent-viewers'])).toEqual([5, 10, 20, 10]);
    expect(totals.map((one) => one['current-rebuffering-percentage'])).toEqual([0.25, 0, 0.5, 1]);
    connection.response.destroy();
    await until(() => counters().clients === 0);
  });

  it('resumes after the last message that the client has, at any process', async () => {
    const { url } = await start();
    const connection = await open(url, { 'last-event-id': 'p0=1,p1=2' });
    // In the order of log time, whatever order they were committed in.
    const missed = await received(connection, 3);
    expect(missed.map(({ id }) => id)).toEqual(['p0=2,p1=2', 'p0=3,p1=2', 'p0=3,p1=3']);
    const totals = missed.map(({ data }) => data.totals['current-concurrent-viewers']);
    expect(totals).toEqual([10, 0, 10]);
    expect(missed[0]?.data.at).toBe(new Date(atOf(0, 2)).toISOString());
    await commit(0, 4, [{ playing: 1 }]);
    const [, , , live] = await received(connection, 4);
    expect(live?.id).toBe('p0=4,p1=3');
    connection.response.destroy();
  });

  it('keeps silent connections open, and ends them when the server stops', async () => {
    const { server, url } = await start({ streamHeartbeatMs: 10 });
    const connection = await open(url);
    await until(() => connection.comments.length > 1);
    await server.close();
    await until(() => connection.ended);
  });

  it('is for those who have a token, and for so many at once', async () => {
    const { url, counters } = await start({ streamClientsMax: 1 });
    expect((await open(url, { authorization: 'Basic eDp5' })).response.statusCode).toBe(401);
    expect((await open(`${url}?filter=x`)).response.statusCode).toBe(400);
    const connection = await open(url);
    const refused = await open(url);
    expect(refused.response.statusCode).toBe(503);
    expect(refused.response.headers['retry-after']).toBe('10');
    expect(counters()).toMatchObject({ clients: 1, clientsRefused: 1 });
    connection.response.destroy();
  });
});

describe('the reference', () => {
  it('describes every monitoring route', async () => {
    const { server } = await start();
    const response = await server.inject({ url: '/openapi.json', headers: { host: 'localhost' } });
    const { paths } = response.json<{
      paths: Record<string, { get?: { description?: string } }>;
    }>();
    const ours = Object.entries(paths).filter(([path]) => path.includes('/monitoring/'));
    expect(ours).toHaveLength(7);
    for (const [path, { get }] of ours) expect(get?.description, path).toBeTruthy();
    expect(JSON.stringify(paths['/data/v1/monitoring/stream'])).toContain('text/event-stream');
  });
});
