/**
 * The topic itself: created by the command `topics` and by nothing else, and compared with what it should be.
 *
 * Guarantee: a topic that is there is never changed; what differs is told, with the command that changes it.
 */

import { BATCH_OVERHEAD_BYTES } from './kafka-batch.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { CODE, refused } from './kafka-errors.ts';
import { describeCode } from './kafka-library.ts';
import {
  type KafkaAccess,
  type KafkaTimes,
  kafkaLogLimits,
  kafkaTimes,
  readKafkaSettings,
} from './kafka-options.ts';
import { LogError } from './log.ts';

export const TIMESTAMP_TYPE = 'message.timestamp.type';

/** Pause between looks at a topic that is coming into being, ms. */
const RETRY_MS = 50;

/** How long the brokers may take to agree on a new topic, ms. */
const CREATE_TIMEOUT_MS = 15_000;

export interface KafkaTopicOptions extends KafkaAccess {
  readonly topic: string;
  readonly partitions: number;
  /** Brokers that hold each partition. */
  readonly replicationFactor: number;
  /** Of these, how many must have a record before it is acknowledged; with fewer, appends fail. */
  readonly minInsyncReplicas: number;
  /** Age at which records are removed, ms. */
  readonly retentionMs: number;
  /** Largest record that will be appended, bytes. */
  readonly recordBytesMax?: number;
  readonly times?: Partial<KafkaTimes>;
}

export interface KafkaTopicResult {
  readonly created: boolean;
  /** What is not as it should be, one sentence each, with what to do. Empty when all is well. */
  readonly differences: readonly string[];
}

/** A topic's settings in force, by Kafka's names. */
export type TopicConfig = ReadonlyMap<string, string>;

/**
 * Creates the topic, or compares the one that is there.
 * @throws LogError `log_unavailable` when Kafka cannot be reached or refuses. RangeError for a wrong address.
 */
export async function createKafkaTopic(options: KafkaTopicOptions): Promise<KafkaTopicResult> {
  const settings = await readKafkaSettings(options);
  const times = { ...kafkaTimes, retryMs: RETRY_MS, ...options.times };
  const cluster = new KafkaCluster({ settings, times, topic: options.topic });
  try {
    await cluster.reach(times.requestTimeoutMs);
    const created = cluster.partitions === undefined && (await create(cluster, options));
    await untilKnown(cluster);
    return { created, differences: await compare(cluster, options) };
  } catch (error) {
    if (error instanceof LogError) throw error;
    const message = `The topic ${options.topic} cannot be created: check KAFKA_BROKERS, the sign-in and the cause`;
    throw new LogError('log_unavailable', message, { cause: error });
  } finally {
    cluster.close();
  }
}

function wantedConfig(options: KafkaTopicOptions): TopicConfig {
  const recordBytesMax = options.recordBytesMax ?? kafkaLogLimits.recordBytesMax;
  return new Map([
    [TIMESTAMP_TYPE, 'LogAppendTime'],
    ['cleanup.policy', 'delete'],
    ['compression.type', 'producer'],
    ['max.message.bytes', String(recordBytesMax + BATCH_OVERHEAD_BYTES)],
    ['min.insync.replicas', String(options.minInsyncReplicas)],
    ['retention.bytes', '-1'],
    ['retention.ms', String(options.retentionMs)],
    ['unclean.leader.election.enable', 'false'],
  ]);
}

/** False when another was faster. */
async function create(cluster: KafkaCluster, options: KafkaTopicOptions): Promise<boolean> {
  const { topic, partitions, replicationFactor } = options;
  const configEntries = [...wantedConfig(options)].map(([name, value]) => ({ name, value }));
  const wanted = { topic, numPartitions: partitions, replicationFactor, configEntries };
  const timeout = CREATE_TIMEOUT_MS;
  const args = { topics: [wanted], timeout, validateOnly: false } as const;
  const { topicErrors } = await cluster.askAny('CreateTopics', args, 2 * CREATE_TIMEOUT_MS);
  const { errorCode = -1, errorMessage } = topicErrors[0] ?? {};
  if (errorCode === CODE.topicExists) return false;
  if (errorCode === 0) return true;
  const why = errorMessage ?? describeCode(errorCode);
  throw new LogError('log_unavailable', `Kafka did not create the topic ${topic}: ${why}`);
}

/** Brokers learn of a new topic, and its partitions get their leaders, a moment after it was created. */
async function untilKnown(cluster: KafkaCluster): Promise<void> {
  const endsAtMs = Date.now() + kafkaTimes.requestTimeoutMs;
  while (!cluster.isLed && Date.now() < endsAtMs) await cluster.recover();
  if (cluster.partitions === undefined) throw refused(cluster.topic, CODE.unknownTopicOrPartition);
}

/** The topic's settings in force. @throws KafkaError. */
export async function describeTopic(cluster: KafkaCluster): Promise<TopicConfig> {
  const { topic } = cluster;
  const resource = { type: RESOURCE_TOPIC, name: topic, configNames: [] };
  const args = { resources: [resource], includeSynonyms: false } as const;
  const { resources } = await cluster.askAny('DescribeConfigs', args);
  const { errorCode = -1, configEntries = [] } = resources[0] ?? {};
  if (errorCode !== 0) throw refused(`The settings of ${topic}`, errorCode);
  return new Map(
    configEntries.map(({ configName, configValue }) => [configName, configValue ?? '']),
  );
}

const RESOURCE_TOPIC = 2;

async function compare(cluster: KafkaCluster, options: KafkaTopicOptions): Promise<string[]> {
  const { topic, partitions, replicationFactor } = options;
  const differences: string[] = [];
  if (cluster.partitions !== partitions) {
    differences.push(
      `${topic} has ${cluster.partitions} partitions, not ${partitions}: the number cannot change, because it says ` +
        'which partition a view is in. Use that number, or start a new generation of the topic',
    );
  }
  if (cluster.replicas !== replicationFactor) {
    differences.push(
      `${topic} is on ${cluster.replicas} brokers, not ${replicationFactor}: ` +
        'move it with kafka-reassign-partitions.sh',
    );
  }
  const found = await describeTopic(cluster);
  for (const [name, value] of wantedConfig(options)) {
    const has = found.get(name);
    if (has !== undefined && !isEnough(name, has, value)) {
      differences.push(
        `${topic} has ${name}=${has}, not ${value}: change it with ` +
          `kafka-configs.sh --alter --topic ${topic} --add-config ${name}=${value}`,
      );
    }
  }
  return differences;
}

/** Larger records than wanted may be allowed. */
function isEnough(name: string, has: string, wanted: string): boolean {
  return name === 'max.message.bytes' ? Number(has) >= Number(wanted) : has === wanted;
}
