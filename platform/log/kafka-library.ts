/**
 * The one file that reaches into kafkajs: its connection (sockets, TLS, sign-in) and its codecs of requests.
 *
 * These are not its public face, so they are declared here as far as they are used. kafkajs 2.2.4 is its last release;
 * package.json must name that very version. Why not the public face: docs/decisions/0004-kafka.md.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { KafkaSettings } from './kafka-options.ts';

/** What kafkajs takes for an encoded request: `buffer` is copied behind a header, `buf` only looked at for its type. */
export interface EncodedRequest {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** A request and how its answer is read. */
export interface Exchange<Reply> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<EncodedRequest>;
  };
  readonly response: {
    decode(raw: Buffer): Promise<Reply>;
    /** Where kafkajs throws for error codes. Not used: codes are values here. */
    parse(reply: Reply): Promise<Reply>;
  };
  readonly requestTimeout?: number;
}

export interface LibraryConnection {
  connect(): Promise<unknown>;
  authenticate(): Promise<void>;
  disconnect(): Promise<unknown>;
  send<Reply>(exchange: Exchange<Reply> & { logResponseError: false }): Promise<Reply>;
  setVersions(versions: ApiVersions): void;
  setSupportAuthenticationProtocol(supported: boolean): void;
  rejectRequests(error: Error): void;
  readonly requestQueue: {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
  };
}

export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | null;
  readonly onConnect: () => void;
}

interface ConnectionConfig {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: ConnectionOptions | null;
  /** kafkajs writes into it. */
  readonly sasl: object | null;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: true;
  readonly socketFactory: (request: SocketRequest) => Socket;
  readonly logger: object;
}

/** Versions of each request that a broker takes, by its key. */
export type ApiVersions = Readonly<Record<number, { minVersion: number; maxVersion: number }>>;

/** Requests whose codec is kafkajs's, with what goes in and what comes out. Offsets are texts there. */
export interface Apis {
  ApiVersions: {
    args: undefined;
    reply: {
      readonly errorCode: number;
      readonly apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
    };
  };
  Metadata: {
    args: { readonly topics: readonly string[]; readonly allowAutoTopicCreation: false };
    reply: {
      readonly brokers: readonly { nodeId: number; host: string; port: number }[];
      readonly topicMetadata: readonly {
        readonly topic: string;
        readonly topicErrorCode: number;
        readonly partitionMetadata: readonly {
          readonly partitionId: number;
          readonly leader: number;
          readonly replicas: readonly number[];
        }[];
      }[];
    };
  };
  ListOffsets: {
    args: {
      readonly isolationLevel: 0;
      readonly topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { partition: number; timestamp: number }[];
      }[];
    };
    reply: {
      readonly responses: readonly {
        readonly partitions: readonly { errorCode: number; offset: string }[];
      }[];
    };
  };
  CreateTopics: {
    args: {
      readonly topics: readonly {
        readonly topic: string;
        readonly numPartitions: number;
        readonly replicationFactor: number;
        readonly configEntries: readonly { name: string; value: string }[];
      }[];
      readonly timeout: number;
      readonly validateOnly: false;
    };
    reply: { readonly topicErrors: readonly { errorCode: number; errorMessage: string | null }[] };
  };
  DescribeConfigs: {
    args: {
      readonly resources: readonly {
        type: number;
        name: string;
        configNames: readonly string[];
      }[];
      readonly includeSynonyms: false;
    };
    reply: {
      readonly resources: readonly {
        readonly errorCode: number;
        readonly errorMessage: string | null;
        readonly configEntries: readonly { configName: string; configValue: string | null }[];
      }[];
    };
  };
  GroupCoordinator: {
    args: { readonly groupId: string };
    reply: { readonly errorCode: number; readonly coordinator: { readonly nodeId: number } };
  };
  JoinGroup: {
    args: {
      readonly groupId: string;
      readonly sessionTimeout: number;
      readonly rebalanceTimeout: number;
      readonly memberId: string;
      readonly protocolType: 'consumer';
      readonly groupProtocols: readonly { name: string; metadata: Buffer }[];
    };
    reply: {
      readonly errorCode: number;
      readonly generationId: number;
      readonly leaderId: string;
      readonly memberId: string;
      readonly members: readonly { memberId: string; memberMetadata: Buffer }[];
    };
  };
  SyncGroup: {
    args: {
      readonly groupId: string;
      readonly generationId: number;
      readonly memberId: string;
      readonly groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
    };
    reply: { readonly errorCode: number; readonly memberAssignment: Buffer };
  };
  Heartbeat: {
    args: {
      readonly groupId: string;
      readonly groupGenerationId: number;
      readonly memberId: string;
    };
    reply: { readonly errorCode: number };
  };
  LeaveGroup: {
    args: { readonly groupId: string; readonly memberId: string };
    reply: { readonly errorCode: number };
  };
  OffsetCommit: {
    args: {
      readonly groupId: string;
      readonly groupGenerationId: number;
      readonly memberId: string;
      readonly topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { partition: number; offset: string }[];
      }[];
    };
    reply: {
      readonly responses: readonly { readonly partitions: readonly { errorCode: number }[] }[];
    };
  };
}

interface Codec {
  readonly versions: readonly string[];
  protocol(choice: { version: number }): (args: unknown) => Exchange<unknown>;
}

const require = createRequire(import.meta.url);
const Connection = require('kafkajs/src/network/connection') as new (
  config: ConnectionConfig,
) => LibraryConnection;
const { requests } = require('kafkajs/src/protocol/requests') as {
  requests: Readonly<Record<keyof Apis, Codec>>;
};
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Readonly<
  Record<string, number>
>;
const { errorCodes } = require('kafkajs/src/protocol/error') as {
  errorCodes: readonly { code: number; type: string; message: string }[];
};

const quiet = () => undefined;
/** Every failure is thrown as well, with its cause: nothing is lost by not logging it here. */
const silentLogger = {
  namespace: () => silentLogger,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
};

export function createConnection(
  address: { readonly host: string; readonly port: number },
  settings: KafkaSettings,
  times: { readonly connectTimeoutMs: number },
  socketFactory: ConnectionConfig['socketFactory'],
): LibraryConnection {
  const connection = new Connection({
    ...address,
    clientId: settings.clientId,
    ssl: settings.tls ?? null,
    sasl: settings.sasl === undefined ? null : { ...settings.sasl },
    connectionTimeout: times.connectTimeoutMs,
    // The least for any request; each gives its own.
    requestTimeout: times.connectTimeoutMs,
    enforceRequestTimeout: true,
    socketFactory,
    logger: silentLogger,
  });
  restTimer(connection.requestQueue);
  return connection;
}

/** kafkajs looks for requests held back by a quota every millisecond, for ever, once there was an answer. */
function restTimer(queue: LibraryConnection['requestQueue']): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
}

/** The newest version of a request that both sides know; undefined when there is none. */
export function exchangeOf<Name extends keyof Apis>(
  name: Name,
  args: Apis[Name]['args'],
  versions: ApiVersions,
): Exchange<Apis[Name]['reply']> | undefined {
  const codec = requests[name];
  const taken = versions[apiKeys[name] ?? -1];
  if (taken === undefined) return undefined;
  const version = Math.min(Math.max(...codec.versions.map(Number)), taken.maxVersion);
  if (version < taken.minVersion) return undefined;
  return codec.protocol({ version })(args) as Exchange<Apis[Name]['reply']>;
}

/** The first request on a connection, in the version that every broker takes. */
export function apiVersionsExchange(): Exchange<Apis['ApiVersions']['reply']> {
  return requests.ApiVersions.protocol({ version: 0 })(undefined) as Exchange<
    Apis['ApiVersions']['reply']
  >;
}

/** Kafka's name of an error code, with its sentence. */
export function describeCode(code: number): string {
  const known = errorCodes.find((entry) => entry.code === code);
  return known === undefined ? `error ${code}` : `${known.type} (${known.message})`;
}
