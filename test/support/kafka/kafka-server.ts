/**
 * A real Kafka for tests: one broker, or a cluster of some, without containers.
 *
 * Guarantees: ports and folders are its own, and `close` leaves nothing behind. Topics that nobody created do not come
 * into being. Times are short, so that a lost broker or member is noticed within seconds.
 */

import { HOST } from './free-ports.ts';
import { type BrokerPlan, KafkaBroker, planBroker } from './kafka-broker.ts';
import { type BrokerCertificate, makeCertificate } from './kafka-certificate.ts';
import { kafkaClassPath } from './kafka-jars.ts';

export type { KafkaBroker } from './kafka-broker.ts';

export interface KafkaServerOptions {
  readonly brokers?: number;
  /** Names and passwords, without spaces; with them there is a listener over TLS that asks for one. */
  readonly users?: Readonly<Record<string, string>>;
}

export interface KafkaServer {
  readonly brokers: readonly KafkaBroker[];
  /** As for KAFKA_BROKERS. */
  readonly addresses: readonly string[];
  /** What a client of the listener over TLS must trust, as PEM. */
  readonly caFile: string | undefined;
  close(): Promise<void>;
}

/** Resolves when every broker takes connections. */
export async function startKafka(options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const classPath = await kafkaClassPath();
  const ids = Array.from({ length: options.brokers ?? 1 }, (_, index) => index + 1);
  const plans = await Promise.all(ids.map(planBroker));
  // In a broker's folder, which is removed whatever happens.
  const folder = plans[0]?.folder ?? '';
  const certificate = options.users === undefined ? undefined : await makeCertificate(folder);
  const signIn =
    certificate === undefined ? [] : signInProperties(options.users ?? {}, certificate);
  const brokers = plans.map((plan) => {
    const properties = propertiesOf(plan, plans, certificate !== undefined);
    const all = new Map([...properties, ...signIn]);
    return new KafkaBroker(plan, classPath, all, scramUsers(options.users ?? {}));
  });
  const close = async () => {
    await Promise.all(brokers.map((broker) => broker.remove()));
  };
  try {
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await close();
    throw error;
  }
  const addresses = brokers.map(({ address }) => address);
  return { brokers, addresses, caFile: certificate?.caFile, close };
}

function propertiesOf(
  plan: BrokerPlan,
  all: readonly BrokerPlan[],
  asksForName: boolean,
): [string, string][] {
  const copies = String(Math.min(all.length, 3));
  const voters = all.map(({ id, controllerPort }) => `${id}@${HOST}:${controllerPort}`).join(',');
  const open = `PLAINTEXT://${HOST}:${plan.port}`;
  const clients = asksForName ? [open, `SASL_SSL://${HOST}:${plan.signInPort}`] : [open];
  return [
    ['process.roles', 'broker,controller'],
    ['node.id', String(plan.id)],
    ['controller.quorum.voters', voters],
    ['listeners', [...clients, `CONTROLLER://${HOST}:${plan.controllerPort}`].join(',')],
    ['advertised.listeners', clients.join(',')],
    ['controller.listener.names', 'CONTROLLER'],
    [
      'listener.security.protocol.map',
      'PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    ],
    ['log.dirs', `${plan.folder}/data`],
    ['auto.create.topics.enable', 'false'],
    ['offsets.topic.num.partitions', '1'],
    ['offsets.topic.replication.factor', copies],
    ['transaction.state.log.num.partitions', '1'],
    ['transaction.state.log.replication.factor', copies],
    ['transaction.state.log.min.isr', '1'],
    ['group.initial.rebalance.delay.ms', '0'],
    ['broker.heartbeat.interval.ms', '500'],
    ['broker.session.timeout.ms', '3000'],
    ['replica.lag.time.max.ms', '5000'],
    ['log.retention.check.interval.ms', '300'],
    ['log.initial.task.delay.ms', '300'],
  ];
}

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/** Kafka keeps these users with its own data, which must have them from the beginning. */
function scramUsers(users: Readonly<Record<string, string>>): string {
  const wanted = Object.entries(users).flatMap(([name, password]) =>
    SCRAM.map((mechanism) => `--add-scram ${mechanism}=[name=${name},password=${password}]`),
  );
  return wanted.join(' ');
}

function signInProperties(
  users: Readonly<Record<string, string>>,
  { storeFile, password }: BrokerCertificate,
): [string, string][] {
  const known = Object.entries(users).map(([name, secret]) => `user_${name}="${secret}"`);
  const security = 'org.apache.kafka.common.security';
  const scram = SCRAM.map((mechanism): [string, string] => [
    `listener.name.sasl_ssl.${mechanism.toLowerCase()}.sasl.jaas.config`,
    `${security}.scram.ScramLoginModule required;`,
  ]);
  return [
    ['sasl.enabled.mechanisms', ['PLAIN', ...SCRAM].join(',')],
    [
      'listener.name.sasl_ssl.plain.sasl.jaas.config',
      `${security}.plain.PlainLoginModule required ${known.join(' ')};`,
    ],
    ...scram,
    ['ssl.keystore.type', 'PKCS12'],
    ['ssl.keystore.location', storeFile],
    ['ssl.keystore.password', password],
  ];
}
