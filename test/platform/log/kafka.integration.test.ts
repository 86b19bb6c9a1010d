import { CompressionTypes, ConfigResourceTypes } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaLog, type KafkaLogOptions, openKafkaLog } from '../../../platform/log/kafka.ts';
import { createKafkaTopic } from '../../../platform/log/kafka-topic.ts';
import { type KafkaForTests, kafkaForTests } from '../../support/kafka/kafka-for-tests.ts';
import { logContract, readRecords, texts } from './contract.ts';

let kafka: KafkaForTests;
const logs: KafkaLog[] = [];

beforeAll(async () => {
  kafka = await kafkaForTests();
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
});
afterAll(() => kafka?.close());

async function open(topic: string, options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
  const { brokers } = kafka;
  const log = await openKafkaLog({ brokers, topic, partitions: 1, ...options });
  logs.push(log);
  return log;
}

/** A log on a topic of its own. */
async function openNew(options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
  return open(await kafka.createTopic(options.partitions ?? 1), options);
}

function appendAll(log: KafkaLog, values: readonly string[]) {
  return Promise.all(values.map((value) => log.append(0, Buffer.from(value))));
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `record ${index}`);

logContract('the log over Kafka', async (partitions) => {
  const topic = await kafka.createTopic(partitions);
  const options = { partitions, limits: { recordBytesMax: 300_000 } };
  return {
    log: await open(topic, options),
    recordBytesMax: 300_000,
    reopen: () => open(topic, options),
    dispose: async () => undefined,
  };
});

describe('opening a log over Kafka', () => {
  it('refuses a topic that nobody created, says how to, and does not create it', async () => {
    const refused = open('nobody.created.this');
    await expect(refused).rejects.toMatchObject({ code: 'log_topic_missing' });
    await expect(refused).rejects.toThrow('streamgauge topics');
    expect(await kafka.admin.listTopics()).not.toContain('nobody.created.this');
  });

  it('refuses another number of partitions, and says which there are', async () => {
    const refused = open(await kafka.createTopic(3), { partitions: 4 });
    await expect(refused).rejects.toMatchObject({ code: 'log_partitions_changed' });
    await expect(refused).rejects.toThrow('3 partitions');
  });

  it('fails when no broker is there', async () => {
    const limits = { requestTimeoutMs: 300, retryMs: 10 };
    const refused = open('any', { brokers: ['127.0.0.1:1', '127.0.0.1:2'], limits });
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(refused).rejects.toThrow('KAFKA_BROKERS');
  });

  it('warns once of each broker that it cannot reach, and uses the others', async () => {
    const topic = await kafka.createTopic(1);
    const warnings: string[] = [];
    const log = await open(topic, {
      brokers: ['127.0.0.1:1', ...kafka.brokers],
      onWarning: (message) => warnings.push(message),
    });
    await log.append(0, Buffer.from('works'));
    expect(warnings).toEqual([expect.stringContaining('127.0.0.1:1 cannot be reached')]);
  });

  it('warns of a topic that keeps the times of writers, and goes by those', async () => {
    const topic = await kafka.createTopic(1);
    await setConfig(topic, 'message.timestamp.type', 'CreateTime');
    const warnings: string[] = [];
    const log = await open(topic, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining('LogAppendTime')]);
    const { appendTimeMs } = await log.append(0, Buffer.from('timed'));
    expect((await readRecords(log, 0))[0]?.appendTimeMs).toBe(appendTimeMs);
    const producer = await kafka.producer();
    const messages = [
      { value: 'late', timestamp: '1700000000123', partition: 0 },
      { value: 'later', timestamp: '1700000009999', partition: 0 },
      { value: 'early', timestamp: '1600000000000', partition: 0 },
    ];
    await producer.send({ topic, messages });
    const times = (await readRecords(log, 0, { fromOffset: 1 })).map((row) => row.appendTimeMs);
    expect(times).toEqual([1700000000123, 1700000009999, 1600000000000]);
  });
});

describe('opening a log over a topic that was changed', () => {
  it('refuses one whose records it could not read', async () => {
    const topic = await kafka.createTopic(1);
    await setConfig(topic, 'compression.type', 'zstd');
    const refused = open(topic);
    await expect(refused).rejects.toMatchObject({ code: 'log_format_unknown' });
    await expect(refused).rejects.toThrow('compression.type');
  });

  it('warns of one that may lose what it acknowledged', async () => {
    const topic = await kafka.createTopic(1);
    await setConfig(topic, 'unclean.leader.election.enable', 'true');
    const warnings: string[] = [];
    await open(topic, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toContainEqual(expect.stringContaining('unclean.leader.election.enable=true'));
  });
});

async function setConfig(topic: string, name: string, value: string): Promise<void> {
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
  const configEntries = [{ name, value }];
  await kafka.admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries }],
  });
}

describe('the topic', () => {
  it('is created with what an exact log needs', async () => {
    const topic = await kafka.createTopic(5, { retentionMs: 123_456_789, recordBytesMax: 2_000 });
    const { resources } = await kafka.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries ?? [];
    const config = Object.fromEntries(
      entries.map((entry) => [entry.configName, entry.configValue]),
    );
    expect(config).toMatchObject({
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'min.insync.replicas': '1',
      'retention.ms': '123456789',
      'unclean.leader.election.enable': 'false',
    });
    expect((await open(topic, { partitions: 5 })).partitions).toBe(5);
  });

  it('is left as it is when it is there, and differences are told with what to do', async () => {
    const topic = await kafka.createTopic(2, { retentionMs: 1_000_000 });
    const same = { brokers: kafka.brokers, topic, partitions: 2, replicationFactor: 1 };
    const wanted = { ...same, minInsyncReplicas: 1, retentionMs: 1_000_000 };
    expect(await createKafkaTopic(wanted)).toEqual({ created: false, differences: [] });
    const other = { ...wanted, partitions: 3, replicationFactor: 2, retentionMs: 7 };
    const { created, differences } = await createKafkaTopic(other);
    expect(created).toBe(false);
    expect(differences).toEqual([
      expect.stringContaining('2 partitions, not 3'),
      expect.stringContaining('1 brokers, not 2'),
      expect.stringContaining(`--topic ${topic} --add-config retention.ms=7`),
    ]);
    expect(await createKafkaTopic(wanted)).toEqual({ created: false, differences: [] });
  });

  it('is not created when Kafka refuses, and its reason is told', async () => {
    const refused = kafka.createTopic(1, { replicationFactor: 100 });
    await expect(refused).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(refused).rejects.toThrow(/replication factor/i);
  });
});

describe('appending to Kafka', () => {
  it('refuses what does not fit the queue, and takes it again later', async () => {
    const log = await openNew({ limits: { queueRecordsMax: 3 } });
    const results = await Promise.allSettled(numbered(5).map((text) => appendAll(log, [text])));
    expect(results.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled'],
      ...['rejected', 'rejected'],
    ]);
    expect(results[4]).toMatchObject({ reason: { code: 'log_overloaded' } });
    expect(log.counters).toMatchObject({ overloaded: 2, appendedRecords: 3 });
    await appendAll(log, ['later']);
    expect(await readRecords(log, 0)).toHaveLength(4);
  });

  it('bounds the queue by bytes too', async () => {
    const log = await openNew({ limits: { queueBytesMax: 1000, recordBytesMax: 1000 } });
    const fits = log.append(0, Buffer.alloc(800));
    const refused = log.append(0, Buffer.alloc(300));
    await expect(refused).rejects.toMatchObject({ code: 'log_overloaded' });
    await fits;
    expect(log.counters).toMatchObject({ appendedRecords: 1, appendedBytes: 800 });
  });

  it('refuses limits that make no sense', async () => {
    await expect(openNew({ limits: { queueRecordsMax: 0 } })).rejects.toThrow('queueRecordsMax');
    await expect(openNew({ limits: { queueBytesMax: 10 } })).rejects.toThrow('recordBytesMax');
  });

  it('sends what many callers append at once in few requests', async () => {
    const log = await openNew({ partitions: 3 });
    const values = numbered(3_000);
    await Promise.all(values.map((text, index) => log.append(index % 3, Buffer.from(text))));
    expect(log.counters.appendedRecords).toBe(3_000);
    expect(log.counters.produceRequests).toBeLessThan(10);
  });

  it('cuts into batches what does not fit one, and keeps the order', async () => {
    const log = await openNew({ limits: { batchBytesMax: 5_000 } });
    const values = numbered(500).map((text) => text.padEnd(1_000));
    await appendAll(log, values);
    expect(texts(await readRecords(log, 0))).toEqual(values);
    expect(log.counters.produceRequests).toBeGreaterThanOrEqual(100);
  });

  it('takes records as large as the topic does, whatever the limits say', async () => {
    const topic = await kafka.createTopic(1, { recordBytesMax: 10_000 });
    const log = await open(topic);
    await log.append(0, Buffer.alloc(10_000));
    const refused = log.append(0, Buffer.alloc(10_001));
    await expect(refused).rejects.toMatchObject({ code: 'log_record_too_large' });
    // Many that fit alone, but not together.
    await Promise.all(Array.from({ length: 50 }, () => log.append(0, Buffer.alloc(3_000))));
    expect(await log.latest(0)).toBe(51);
  });

  it('tells of a record that became too large for its topic', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic);
    await setConfig(topic, 'max.message.bytes', '1000');
    const refused = log.append(0, Buffer.alloc(5_000));
    await expect(refused).rejects.toMatchObject({ code: 'log_record_too_large' });
    await log.append(0, Buffer.alloc(500));
    expect(log.counters).toMatchObject({ failedBatches: 1, appendedRecords: 1 });
  });

  it('sends fewer bytes when it compresses, and gives back the same', async () => {
    const log = await openNew({ compression: 'gzip' });
    const values = [
      '',
      ...numbered(1_000).map((text) => text.padEnd(200)),
      'x'.repeat(900_000),
      '',
    ];
    const results = await appendAll(log, values);
    const records = await readRecords(log, 0);
    expect(texts(records)).toEqual(values);
    expect(records.map(({ offset }) => offset)).toEqual(results.map(({ offset }) => offset));
    expect(log.counters.fetchedBytes).toBeLessThan(log.counters.appendedBytes / 4);
  });
});

describe('reading what others wrote into the topic', () => {
  it('gives their bytes, whatever keys, headers and compression they have', async () => {
    const topic = await kafka.createTopic(1);
    const producer = await kafka.producer();
    const messages = [
      {
        key: 'a key',
        value: 'plain',
        headers: { one: 'a', two: Buffer.from([0, 1]) },
        partition: 0,
      },
      { key: null, value: Buffer.from([0, 255, 128]), partition: 0 },
      { key: 'deleted', value: null, partition: 0 },
      { value: '', headers: { list: ['x', 'y'] }, partition: 0 },
    ];
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
      await producer.send({ topic, messages, compression });
    }
    const values = (await readRecords(await open(topic), 0)).map(({ value }) =>
      value.toString('hex'),
    );
    const once = [Buffer.from('plain').toString('hex'), '00ff80', '', ''];
    expect(values).toEqual([...once, ...once]);
  });

  it('begins in the middle of a batch', async () => {
    const topic = await kafka.createTopic(1);
    const producer = await kafka.producer();
    const messages = numbered(10).map((value) => ({ value, partition: 0 }));
    await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
    await producer.send({ topic, messages });
    const log = await open(topic);
    for (const fromOffset of [1, 7, 9, 13, 19]) {
      const offsets = (await readRecords(log, 0, { fromOffset })).map(({ offset }) => offset);
      expect(offsets).toEqual(Array.from({ length: 20 - fromOffset }, (_, at) => fromOffset + at));
    }
  });

  it('goes on over the markers of transactions, in the middle and at the end', async () => {
    const topic = await kafka.createTopic(1);
    const producer = await kafka.producer({ transactionalId: topic });
    for (const text of ['first', 'second']) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: text, partition: 0 }] });
      await transaction.commit();
    }
    const log = await open(topic);
    const records = await readRecords(log, 0);
    expect(texts(records)).toEqual(['first', 'second']);
    expect(records.map(({ offset }) => offset)).toEqual([0, 2]);
    expect(await log.latest(0)).toBe(4);
    const following = readRecords(log, 0, { fromOffset: 3, follow: true }, 1);
    const { offset } = await log.append(0, Buffer.from('after'));
    expect(await following).toMatchObject([{ offset }]);
    expect(offset).toBe(4);
  });
});

describe('reading at its own pace', () => {
  const limits = { fetchBytesMax: 10_000, batchBytesMax: 3_000 };
  const batchesOf = (log: KafkaLog) =>
    log.read(0, { fromOffset: 0, follow: true, batchRecordsMax: 1 })[Symbol.asyncIterator]();

  it('holds little for a reader that does not come back', async () => {
    const topic = await kafka.createTopic(1);
    await appendAll(
      await open(topic, { limits }),
      numbered(500).map((text) => text.padEnd(900)),
    );
    const log = await open(topic, { limits });
    const batches = batchesOf(log);
    await batches.next();
    const other = await openKafkaLog({ brokers: kafka.brokers, topic, partitions: 1, limits });
    logs.push(other);
    // As much time as reading it all takes.
    expect(await readRecords(other, 0)).toHaveLength(500);
    expect(log.counters.fetchedBytes).toBeLessThanOrEqual(2 * limits.fetchBytesMax);
    await batches.return?.();
  });

  it('lets nobody wait for a reader that does not come back', async () => {
    const log = await openNew({ partitions: 2, limits });
    await appendAll(
      log,
      numbered(200).map((text) => text.padEnd(900)),
    );
    const stuck = batchesOf(log);
    await stuck.next();
    const elsewhere = readRecords(log, 1, { follow: true }, 50);
    const again = readRecords(log, 0, {}, 200);
    for (const text of numbered(50)) await log.append(1, Buffer.from(text));
    expect(texts(await elsewhere)).toEqual(numbered(50));
    expect(await again).toHaveLength(200);
    await stuck.return?.();
  });

  it('reads all partitions side by side over few requests', async () => {
    const partitions = 12;
    const log = await openNew({ partitions });
    const values = numbered(600);
    await Promise.all(
      values.map((text, index) => log.append(index % partitions, Buffer.from(text))),
    );
    const all = Array.from({ length: partitions }, (_, partition) => readRecords(log, partition));
    const found = (await Promise.all(all)).flatMap(texts);
    expect(found.sort()).toEqual([...values].sort());
    expect(log.counters.fetchRequests).toBeLessThan(partitions);
  });
});

describe('records that were removed', () => {
  async function remove(topic: string, before: number): Promise<void> {
    // So that the client knows the topic's leaders: deleting does not ask for them.
    await kafka.admin.fetchTopicOffsets(topic);
    const partitions = [{ partition: 0, offset: String(before) }];
    await kafka.admin.deleteTopicRecords({ topic, partitions });
  }

  it('cannot be read, and those after them can', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic);
    await appendAll(log, numbered(10));
    await remove(topic, 4);
    expect([await log.earliest(0), await log.latest(0)]).toEqual([4, 10]);
    const before = readRecords(log, 0, { fromOffset: 3 });
    await expect(before).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
    expect(texts(await readRecords(log, 0, { fromOffset: 4 }))).toEqual(numbered(10).slice(4));
  });

  it('are told to a reader that they were taken from, who never sees a hole', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic, { limits: { fetchBytesMax: 2_000, batchBytesMax: 1_000 } });
    await appendAll(
      log,
      numbered(100).map((text) => text.padEnd(500)),
    );
    const offsets: number[] = [];
    const reading = (async () => {
      for await (const batch of log.read(0, { fromOffset: 0, follow: true })) {
        offsets.push(...batch.map(({ offset }) => offset));
        await remove(topic, 100);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
    expect(offsets).toEqual(offsets.map((_, index) => index));
    expect(offsets.length).toBeLessThan(100);
  });
});

describe('a topic that is deleted', () => {
  it('ends its readers with an error, and fails appends', async () => {
    const topic = await kafka.createTopic(1);
    const log = await open(topic, { limits: { readTimeoutMs: 300, appendTimeoutMs: 300 } });
    await appendAll(log, numbered(3));
    const reading = readRecords(log, 0, { follow: true });
    await kafka.admin.deleteTopics({ topics: [topic] });
    await expect(reading).rejects.toMatchObject({ code: 'log_topic_missing' });
    await expect(appendAll(log, ['late'])).rejects.toMatchObject({ code: 'log_unavailable' });
  });
});

describe('the lag of a partition', () => {
  it('says how many records are to go, and how old the next is', async () => {
    const log = await openNew();
    expect(await log.lag(0, 0)).toEqual({ records: 0, ageMs: 0 });
    const [first] = await appendAll(log, numbered(3));
    const { records, ageMs } = await log.lag(0, 1);
    expect(records).toBe(2);
    expect(ageMs).toBeLessThanOrEqual(Date.now() - (first?.appendTimeMs ?? 0));
    expect(ageMs).toBeGreaterThanOrEqual(0);
    expect(await log.lag(0, 3)).toEqual({ records: 0, ageMs: 0 });
  });
});
