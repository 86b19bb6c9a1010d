/** The command line as a user meets it: roles that lack an engine, topics in a real Kafka, mistakes in one line. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Children } from './chaos/processes/children.ts';
import { type CommandResult, runProgram } from './chaos/processes/program.ts';
import { type KafkaServer, startKafka } from './support/kafka/kafka-server.ts';

const children = new Children();

afterAll(() => children.end());

function run(...args: string[]): Promise<CommandResult> {
  return runProgram(children, args);
}

describe('a role without the engines that it shares', () => {
  it.each([
    [['ingest'], 'KAFKA_BROKERS'],
    [['processor'], 'KAFKA_BROKERS'],
    [['processor', '--kafka-brokers', '127.0.0.1:1'], 'CLICKHOUSE_URL'],
    [['api'], 'CLICKHOUSE_URL'],
    [['topics'], 'KAFKA_BROKERS'],
  ])('%j says in one line that it needs %s', async (args, variable) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(variable)]);
  });
});

describe('a price book that cannot be used', () => {
  it('is one line, before anything is opened', async () => {
    const { code, stderr } = await run('all', '--port', '0', '--prices-file', '/no/prices.json');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: '/no/prices.json: cannot be read (ENOENT)\n',
    });
  });
});

describe('options of Kafka', () => {
  it.each([
    [['--kafka-ca-file', '/x'], 'KAFKA_TLS=on'],
    [['--kafka-tls', 'on', '--kafka-cert-file', '/x'], 'KAFKA_KEY_FILE'],
    [
      ['--kafka-min-insync-replicas', '3', '--kafka-replication-factor', '2'],
      '--kafka-replication-factor',
    ],
  ])('%j are told apart before anything is opened', async (args, named) => {
    const { code, stderr } = await run('topics', '--kafka-brokers', '127.0.0.1:1', ...args);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(named)]);
  });

  it('never print a password', async () => {
    const secret = 'correct-horse';
    const { stdout, stderr } = await run(
      ...['topics', '--kafka-brokers', '127.0.0.1:1', '--kafka-sasl-mechanism', 'PLAIN'],
      ...['--kafka-sasl-username', 'me', '--kafka-sasl-password', `${secret}\n`],
    );
    expect(stderr).toContain('--kafka-sasl-password');
    expect(stdout + stderr).not.toContain(secret);
  });
});

describe('topics', () => {
  let kafka: KafkaServer;

  beforeAll(async () => {
    kafka = await startKafka();
  });

  afterAll(() => kafka?.close());

  it('creates the topic once, changes nothing afterwards, and says what differs', async () => {
    const topic = `test.${randomUUID()}.v1`;
    const where = ['topics', '--kafka-brokers', kafka.addresses.join(','), '--topic', topic];
    const one = ['--kafka-replication-factor', '1', '--kafka-min-insync-replicas', '1'];
    expect(await run(...where, ...one)).toMatchObject({ code: 0, stdout: `${topic} is created\n` });
    expect(await run(...where, ...one)).toMatchObject({ code: 0, stdout: `${topic} was there\n` });
    const { code, stdout } = await run(...where, ...one, '--partitions', '5');
    expect(code).toBe(1);
    expect(stdout).toContain('has 12 partitions, not 5');
  });

  it('says that a role needs them', async () => {
    const where = ['--kafka-brokers', kafka.addresses.join(','), '--topic', 'not.there.v1'];
    const { code, stderr } = await run('ingest', '--port', '0', ...where);
    expect(code).toBe(1);
    expect(stderr).toContain('not.there.v1');
    expect(stderr).toContain('topics');
  });
});
