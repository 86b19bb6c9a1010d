/**
 * The Kafka that a test file uses: the one that KAFKA_BROKERS names, or one of its own. Tests share it through topics
 * of their own.
 */
import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { createKafkaTopic, type KafkaTopicOptions } from '../../../platform/log/kafka-topic.ts';
import { startKafka } from './kafka-server.ts';

export interface KafkaForTests {
  readonly brokers: readonly string[];
  /** Creates a topic with a name that nobody had before. */
  createTopic(partitions: number, options?: Partial<KafkaTopicOptions>): Promise<string>;
  /** Connected. For what the log itself does not do. */
  readonly admin: Admin;
  /** A producer of somebody else's. */
  producer(options?: { readonly transactionalId: string }): Promise<Producer>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;

export async function kafkaForTests(): Promise<KafkaForTests> {
  const named = process.env.KAFKA_BROKERS;
  if (named !== undefined && named !== '') {
    return useKafka(named.split(','), async () => undefined);
  }
  const server = await startKafka();
  return useKafka(server.addresses, () => server.close());
}

/** A Kafka that is there already. */
export async function useKafka(
  brokers: readonly string[],
  end: () => Promise<void>,
): Promise<KafkaForTests> {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
  const kafka = new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    // Some tests let brokers be silent.
    requestTimeout: 3_000,
  });
  const admin = kafka.admin();
  await admin.connect();
  const topics: string[] = [];
  const producers: Producer[] = [];
  return {
    brokers,
    admin,
    createTopic: async (partitions, options = {}) => {
      const topic = `test.${randomUUID()}.v1`;
      topics.push(topic);
      const defaults = { replicationFactor: 1, minInsyncReplicas: 1, retentionMs: DAY_MS };
      await createKafkaTopic({ brokers, topic, partitions, ...defaults, ...options });
      return topic;
    },
    producer: async (options) => {
      const transactional = { ...options, idempotent: true, maxInFlightRequests: 1 };
      const producer = kafka.producer(options === undefined ? {} : transactional);
      producers.push(producer);
      await producer.connect();
      return producer;
    },
    close: async () => {
      for (const producer of producers) await producer.disconnect();
      if (topics.length > 0) await admin.deleteTopics({ topics }).catch(() => undefined);
      await admin.disconnect();
      await end();
    },
  };
}
