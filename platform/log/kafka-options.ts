/**
 * How Kafka is reached, and the limits of the log over it, each with its unit and default, checked once.
 *
 * Names follow what Kafka's own clients call them, so that a working configuration of another client can be copied.
 */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { checkedLimits } from './limits-check.ts';
import { LogError } from './log.ts';

export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

export const COMPRESSIONS = ['none', 'gzip'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** How the brokers are reached; the same for the log, its topics and the group. */
export interface KafkaAccess {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Name under which the brokers' logs and quotas know this program. */
  readonly clientId?: string;
  readonly sasl?: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string;
  };
  readonly tls?: KafkaTls;
}

/** Files are PEM. */
export interface KafkaTls {
  /** Authorities that brokers' certificates must come from; without it those that Node trusts. */
  readonly caFile?: string;
  /** With both, this program shows a certificate of its own. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface KafkaAddress {
  readonly host: string;
  readonly port: number;
}

/** What a connection needs, with files read. */
export interface KafkaSettings {
  readonly seeds: readonly KafkaAddress[];
  readonly clientId: string;
  readonly sasl?: KafkaAccess['sasl'];
  readonly tls?: ConnectionOptions;
}

/** Time limits of talking to brokers. */
export interface KafkaTimes {
  /** Connecting to a broker, with TLS and sign-in, ms. */
  readonly connectTimeoutMs: number;
  /** A request that a broker has not answered for so long is given up, with its connection, ms. */
  readonly requestTimeoutMs: number;
  /** Pause before something that failed is tried again, ms. */
  readonly retryMs: number;
}

export interface KafkaLogLimits extends KafkaTimes {
  /** Largest record, bytes. Beyond: `log_record_too_large`. The topic's `max.message.bytes` must leave room for it. */
  readonly recordBytesMax: number;
  /** Records waiting for their acknowledgement. Beyond: `log_overloaded`. */
  readonly queueRecordsMax: number;
  /** Bytes of records waiting for their acknowledgement. Beyond: `log_overloaded`. */
  readonly queueBytesMax: number;
  /** How long appends wait for company, ms: each request costs the broker as much as hundreds of records. */
  readonly gatherMs: number;
  /** Bytes of records in one batch of a partition; one record always fits. */
  readonly batchBytesMax: number;
  /** Bytes of batches in one produce request; one batch always fits. */
  readonly requestBytesMax: number;
  /** An append that could not be sent for so long fails, ms. One that was sent may take `requestTimeoutMs` more. */
  readonly appendTimeoutMs: number;
  /** Bytes that one fetch takes of a partition. A reader holds up to three of these. */
  readonly fetchBytesMax: number;
  /** How long a broker holds a fetch when there is nothing new, ms. */
  readonly fetchWaitMs: number;
  /** The same while some readers are busy and may soon want more, ms: a request under way cannot be added to. */
  readonly busyFetchWaitMs: number;
  /** A reader that does not follow fails after so long without an answer, ms. One that follows waits for ever. */
  readonly readTimeoutMs: number;
  /** Records in one batch of a reader. */
  readonly batchRecordsMax: number;
  /** Bytes that a compressed batch may grow to when read. */
  readonly inflatedBytesMax: number;
}

const MIB = 1024 * 1024;

export const kafkaTimes: KafkaTimes = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  retryMs: 200,
};

export const kafkaLogLimits: KafkaLogLimits = {
  ...kafkaTimes,
  // Kafka's own default for a batch is 1,048,588 bytes.
  recordBytesMax: 1_000_000,
  queueRecordsMax: 50_000,
  queueBytesMax: 64 * MIB,
  gatherMs: 5,
  batchBytesMax: 1_000_000,
  requestBytesMax: 8 * MIB,
  appendTimeoutMs: 10_000,
  fetchBytesMax: MIB,
  fetchWaitMs: 250,
  busyFetchWaitMs: 10,
  readTimeoutMs: 30_000,
  batchRecordsMax: 1_000,
  inflatedBytesMax: 64 * MIB,
};

/** The defaults with what was given, checked. @throws RangeError when a limit makes no sense. */
export function resolveKafkaLimits(given: Partial<KafkaLogLimits> = {}): KafkaLogLimits {
  return checkedLimits({ ...kafkaLogLimits, ...given });
}

/** @throws LogError `log_unavailable` when a file cannot be read; RangeError for a wrong address, or half a certificate. */
export async function readKafkaSettings(access: KafkaAccess): Promise<KafkaSettings> {
  if (access.brokers.length === 0) throw new RangeError('brokers is empty: give at least one');
  return {
    seeds: access.brokers.map(parseAddress),
    clientId: access.clientId ?? 'streamgauge',
    ...(access.sasl === undefined ? {} : { sasl: access.sasl }),
    ...(access.tls === undefined ? {} : { tls: await tlsOptions(access.tls) }),
  };
}

async function tlsOptions({ caFile, certFile, keyFile }: KafkaTls): Promise<ConnectionOptions> {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new RangeError('certFile and keyFile go together: give both, or none');
  }
  const ca = await pem('trusted authorities', caFile);
  const cert = await pem('the certificate', certFile);
  const key = await pem("the certificate's key", keyFile);
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

async function pem(what: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const message = `The file of ${what} ${path} cannot be read: check its path and permissions`;
    throw new LogError('log_unavailable', message, { cause: error });
  }
}

/** The last colon parts host and port, because an IPv6 address has colons of its own, in brackets. */
export function parseAddress(text: string): KafkaAddress {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, Math.max(0, colon)).replace(/^\[(.*)\]$/, '$1');
  const port = Number(text.slice(colon + 1));
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`${text} is no broker: give host:port`);
  }
  return { host, port };
}
