/** The options that say how a ClickHouse server is reached. */
import { expect, it } from 'vitest';
import { loadOptions, printableOptions } from '../../../platform/config/config.ts';

function load(env: Record<string, string>) {
  const result = loadOptions({}, env);
  if (!result.ok) throw new Error(result.errors.join('\n'));
  return result.options;
}

it('a password is taken as it is and never printed', () => {
  const options = load({ CLICKHOUSE_PASSWORD: ' pass:word % ', CLICKHOUSE_USER: 'writer' });
  expect(options.clickhousePassword).toBe(' pass:word % ');
  expect(printableOptions(options)).toMatchObject({
    clickhousePassword: '***',
    clickhouseUser: 'writer',
  });
  expect(printableOptions(load({})).clickhousePassword).toBe('');
  const wrong = loadOptions({}, { CLICKHOUSE_PASSWORD: 'hunter2\n' });
  expect(wrong).toEqual({
    ok: false,
    errors: ['CLICKHOUSE_PASSWORD must be a text without line ends'],
  });
});

it('certificates need an https address', () => {
  const CLICKHOUSE_CA_FILE = '/ca.pem';
  const plain = loadOptions({}, { CLICKHOUSE_CA_FILE, CLICKHOUSE_URL: 'http://db:8123' });
  expect(plain).toMatchObject({ errors: [expect.stringContaining('https://')] });
  expect(load({ CLICKHOUSE_CA_FILE, CLICKHOUSE_URL: 'HTTPS://db' }).clickhouseCaFile).toBe(
    '/ca.pem',
  );
});

it('a server takes four writes at once, gzip, and a minute of silence unless told', () => {
  expect(load({})).toMatchObject({
    clickhouseWriters: 4,
    clickhouseCompression: 'gzip',
    clickhouseRequestTimeoutMs: 60_000,
  });
});
