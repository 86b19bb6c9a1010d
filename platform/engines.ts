/** The two engines that the options name: the log and the store. */
import { type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { migrations } from '../schemas/migrations/index.ts';
import { tableDays } from '../schemas/tables/tables.ts';
import type { Options } from './config/config.ts';
import type { ReadyCheck } from './http/operators.ts';
import { openEmbeddedLog } from './log/embedded.ts';
import type { JoinGroup } from './log/group.ts';
import { openKafkaLog } from './log/kafka.ts';
import { joinGroup } from './log/kafka-group.ts';
import type { KafkaAccess } from './log/kafka-options.ts';
import { createKafkaTopic, type KafkaTopicResult } from './log/kafka-topic.ts';
import type { Log } from './log/log.ts';
import { projectsIn } from './projects.ts';
import { migrate } from './store/migrate.ts';
import { openStore } from './store/open.ts';
import { applyRetention, type TableRetention } from './store/retention.ts';
import type { OpenStore, Store } from './store/store.ts';

/** How often the embedded log's retention is enforced, ms. */
const RETENTION_INTERVAL_MS = 60_000;
/** A failure that goes on is told so often, ms: a full disk fails every append. */
const TELL_INTERVAL_MS = 10_000;
/** Heartbeats in a session's timeout: most of them may be lost. */
const HEARTBEATS_PER_SESSION = 10;
/** An owner finishes its epoch before it gives a partition up, ms. */
const REBALANCE_MS_MIN = 60_000;

export interface EngineLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A log that counts what it does, by name. */
export type CountingLog = Log & { readonly counters: object };

/** The data directory, or one in it, is something else. */
export class DataDirectoryError extends Error {}

/** Looks before anything is made: what cannot be used is left as it is. @throws DataDirectoryError */
export function checkDataDirectory(options: Options): void {
  if (isShared(options)) return;
  const { dataDir } = options;
  for (const path of [dataDir, join(dataDir, 'log'), join(dataDir, 'store')]) {
    const found = statOf(path);
    if (found !== undefined && !found.isDirectory())
      throw new DataDirectoryError(`${path} is no directory: choose another data directory`);
  }
}

/** True when the log is Kafka, which other processes share. */
export function hasKafka({ kafkaBrokers }: Options): boolean {
  return kafkaBrokers.length > 0;
}

/** True when no engine belongs to the process alone: then there is no data directory either. */
export function isShared(options: Options): boolean {
  return hasKafka(options) && options.clickhouseUrl !== '';
}

/** @throws LogError when it cannot be opened. */
export function openLog(options: Options, logger: EngineLogger): Promise<CountingLog> {
  return hasKafka(options) ? openSharedLog(options, logger) : openOwnLog(options, logger);
}

function openOwnLog(options: Options, logger: EngineLogger): Promise<CountingLog> {
  return openEmbeddedLog({
    directory: join(options.dataDir, 'log'),
    topic: options.topic,
    partitions: options.partitions,
    limits: { retentionMs: options.logRetentionMs, retentionBytesMax: options.logRetentionBytes },
    retentionIntervalMs: RETENTION_INTERVAL_MS,
    onError: rarely(Date.now, (error, failures) =>
      logger.error({ error, failures }, 'the log failed'),
    ),
  });
}

function openSharedLog(options: Options, logger: EngineLogger): Promise<CountingLog> {
  return openKafkaLog({
    ...kafkaAccess(options),
    topic: options.topic,
    partitions: options.partitions,
    compression: options.kafkaCompression,
    onWarning: (message, error) => logger.warn({ error }, message),
  });
}

function kafkaAccess(options: Options): KafkaAccess {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername, kafkaSaslPassword } = options;
  const file = (name: 'caFile' | 'certFile' | 'keyFile', path: string) =>
    path === '' ? {} : { [name]: path };
  const tls = {
    ...file('caFile', options.kafkaCaFile),
    ...file('certFile', options.kafkaCertFile),
    ...file('keyFile', options.kafkaKeyFile),
  };
  return {
    brokers: options.kafkaBrokers,
    clientId: options.kafkaClientId,
    ...(options.kafkaTls === 'on' ? { tls } : {}),
    ...(mechanism === 'none'
      ? {}
      : { sasl: { mechanism, username: kafkaSaslUsername, password: kafkaSaslPassword } }),
  };
}

/** How a processor joins those that share the log's partitions; undefined when the log is its own. */
export function groupOf(options: Options, logger: EngineLogger): JoinGroup | undefined {
  if (!hasKafka(options)) return undefined;
  const { kafkaGroup, kafkaSessionTimeoutMs: sessionTimeoutMs, topic, partitions } = options;
  return (handlers) =>
    joinGroup({
      ...kafkaAccess(options),
      ...handlers,
      // Another generation is another group: the old one may still be drained.
      groupId: `${kafkaGroup}.${topic}`,
      topic,
      partitions,
      sessionTimeoutMs,
      rebalanceTimeoutMs: Math.max(REBALANCE_MS_MIN, 2 * sessionTimeoutMs),
      heartbeatMs: Math.round(sessionTimeoutMs / HEARTBEATS_PER_SESSION),
      onWarning: (message, error) => logger.warn({ error }, message),
    });
}

/** Creates the topic, or says how the one that is there differs from what is wanted. @throws LogError */
export function createTopic(options: Options): Promise<KafkaTopicResult> {
  return createKafkaTopic({
    ...kafkaAccess(options),
    topic: options.topic,
    partitions: options.partitions,
    replicationFactor: options.kafkaReplicationFactor,
    minInsyncReplicas: options.kafkaMinInsyncReplicas,
    retentionMs: options.logRetentionMs,
  });
}

/** Tells the first failure, and then at most one in a while, with how many there were. */
export function rarely(
  now: () => number,
  tell: (error: unknown, failures: number) => void,
): (error: unknown) => void {
  let toldMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  return (error) => {
    failures++;
    if (now() - toldMs < TELL_INTERVAL_MS) return;
    toldMs = now();
    tell(error, failures);
    failures = 0;
  };
}

/** @throws StoreError when it cannot be opened. */
export function openTables(options: Options): Promise<OpenStore> {
  const given = (text: string) => (text === '' ? undefined : text);
  return openStore({
    url: given(options.clickhouseUrl),
    cluster: given(options.clickhouseCluster),
    user: given(options.clickhouseUser),
    password: given(options.clickhousePassword),
    caFile: given(options.clickhouseCaFile),
    compression: options.clickhouseCompression === 'gzip',
    writers: options.clickhouseWriters,
    requestTimeoutMs: options.clickhouseRequestTimeoutMs,
    directory: join(options.dataDir, 'store'),
    database: options.clickhouseDatabase,
  });
}

/**
 * How long each table keeps its rows, those of a project as the projects file says.
 * @throws ProjectsError when there is a projects file and it is bad.
 */
export function retentionOf(options: Options): readonly TableRetention[] {
  const projects = projectsIn(options.projectsFile);
  const days = {
    views: options.viewsTtlDays,
    view_events: options.viewEventsTtlDays,
    playback_5s: options.playbackTtlDays,
    delivery_5s: options.deliveryTtlDays,
    requests: options.requestsTtlDays,
    rejected: options.rejectedTtlDays,
  } as const;
  const names = Object.keys(days) as (keyof typeof days)[];
  return names.map((table) => {
    const own = projects.flatMap(({ id, retention }): [string, number][] => {
      const kept = retention[PROJECT_DAYS[table]];
      return kept === undefined ? [] : [[id, kept]];
    });
    return { table, day: tableDays[table], days: days[table], projects: new Map(own) };
  });
}

/** What a project calls its own days of a table. */
const PROJECT_DAYS = {
  views: 'viewsDays',
  view_events: 'viewEventsDays',
  playback_5s: 'playbackDays',
  delivery_5s: 'deliveryDays',
  requests: 'requestsDays',
  rejected: 'rejectedDays',
} as const;

/** Brings the tables to what this program and its options want. */
export async function prepareTables(
  store: Store,
  options: Options,
  logger: EngineLogger,
): Promise<void> {
  const { applied } = await migrate(store, migrations);
  if (applied.length > 0)
    logger.info({ applied: applied.map(({ name }) => name) }, 'tables are up to date');
  const altered = await applyRetention(store, retentionOf(options));
  if (altered.length > 0) logger.info({ tables: altered }, 'retention is set');
}

/** The tables are those that this program asks: whoever only reads does not make them. */
export function tablesAreThere(store: Store): ReadyCheck {
  let areThere = false;
  return async () => {
    if (areThere) return undefined;
    const { pending } = await migrate(store, migrations, { dryRun: true });
    areThere = pending.length === 0;
    return areThere ? undefined : 'tables are missing or old: run `migrate`, or a processor';
  };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Not there, or behind something that is no directory, which was told before it.
    return undefined;
  }
}
