/**
 * The production shape on one machine: a real Kafka, a ClickHouse of its own process, and the roles of the program as
 * processes, to be started, stopped, killed and frozen one by one.
 *
 * Guarantee: `clear` ends every process and removes everything, whatever has happened.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionTypes, Kafka, logLevel, type Producer, type ProducerRecord } from 'kafkajs';
import { Random } from '../../../ingest/clients/simulation/random.ts';
import {
  type ClickHouseProcess,
  startClickHouseProcess,
} from '../../support/clickhouse/process.ts';
import { type KafkaServer, startKafka } from '../../support/kafka/kafka-server.ts';
import { Children } from '../processes/children.ts';
import { type CommandResult, Program, runProgram } from '../processes/program.ts';
import { freePort, RESTLESS, type SiteProject, writeProjects } from '../processes/site.ts';

/** The least that a group allows: a member that is silent for so long has lost its partitions, ms. */
export const SESSION_MS = 6_000;

export interface DeploymentOptions {
  readonly seed: number;
  readonly partitions: number;
  readonly brokers: number;
  /** Told when a process ends that nobody ended. */
  readonly onSelfEnded: (error: Error) => void;
}

/** Each epoch of each partition is some inserts: a dozen partitions want longer ones than four. */
const CALMER = ['--epoch-ms', '2000', '--checkpoint-ms', '5000'];
const PORT_STREAM = 0x9048;
/** The topic where nobody says another. */
const TOPIC = 'qos.telemetry.v1';
const FOREIGN = [
  null,
  Buffer.alloc(0),
  Buffer.from('{"hello":"world"}'),
  Buffer.from('c301', 'hex'),
  Buffer.alloc(5_000, 7),
];

export class Deployment {
  readonly kafka: KafkaServer;
  readonly simulated: SiteProject;
  readonly tallied: SiteProject;
  readonly directory: string;
  readonly children = new Children();
  clickhouse: ClickHouseProcess;
  readonly #options: DeploymentOptions;
  readonly #projectsFile: string;
  readonly #client: Kafka;
  #foreign = 0;
  readonly #ports: { readonly ingest: number; readonly api: number };

  private constructor(
    options: DeploymentOptions,
    parts: {
      readonly kafka: KafkaServer;
      readonly clickhouse: ClickHouseProcess;
      readonly directory: string;
      readonly projects: Awaited<ReturnType<typeof writeProjects>>;
      readonly ports: { readonly ingest: number; readonly api: number };
    },
  ) {
    const { projects } = parts;
    this.#options = options;
    this.kafka = parts.kafka;
    this.clickhouse = parts.clickhouse;
    this.directory = parts.directory;
    this.simulated = projects.simulated;
    this.tallied = projects.tallied;
    this.#projectsFile = projects.projectsFile;
    this.#ports = parts.ports;
    this.#client = new Kafka({
      brokers: [...parts.kafka.addresses],
      logLevel: logLevel.NOTHING,
    });
  }

  /** Starts the engines, and makes the topic and the tables. */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const directory = await mkdtemp(join(tmpdir(), 'streamgauge-deployment-'));
    const [kafka, clickhouse, projects] = await Promise.all([
      startKafka({ brokers: options.brokers }),
      startClickHouseProcess({ directory: join(directory, 'clickhouse') }),
      writeProjects(directory),
    ]);
    const random = new Random(options.seed, PORT_STREAM);
    const ports = { ingest: await freePort(random), api: await freePort(random) };
    const parts = { kafka, clickhouse, directory, projects, ports };
    const deployment = new Deployment(options, parts);
    for (const command of ['topics', 'migrate']) {
      const { code, stdout, stderr } = await deployment.run(command);
      if (code !== 0) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`);
    }
    return deployment;
  }

  get ingestUrl(): string {
    return `http://127.0.0.1:${this.#ports.ingest}`;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.#ports.api}`;
  }

  logFile(name: string): string {
    return join(this.directory, `${name}.log`);
  }

  startRole(role: 'ingest' | 'processor' | 'api', name: string = role): Program {
    const port = role === 'processor' ? 0 : this.#ports[role];
    return new Program({
      children: this.children,
      dataDirectory: join(this.directory, 'unused'),
      port,
      role,
      flags: ['--projects-file', this.#projectsFile, ...RESTLESS, ...CALMER, ...this.#engines()],
      logFile: this.logFile(name),
      onSelfEnded: (error) => this.#options.onSelfEnded(new Error(`${name}: ${error.message}`)),
    });
  }

  /** Runs a command on the engines. */
  run(command: string): Promise<CommandResult> {
    return runProgram(this.children, [command, ...this.#engines()]);
  }

  /** Somebody else writes into the topic: each record must become a reject, and cost nothing beside it. */
  async appendForeign(): Promise<void> {
    const producers = [{}, { transactionalId: `foreign-${this.#foreign++}` }].map((options) =>
      this.#client.producer({ ...options, idempotent: true, maxInFlightRequests: 1 }),
    );
    const messages = FOREIGN.map((value, at) => ({
      value,
      partition: at % this.#options.partitions,
    }));
    const sent = { topic: TOPIC, messages, acks: -1, compression: CompressionTypes.GZIP };
    for (const [at, producer] of producers.entries()) {
      await producer.connect();
      if (at === 0) await producer.send(sent);
      else await sendInTransaction(producer, sent);
      await producer.disconnect();
    }
  }

  /** Kills ClickHouse; `startClickHouse` starts it again where it was. */
  killClickHouse(): Promise<void> {
    return this.clickhouse.kill();
  }

  async startClickHouse(): Promise<void> {
    const directory = join(this.directory, 'clickhouse');
    const { port } = this.clickhouse;
    this.clickhouse = await startClickHouseProcess({ directory, port });
  }

  async clear(): Promise<void> {
    await this.children.end();
    this.clickhouse.resume();
    await Promise.all([this.clickhouse.kill(), this.kafka.close()]);
    await rm(this.directory, { recursive: true, force: true });
  }

  #engines(): string[] {
    const { partitions, brokers } = this.#options;
    const replicas = Math.min(brokers, 3);
    return [
      ['--kafka-brokers', this.kafka.addresses.join(',')],
      ['--partitions', partitions],
      ['--kafka-session-timeout-ms', SESSION_MS],
      ['--kafka-replication-factor', replicas],
      ['--kafka-min-insync-replicas', Math.min(replicas, 2)],
      ['--clickhouse-url', this.clickhouse.url],
    ]
      .flat()
      .map(String);
  }
}

/** One transaction that is given up, and one that is not: both leave markers where no record is. */
async function sendInTransaction(producer: Producer, sent: ProducerRecord): Promise<void> {
  const given = await producer.transaction();
  await given.send(sent);
  await given.abort();
  const taken = await producer.transaction();
  await taken.send(sent);
  await taken.commit();
}
