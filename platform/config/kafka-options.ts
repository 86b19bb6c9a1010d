/** How Kafka is reached, and how a processor shares its partitions. None of it is used with the embedded log. */
import { COMPRESSIONS, SASL_MECHANISMS } from '../log/kafka-options.ts';
import { addresses, choice, integer, secret, text } from './option-kinds.ts';

const PATH = { default: '', accepts: 'a path', pattern: /^[^\0]+$/ };
const NAME = {
  accepts: 'a name of letters, digits, dots, dashes and underscores',
  pattern: /^[\w.-]{1,200}$/,
};

export const kafka = {
  kafkaBrokers: addresses({
    variable: 'KAFKA_BROKERS',
    flag: 'kafka-brokers',
    description: 'Kafka brokers; unset: the embedded log',
    default: [],
  }),
  kafkaClientId: text({
    variable: 'KAFKA_CLIENT_ID',
    flag: 'kafka-client-id',
    description: "name under which the brokers' logs and quotas know this program",
    default: 'streamgauge',
    ...NAME,
  }),
  kafkaGroup: text({
    variable: 'KAFKA_GROUP',
    flag: 'kafka-group',
    description:
      'consumer group in which processors share the partitions; the topic is added to it',
    default: 'streamgauge',
    ...NAME,
  }),
  kafkaSessionTimeoutMs: integer({
    variable: 'KAFKA_SESSION_TIMEOUT_MS',
    flag: 'kafka-session-timeout-ms',
    description:
      'silence after which the group gives a processor up, and others take its partitions',
    unit: 'ms',
    default: 30_000,
    min: 6_000,
    max: 300_000,
  }),
  kafkaCompression: choice({
    variable: 'KAFKA_COMPRESSION',
    flag: 'kafka-compression',
    description: 'compression of what is appended',
    default: 'none',
    words: COMPRESSIONS,
  }),
  kafkaTls: choice({
    variable: 'KAFKA_TLS',
    flag: 'kafka-tls',
    description: 'connections are TLS',
    default: 'off',
    words: ['off', 'on'],
  }),
  kafkaCaFile: text({
    variable: 'KAFKA_CA_FILE',
    flag: 'kafka-ca-file',
    description: "certificates (PEM) that vouch for the brokers'; unset: those that Node trusts",
    ...PATH,
  }),
  kafkaCertFile: text({
    variable: 'KAFKA_CERT_FILE',
    flag: 'kafka-cert-file',
    description: 'certificate (PEM) that this program shows the brokers',
    ...PATH,
  }),
  kafkaKeyFile: text({
    variable: 'KAFKA_KEY_FILE',
    flag: 'kafka-key-file',
    description: 'key (PEM) of that certificate',
    ...PATH,
  }),
  kafkaSaslMechanism: choice({
    variable: 'KAFKA_SASL_MECHANISM',
    flag: 'kafka-sasl-mechanism',
    description: 'how this program signs in',
    default: 'none',
    words: ['none', ...SASL_MECHANISMS],
  }),
  kafkaSaslUsername: text({
    variable: 'KAFKA_SASL_USERNAME',
    flag: 'kafka-sasl-username',
    description: 'name with which it signs in',
    default: '',
    accepts: 'a name without line ends',
    pattern: /^[^\0\r\n]{1,200}$/,
  }),
  kafkaSaslPassword: secret({
    variable: 'KAFKA_SASL_PASSWORD',
    flag: 'kafka-sasl-password',
    description: 'password with which it signs in',
    default: '',
  }),
  kafkaReplicationFactor: integer({
    variable: 'KAFKA_REPLICATION_FACTOR',
    flag: 'kafka-replication-factor',
    description: 'brokers that hold each partition of a topic that `topics` creates',
    default: 3,
    min: 1,
    max: 9,
  }),
  kafkaMinInsyncReplicas: integer({
    variable: 'KAFKA_MIN_INSYNC_REPLICAS',
    flag: 'kafka-min-insync-replicas',
    description: 'brokers that must have a record before it is acknowledged',
    default: 2,
    min: 1,
    max: 9,
  }),
};

interface KafkaGiven {
  readonly kafkaTls: string;
  readonly kafkaCaFile: string;
  readonly kafkaCertFile: string;
  readonly kafkaKeyFile: string;
  readonly kafkaSaslMechanism: string;
  readonly kafkaSaslUsername: string;
  readonly kafkaReplicationFactor: number;
  readonly kafkaMinInsyncReplicas: number;
}

/** What is allowed alone, but not together. */
export function kafkaConflicts(options: KafkaGiven): string[] {
  const lines: string[] = [];
  const files = [options.kafkaCaFile, options.kafkaCertFile, options.kafkaKeyFile];
  if (options.kafkaTls === 'off' && files.some((file) => file !== '')) {
    lines.push('KAFKA_CA_FILE, KAFKA_CERT_FILE and KAFKA_KEY_FILE need KAFKA_TLS=on');
  }
  if ((options.kafkaCertFile === '') !== (options.kafkaKeyFile === '')) {
    lines.push('KAFKA_CERT_FILE and KAFKA_KEY_FILE go together');
  }
  if ((options.kafkaSaslMechanism === 'none') !== (options.kafkaSaslUsername === '')) {
    lines.push('KAFKA_SASL_MECHANISM and KAFKA_SASL_USERNAME go together');
  }
  if (options.kafkaMinInsyncReplicas > options.kafkaReplicationFactor) {
    lines.push('--kafka-min-insync-replicas must not be above --kafka-replication-factor');
  }
  return lines;
}
