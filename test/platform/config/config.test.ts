import { describe, expect, it } from 'vitest';
import {
  describeOptions,
  type Environment,
  type Flags,
  ingestLimits,
  loadOptions,
  type Options,
  printableOptions,
  resultSettings,
} from '../../../platform/config/config.ts';

function load(flags: Flags, env: Environment = {}): Options {
  const result = loadOptions(flags, env);
  if (!result.ok) throw new Error(result.errors.join('\n'));
  return result.options;
}

function errorsOf(flags: Flags, env: Environment = {}): readonly string[] {
  const result = loadOptions(flags, env);
  return result.ok ? [] : result.errors;
}

describe('configuration', () => {
  it('has the documented defaults', () => {
    expect(load({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      dataDir: './data',
      projectsFile: '',
      pricesFile: '',
      kafkaBrokers: [],
      clickhouseUrl: '',
      clickhouseDatabase: 'streamgauge',
      topic: 'qos.telemetry.v1',
      partitions: 4,
      logRetentionMs: 30 * 86_400_000,
      bodyBytesMax: 1_048_576,
      decompressedBytesMax: 8_388_608,
    });
    expect(resultSettings(load({}))).toEqual({
      epochMs: 2_000,
      reorderMs: 5_000,
      viewTimeoutMs: 120_000,
      pausedTimeoutMs: 3_600_000,
      gapMs: 60_000,
      reopenMs: 1_800_000,
      edgeDedupMs: 900_000,
      epochRecordsMax: 10_000,
    });
  });

  it('has other defaults with Kafka, which an option still overrides', () => {
    const env = { KAFKA_BROKERS: 'a:9092, [::1]:9093' };
    expect(load({}, env)).toMatchObject({
      kafkaBrokers: ['a:9092', '[::1]:9093'],
      partitions: 12,
      epochMs: 5_000,
    });
    expect(load({ 'epoch-ms': 1_000 }, env).epochMs).toBe(1_000);
  });

  it('takes addresses and networks of proxies', () => {
    const env = { STREAMGAUGE_TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1,2001:db8::/32,::1' };
    expect(load({}).trustedProxies).toEqual([]);
    expect(load({}, env).trustedProxies).toEqual([
      '10.0.0.0/8',
      '192.0.2.1',
      '2001:db8::/32',
      '::1',
    ]);
  });

  it('takes a flag before its variable, in either spelling, and an empty variable as unset', () => {
    const env = { STREAMGAUGE_PORT: '1', STREAMGAUGE_HOST: '' };
    expect(load({}, env)).toMatchObject({ port: 1, host: '127.0.0.1' });
    expect(load({ port: 0 }, env).port).toBe(0);
    expect(load({ dataDir: '/a' }).dataDir).toBe('/a');
    expect(load({ 'data-dir': '/b' }).dataDir).toBe('/b');
  });

  it.each([
    [{ port: 'http' }, '--port must be a whole number from 0 to 65535, not "http"'],
    [{ port: '65536' }, '--port must be'],
    [{ port: '1e3' }, '--port must be'],
    [{ port: '' }, '--port must be'],
    [{ epochMs: -1 }, '--epoch-ms must be a whole number from 100 to 60000 ms'],
    [{ logLevel: 'loud' }, '--log-level must be one of fatal, error'],
    [{ kafkaBrokers: 'a' }, '--kafka-brokers must be a comma list of host:port'],
    [{ kafkaBrokers: 'a:1,,' }, '--kafka-brokers must be'],
    [{ trustedProxies: 'proxy' }, '--trusted-proxies must be a comma list of IP addresses'],
    [{ trustedProxies: '10.0.0.0/33' }, '--trusted-proxies must be'],
    [{ trustedProxies: '10.0.0.1,' }, '--trusted-proxies must be'],
    [{ trustedProxies: '10.0.0.0/8/8' }, '--trusted-proxies must be'],
    [{ clickhouseDatabase: 'a; DROP' }, '--clickhouse-database must be'],
    [{ prot: 1 }, 'unknown option --prot; did you mean port?'],
    [{ toString: 1 }, 'unknown option --toString'],
    [{ clickhouseCluster: 'c' }, 'CLICKHOUSE_CLUSTER needs CLICKHOUSE_URL'],
    [{ viewTimeoutMs: 86_400_000 }, '--paused-timeout-ms must not be below'],
    [{ recordBytesMax: 4_096 }, '--record-bytes-max must be at least'],
  ])('says of %j in one line what is wrong', (flags, line) => {
    const errors = errorsOf(flags);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(line);
    expect(errors[0]).not.toContain('\n');
  });

  it('names the variable when that was wrong, and says everything at once', () => {
    const env = { STREAMGAUGE_PORT: 'tcp://10.0.0.1:8080', KAFKA_BROKERS: '\n' };
    expect(errorsOf({}, env)).toEqual([
      'STREAMGAUGE_PORT must be a whole number from 0 to 65535, not "tcp://10.0.0.1:8080"',
      'KAFKA_BROKERS must be a comma list of host:port, not "\\n"',
    ]);
  });

  it('never prints a password, wrong or right', () => {
    const right = load({}, { CLICKHOUSE_URL: 'https://me:hunter2@db:8443/?password=hunter2' });
    expect(right.clickhouseUrl).toContain('hunter2');
    expect(printableOptions(right).clickhouseUrl).toBe('https://me:***@db:8443/?***');
    const wrong = errorsOf({}, { CLICKHOUSE_URL: 'ftp://me:hunter2@db' });
    expect(wrong).toEqual(['CLICKHOUSE_URL must be an http:// or https:// URL']);
  });

  it('describes every option with variable, flag, unit and default', () => {
    const help = describeOptions();
    expect(help.find(({ name }) => name === 'epochMs')).toMatchObject({
      flag: '--epoch-ms',
      variable: 'STREAMGAUGE_EPOCH_MS',
      unit: 'ms',
      default: '2000 (5000 with Kafka)',
      accepts: '100 to 60000',
    });
    const flags = help.map(
      ({ name }) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
    );
    expect(help.map(({ flag }) => flag)).toEqual(flags);
    for (const { variable, flag } of help) {
      const words = flag.slice(2).replaceAll('-', '_').toUpperCase();
      expect([words, `STREAMGAUGE_${words}`]).toContain(variable);
    }
    expect(new Set(help.map(({ variable }) => variable)).size).toBe(help.length);
  });

  it('gives ingest its limits', () => {
    expect(ingestLimits(load({ bodyBytesMax: 2_000 }))).toMatchObject({
      bodyBytesMax: 2_000,
      eventsPerBeatMax: 1_000,
    });
    expect(ingestLimits()).not.toHaveProperty('port');
  });
});
