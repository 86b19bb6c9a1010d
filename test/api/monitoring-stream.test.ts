import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { MONITORING_LIMITS } from '../../api/monitoring/limits.ts';
import { formatToken, parseToken } from '../../api/monitoring/resume-token.ts';
import { createStreamClient, type StreamClient } from '../../api/monitoring/stream-client.ts';
import { StreamHub } from '../../api/monitoring/stream-hub.ts';
import type { StreamReader } from '../../api/monitoring/stream-reader.ts';
import type { Commit } from '../../api/planner/monitoring-stream.ts';

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const commit = (partition: number, epoch: number): Commit => ({
  partition,
  epoch,
  at: NOW_MS - 60_000 + epoch * 2_000 + partition,
});

/** A log that the test writes. One view plays for each epoch's number, in all partitions. */
function readerOf(commits: Commit[], failing: { now: boolean } = { now: false }): StreamReader {
  const refuse = (): void => {
    if (failing.now) throw new Error('the store does not answer');
  };
  const none = { starting: 0, playing: 0, rebuffering: 0, seeking: 0, paused: 0 };
  return {
    heads: async () => {
      refuse();
      const newest = new Map(commits.map((one) => [one.partition, one]));
      return [...newest.values()].map((one) => ({ ...one, topic: 'a' }));
    },
    commitsAfter: async (_topic, known, limit) => {
      refuse();
      return commits
        .filter(({ partition, epoch }) => epoch > (known.get(partition) ?? 0))
        .slice(0, limit);
    },
    counts: async () => {
      refuse();
      return ({ epoch }) => ({ ...none, playing: epoch });
    },
    bitrates: async () => new Map(),
  };
}

interface TestClient extends StreamClient {
  readonly ids: string[];
}

function listen(project = 'default'): TestClient {
  const ids: string[] = [];
  return {
    project,
    ids,
    send: (text) => {
      const id = /^id: (.*)$/m.exec(text)?.[1];
      if (id !== undefined) ids.push(id);
      return true;
    },
    end: () => {},
  };
}

function hubOf(reader: StreamReader, limits: Partial<typeof MONITORING_LIMITS> = {}): StreamHub {
  const quick = { ...MONITORING_LIMITS, streamPollMs: 5, streamRetryMsMax: 10, ...limits };
  return new StreamHub({ reader, limits: quick, now: () => NOW_MS });
}

const until = (holds: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(holds()).toBe(true), { timeout: 10_000, interval: 2 });

async function sees(client: TestClient, ids: readonly string[]): Promise<void> {
  await until(() => client.ids.length >= ids.length);
  expect(client.ids).toEqual(ids);
}

describe('a resume token', () => {
  it('is read as it was written', () => {
    const epochs = new Map([
      [11, 7],
      [0, 12],
    ]);
    expect(formatToken(epochs)).toBe('p0=12,p11=7');
    expect(parseToken('p0=12,p11=7')).toEqual(epochs);
  });

  it.each(['', 'x', 'p0', 'p0=', 'p0=1,', 'p=1', 'p0=-1', 'p0=1;p1=2', `p0=${'9'.repeat(16)}`])(
    'is not %j',
    (text) => {
      expect(parseToken(text)).toBeUndefined();
    },
  );
});

describe('a client', () => {
  it('that does not read is dropped at its limit, and holds no more', () => {
    let dropped = 0;
    const client = createStreamClient('default', 10_000, () => {
      dropped += 1;
    });
    const text = 'x'.repeat(1_000);
    let sent = 0;
    while (client.send(text)) sent += 1;
    expect(sent).toBe(10);
    expect(dropped).toBe(1);
    expect(client.body.readableLength + client.body.writableLength).toBeLessThanOrEqual(10_000);
  });

  it('that reads gets all', async () => {
    const client = createStreamClient('default', 10_000, () => {});
    let bytes = 0;
    client.body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    for (let count = 0; count < 50; count++) {
      expect(client.send('x'.repeat(1_000))).toBe(true);
      await new Promise(setImmediate);
    }
    client.end();
    await once(client.body, 'end');
    expect(bytes).toBe(50_000);
  });
});

describe('the hub', () => {
  it('tells every client of a project each epoch once, in order', async () => {
    const commits = [commit(0, 1), commit(1, 1)];
    const hub = hubOf(readerOf(commits));
    const [first, second] = [listen(), listen()];
    for (const client of [first, second]) {
      expect(hub.enter()).toBe(true);
      await hub.join(client, undefined);
    }
    commits.push(commit(0, 2), commit(1, 2), commit(0, 3));
    const ids = ['p0=1,p1=1', 'p0=2,p1=1', 'p0=2,p1=2', 'p0=3,p1=2'];
    await sees(first, ids);
    await sees(second, ids);
    await hub.close();
  });

  it('sends what came since a token, and goes on from there', async () => {
    const commits = [commit(0, 1), commit(1, 1), commit(0, 2), commit(1, 2)];
    const hub = hubOf(readerOf(commits));
    const client = listen();
    hub.enter();
    await hub.join(client, 'p0=1,p1=1');
    expect(client.ids).toEqual(['p0=2,p1=1', 'p0=2,p1=2']);
    commits.push(commit(0, 3));
    await sees(client, ['p0=2,p1=1', 'p0=2,p1=2', 'p0=3,p1=2']);
    expect(hub.counters).toMatchObject({ resumed: 1, snapshots: 0 });
    await hub.close();
  });

  it.each([
    ['of epochs to come', 'p0=99,p1=1'],
    ['of too few partitions', 'p0=1'],
    ['that is none', 'nonsense'],
    ['from which too much came', 'p0=1,p1=1'],
  ])('answers a token %s with the present state', async (_what, token) => {
    const commits = [commit(0, 1), commit(1, 1)];
    for (let epoch = 2; epoch <= 8; epoch++) commits.push(commit(0, epoch));
    const hub = hubOf(readerOf(commits), { streamReplayMax: 5 });
    const client = listen();
    hub.enter();
    await hub.join(client, token);
    expect(client.ids).toEqual(['p0=8,p1=1']);
    expect(hub.counters).toMatchObject({ resumed: 0, snapshots: 1 });
    await hub.close();
  });

  it('tells one state where a look finds more than its limit, and counts the rest', async () => {
    const commits = [commit(0, 1)];
    const hub = hubOf(readerOf(commits), { streamMessagesMax: 3 });
    const client = listen();
    hub.enter();
    await hub.join(client, undefined);
    commits.push(...[2, 3, 4, 5, 6].map((epoch) => commit(0, epoch)));
    await sees(client, ['p0=1', 'p0=6']);
    expect(hub.counters.epochsSkipped).toBe(4);
    await hub.close();
  });

  it('looks only while there are clients', async () => {
    const hub = hubOf(readerOf([commit(0, 1)]));
    const client = listen();
    hub.enter();
    await hub.join(client, undefined);
    await until(() => hub.counters.looks > 3);
    hub.leave(client);
    expect(hub.counters.clients).toBe(0);
    // A second client's join waits for its turn after the leave; its look is the only one.
    const other = listen();
    hub.enter();
    await hub.join(other, undefined);
    hub.leave(other);
    await hub.close();
    const { looks } = hub.counters;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(hub.counters.looks).toBe(looks);
  });

  it('misses nothing while the store fails, and repeats nothing', async () => {
    const commits = [commit(0, 1)];
    const failing = { now: false };
    const hub = hubOf(readerOf(commits, failing));
    const clients = [listen('default'), listen('other')];
    for (const client of clients) {
      hub.enter();
      await hub.join(client, undefined);
    }
    failing.now = true;
    commits.push(commit(0, 2));
    await until(() => hub.counters.looksFailed > 2);
    failing.now = false;
    for (const client of clients) await sees(client, ['p0=1', 'p0=2']);
    await hub.close();
  });

  it('refuses one client too many, and counts it', async () => {
    const hub = hubOf(readerOf([]), { streamClientsMax: 2 });
    expect([hub.enter(), hub.enter(), hub.enter()]).toEqual([true, true, false]);
    expect(hub.counters).toMatchObject({ clients: 2, clientsRefused: 1 });
    await hub.close();
    expect(hub.enter()).toBe(false);
  });

  it('drops a slow client and goes on with the others', async () => {
    const commits = [commit(0, 1)];
    const hub = hubOf(readerOf(commits));
    const slow: TestClient = { ...listen(), send: (text) => !text.includes('p0=2') };
    const other = listen();
    for (const client of [slow, other]) {
      hub.enter();
      await hub.join(client, undefined);
    }
    commits.push(commit(0, 2));
    await sees(other, ['p0=1', 'p0=2']);
    commits.push(commit(0, 3));
    await sees(other, ['p0=1', 'p0=2', 'p0=3']);
    expect(hub.counters.clientsTooSlow).toBe(1);
    await hub.close();
  });
});
