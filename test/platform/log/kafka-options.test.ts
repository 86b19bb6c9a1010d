import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConnection } from '../../../platform/log/kafka-library.ts';
import {
  kafkaLogLimits,
  parseAddress,
  readKafkaSettings,
  resolveKafkaLimits,
} from '../../../platform/log/kafka-options.ts';

const brokers = ['kafka-1:9092'];

describe('how Kafka is reached', () => {
  it('understands names, addresses and brackets', () => {
    expect(parseAddress('kafka-1.example.com:9092')).toEqual({
      host: 'kafka-1.example.com',
      port: 9092,
    });
    expect(parseAddress('[::1]:9093')).toEqual({ host: '::1', port: 9093 });
  });

  it.each(['kafka', 'kafka:', ':9092', 'kafka:0', 'kafka:65536', 'kafka:x'])(
    'refuses %s',
    (text) => {
      expect(() => parseAddress(text)).toThrow('give host:port');
    },
  );

  it('refuses to have no broker at all', async () => {
    await expect(readKafkaSettings({ brokers: [] })).rejects.toThrow('at least one');
  });

  it('neither signs in nor encrypts unless told to', async () => {
    expect(await readKafkaSettings({ brokers })).toEqual({
      seeds: [{ host: 'kafka-1', port: 9092 }],
      clientId: 'streamgauge',
    });
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
    'hands %s, name, password and authorities to kafkajs',
    async (mechanism) => {
      const folder = await mkdtemp(join(tmpdir(), 'streamgauge-'));
      const caFile = join(folder, 'ca.pem');
      await writeFile(caFile, 'an authority');
      const sasl = { mechanism, username: 'me', password: 'secret' };
      const settings = await readKafkaSettings({ brokers, sasl, tls: { caFile } });
      const address = { host: 'kafka-1', port: 9092 };
      const times = { connectTimeoutMs: 1_000 };
      const connection = createConnection(address, settings, times, () => {
        throw new Error('not dialled');
      });
      expect(connection).toMatchObject({ ...address, sasl, ssl: { ca: ['an authority'] } });
      await rm(folder, { recursive: true });
    },
  );

  it('shows a certificate of its own when it is given one, and never half of one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'streamgauge-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(certFile, 'a certificate');
    await writeFile(keyFile, 'its key');
    expect(await readKafkaSettings({ brokers, tls: { certFile, keyFile } })).toMatchObject({
      tls: { cert: 'a certificate', key: 'its key' },
    });
    for (const tls of [{ certFile }, { keyFile }]) {
      await expect(readKafkaSettings({ brokers, tls })).rejects.toThrow('go together');
    }
    await rm(folder, { recursive: true });
  });

  it('trusts whom Node trusts when TLS is on without a file', async () => {
    expect(await readKafkaSettings({ brokers, tls: {} })).toMatchObject({ tls: {} });
  });
});

describe('limits of the log over Kafka', () => {
  it('are the defaults where nothing is given', () => {
    expect(resolveKafkaLimits({ gatherMs: 0 })).toEqual({ ...kafkaLogLimits, gatherMs: 0 });
  });

  it.each([
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs'],
    [{ gatherMs: -1 }, 'gatherMs'],
    [{ fetchBytesMax: Number.NaN }, 'fetchBytesMax'],
    [{ queueBytesMax: 5, recordBytesMax: 6 }, 'queueBytesMax'],
  ])('refuse %j', (given, name) => {
    expect(() => resolveKafkaLimits(given)).toThrow(name);
  });
});
