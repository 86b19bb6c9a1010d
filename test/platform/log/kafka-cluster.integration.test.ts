import { setTimeout as delay } from 'node:timers/promises';
import { ConfigResourceTypes, type PartitionMetadata } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Group } from '../../../platform/log/group.ts';
import { type KafkaLog, type KafkaLogOptions, openKafkaLog } from '../../../platform/log/kafka.ts';
import { joinGroup } from '../../../platform/log/kafka-group.ts';
import { createKafkaTopic } from '../../../platform/log/kafka-topic.ts';
import type { LogRecord } from '../../../platform/log/log.ts';
import { type KafkaForTests, useKafka } from '../../support/kafka/kafka-for-tests.ts';
import {
  type KafkaBroker,
  type KafkaServer,
  startKafka,
} from '../../support/kafka/kafka-server.ts';
import { until } from '../../support/kafka/until.ts';
import { readRecords, texts } from './contract.ts';

const user = { username: 'streamgauge', password: 'a-secret-of-100%' };
/** Short, so that what is given up is given up within a test's patience. */
const times = { requestTimeoutMs: 3_000, connectTimeoutMs: 1_000 };
const limits = { ...times, appendTimeoutMs: 3_000, readTimeoutMs: 1_000 };
const replicated = { replicationFactor: 3, minInsyncReplicas: 2 };

let server: KafkaServer;
let kafka: KafkaForTests;
const logs: KafkaLog[] = [];

beforeAll(async () => {
  server = await startKafka({ brokers: 3, users: { [user.username]: user.password } });
  kafka = await useKafka(server.addresses, () => server.close());
});
afterEach(async () => {
  await Promise.all(server.brokers.map((broker) => broker.heal()));
  for (const log of logs.splice(0)) await log.close();
});
afterAll(() => kafka?.close());

async function open(topic: string, options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
  const brokers = server.addresses;
  const log = await openKafkaLog({ brokers, topic, partitions: 1, limits, ...options });
  logs.push(log);
  return log;
}

/** The first partition of a topic, as a broker that answers knows it. */
function partitionOf(topic: string, holds: (found: PartitionMetadata) => boolean = () => true) {
  return until(
    async () => {
      const described = await kafka.admin.fetchTopicMetadata({ topics: [topic] }).catch(() => null);
      return described?.topics[0]?.partitions.find(({ partitionId }) => partitionId === 0);
    },
    (found) => found !== undefined && holds(found),
  );
}

async function leaderOf(topic: string): Promise<KafkaBroker> {
  const found = await partitionOf(topic, ({ leader }) => leader > 0);
  return server.brokers.find(({ id }) => id === found?.leader) as KafkaBroker;
}

async function followerOf(topic: string): Promise<KafkaBroker> {
  const found = await partitionOf(topic);
  const follower = found?.replicas.find((id) => id !== found.leader);
  return server.brokers.find(({ id }) => id === follower) as KafkaBroker;
}

/** Waits until so many replicas of a topic's first partition are in sync. */
function inSync(topic: string, replicas: number) {
  return partitionOf(topic, ({ isr }) => isr.length === replicas);
}

/** Appends numbers without end, never one twice, and remembers what became of them. */
function startWriter(log: KafkaLog) {
  const acknowledged = new Map<string, number>();
  const failures: unknown[] = [];
  let next = 0;
  let stopped = false;
  const lane = async () => {
    while (!stopped) {
      const text = String(next++);
      await log.append(0, Buffer.from(text)).then(
        ({ offset }) => acknowledged.set(text, offset),
        (error) => failures.push(error),
      );
      await delay(1);
    }
  };
  const lanes = Promise.all([lane(), lane(), lane(), lane()]);
  return {
    acknowledged,
    failures,
    /** Waits until so many more are acknowledged. */
    more: (count: number) => {
      const wanted = acknowledged.size + count;
      return until(
        async () => acknowledged.size,
        (size) => size >= wanted,
      );
    },
    stop: async () => {
      stopped = true;
      await lanes;
    },
  };
}

/** Every acknowledged record is there once, where it was said to be. */
function expectKept(
  records: readonly LogRecord[],
  acknowledged: ReadonlyMap<string, number>,
): void {
  const offsets = new Map<string, number[]>();
  for (const { offset, value } of records) {
    const text = value.toString();
    offsets.set(text, [...(offsets.get(text) ?? []), offset]);
  }
  const wrong = [...acknowledged].filter(([text, offset]) => {
    const found = offsets.get(text) ?? [];
    return found.length !== 1 || found[0] !== offset;
  });
  expect(wrong).toEqual([]);
  const all = records.map(({ offset }) => offset);
  expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
}

describe('a log on three brokers', () => {
  it('loses nothing acknowledged when leaders are killed, frozen and stopped', async () => {
    const topic = await kafka.createTopic(1, replicated);
    const log = await open(topic);
    const followed: LogRecord[] = [];
    const stop = new AbortController();
    const following = (async () => {
      const options = { fromOffset: 0, follow: true, signal: stop.signal };
      for await (const batch of log.read(0, options)) followed.push(...batch);
    })();
    const writer = startWriter(log);
    await writer.more(50);
    for (const end of ['kill', 'freeze', 'stop'] as const) {
      const leader = await leaderOf(topic);
      await leader[end]();
      await writer.more(50);
      if (end === 'freeze') leader.thaw();
      else await leader.start();
      await inSync(topic, 3);
      await writer.more(50);
    }
    await writer.stop();
    const records = await readRecords(log, 0);
    expectKept(records, writer.acknowledged);
    await until(
      async () => followed.length,
      (count) => count >= records.length,
    );
    stop.abort();
    await following;
    expect(followed.map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
    expect(texts(followed)).toEqual(texts(records));
    for (const failure of writer.failures)
      expect(failure).toMatchObject({ code: 'log_unavailable' });
  });

  it('acknowledges nothing while too few replicas have it, and works again when they do', async () => {
    const topic = await kafka.createTopic(1, { replicationFactor: 2, minInsyncReplicas: 2 });
    const log = await open(topic);
    const { offset } = await log.append(0, Buffer.from('before'));
    const follower = await followerOf(topic);
    follower.freeze();
    await inSync(topic, 1);
    const refused = log.append(0, Buffer.from('alone'));
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(refused).rejects.toThrow('not written');
    follower.thaw();
    await inSync(topic, 2);
    await log.append(0, Buffer.from('after'));
    expect(texts(await readRecords(log, 0, { fromOffset: offset }))).toEqual(['before', 'after']);
  });
});

describe('a log on one broker of three', () => {
  it('fails appends in time while the broker is away, and works by itself when it is back', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic);
    const reading = readRecords(log, 0, { follow: true }, 2);
    await log.append(0, Buffer.from('before'));
    const leader = await leaderOf(topic);
    await leader.kill();
    const refused = log.append(0, Buffer.from('while it is away'));
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(refused).rejects.toThrow('not written');
    await expect(readRecords(log, 0)).rejects.toMatchObject({ code: 'log_unavailable' });
    await leader.start();
    await until(
      () => log.append(0, Buffer.from('after')).then(Boolean, () => false),
      (done) => done,
    );
    expect(texts(await reading)).toEqual(['before', 'after']);
  });

  it('does not wait for ever for a broker that does not answer', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic);
    await log.append(0, Buffer.from('before'));
    const leader = await leaderOf(topic);
    leader.freeze();
    const hanging = log.append(0, Buffer.from('perhaps'));
    await expect(hanging).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(hanging).rejects.toThrow('perhaps written');
    await expect(log.latest(0)).rejects.toMatchObject({ code: 'log_unavailable' });
    leader.thaw();
    await until(
      () => log.append(0, Buffer.from('after')).then(Boolean, () => false),
      (done) => done,
    );
    const found = texts(await readRecords(log, 0));
    expect(found.filter((text) => text !== 'perhaps')).toEqual(['before', 'after']);
  });

  it('ends readers at once that wait for such a broker, when aborted and when it closes', async () => {
    const topic = await kafka.createTopic(1);
    // Whoever waits for an answer waits beyond the test's own deadline.
    const patient = { requestTimeoutMs: 600_000, connectTimeoutMs: 600_000 };
    const log = await open(topic, { limits: patient });
    await log.append(0, Buffer.from('before'));
    const seen: string[] = [];
    const following = (async () => {
      for await (const batch of log.read(0, { fromOffset: 0, follow: true }))
        seen.push(...texts(batch));
    })();
    await until(
      async () => seen.length,
      (count) => count === 1,
    );
    (await leaderOf(topic)).freeze();
    const stop = new AbortController();
    const beginning = readRecords(log, 0, { follow: true, signal: stop.signal });
    await delay(0);
    stop.abort();
    expect(await beginning).toEqual([]);
    await log.close();
    await following;
    expect(seen).toEqual(['before']);
  });

  it('begins where retention left the partition, and refuses what is before', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic);
    const { offset } = await log.append(0, Buffer.from('old'));
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
    const configEntries = [{ name: 'retention.ms', value: '1' }];
    const resources = [{ ...resource, configEntries }];
    await kafka.admin.alterConfigs({ validateOnly: false, resources });
    await until(
      () => log.earliest(0),
      (earliest) => earliest > offset,
    );
    expect(await log.earliest(0)).toBe(await log.latest(0));
    const before = readRecords(log, 0, { fromOffset: offset });
    await expect(before).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
    expect(await readRecords(log, 0, { fromOffset: offset + 1 })).toEqual([]);
  });
});

describe('a topic on brokers that are still starting', () => {
  it('is created once they are up', async () => {
    const broker = server.brokers[0] as KafkaBroker;
    await broker.kill();
    const creating = createKafkaTopic({
      ...{ brokers: [broker.address], topic: 'created.early.v1', partitions: 2, ...replicated },
      retentionMs: 86_400_000,
      // Beyond the test's own deadline: it is not this limit that ends it.
      times: { requestTimeoutMs: 600_000 },
    });
    await broker.start();
    expect(await creating).toEqual({ created: true, differences: [] });
  });
});

describe('a group whose broker does not answer', () => {
  it('goes on under another, and nobody loses a partition', async () => {
    const topic = await kafka.createTopic(4, replicated);
    const told: string[] = [];
    const join = (name: string): Promise<Group> =>
      joinGroup({
        ...{ brokers: server.addresses, groupId: topic, topic, partitions: 4, times },
        heartbeatMs: 300,
        onAssigned: (partitions) => void told.push(`${name} has ${partitions}`),
        onRevoked: (partitions, why) => void told.push(`${name} ${why} ${partitions}`),
      });
    const members = [await join('a'), await join('b')];
    await until(
      async () => members.map(({ partitions }) => partitions.length),
      (counts) => counts.every((count) => count === 2),
    );
    const before = [...told];
    // The group's broker is the one that leads where the group is kept.
    const coordinator = await leaderOf('__consumer_offsets');
    coordinator.freeze();
    const frozenAtMs = Date.now();
    await until(
      async () => members.map(({ lastContactMs }) => lastContactMs),
      (contacts) => contacts.every((contactMs) => contactMs > frozenAtMs),
    );
    coordinator.thaw();
    expect(told).toEqual(before);
    await Promise.all(members.map((member) => member.leave()));
  });
});

describe('signing in', () => {
  const access = () => ({
    brokers: server.brokers.map(({ signInAddress }) => signInAddress),
    sasl: { mechanism: 'PLAIN', ...user } as const,
    tls: server.caFile === undefined ? {} : { caFile: server.caFile },
  });

  it('works with name and password over TLS', async () => {
    const topic = await kafka.createTopic(1, access());
    const log = await open(topic, access());
    await log.append(0, Buffer.from('signed in'));
    expect(texts(await readRecords(log, 0))).toEqual(['signed in']);
  });

  it.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('works with %s', async (mechanism) => {
    const options = { ...access(), sasl: { mechanism, ...user } };
    const log = await open(await kafka.createTopic(1, options), options);
    await log.append(0, Buffer.from('signed in'));
    expect(texts(await readRecords(log, 0))).toEqual(['signed in']);
  });

  it('fails at once with a wrong password, and does not tell it', async () => {
    const sasl = { ...access().sasl, password: 'a wrong one' };
    const refused = open(await kafka.createTopic(1), { ...access(), sasl, limits: {} });
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(refused).rejects.toThrow('sign-in');
    const told = await refused.catch((error: Error) => `${error} ${error.cause}`);
    expect(told).toMatch(/authentication/i);
    expect(told).not.toContain('a wrong one');
  });

  it('fails when the brokers show a certificate that nobody vouches for', async () => {
    const topic = await kafka.createTopic(1);
    const refused = open(topic, { ...access(), tls: {}, limits: { requestTimeoutMs: 100 } });
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    const told = await refused.catch((error: Error) => `${error.cause}`);
    expect(told).toMatch(/certificate/);
  });

  it('fails when the file of authorities is not there', async () => {
    const refused = open('any', { ...access(), tls: { caFile: '/no/such/file.pem' } });
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(refused).rejects.toThrow('/no/such/file.pem');
  });
});
