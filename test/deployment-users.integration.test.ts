/**
 * ClickHouse's users as the deployment declares them, on a real engine: what each may do, and what it sees. A server asks for
 * two grants that this engine does not: on tables of `system`, and on engines of tables.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../schemas/migrations/index.ts';
import { tables } from '../schemas/tables/tables.ts';
import { type Outcome, runAs } from './support/clickhouse/as-user.ts';
import { READER_XML, readerOfXml, readerStatements, textOf } from './support/deployment.ts';

const WRITER_XML = READER_XML.replace('grafana', 'streamgauge');
const PROJECTS = ['default', 'other'];
const readable = readerOfXml().granted;

let directory: string;

function run(users: string, user: string, statements: readonly string[]): Promise<Outcome[]> {
  return runAs({ directory: join(directory, 'store'), users, user, statements });
}

const asWriter = (statements: readonly string[]) =>
  run(textOf(WRITER_XML), 'streamgauge', statements);
const asReader = (statements: readonly string[]) =>
  run(textOf(READER_XML), 'grafana_default', statements);

/** What the program asks of a server besides reading and inserting. */
const UPKEEP = [
  'ALTER TABLE rejected MODIFY TTL toDate(at) + toIntervalDay(14)',
  'DELETE FROM views WHERE _epoch = 7',
  "ALTER TABLE checkpoints DROP PARTITION ('topic', 0, 1)",
  "KILL QUERY WHERE startsWith(query_id, 'none') ASYNC",
  "SELECT count() FROM system.processes WHERE startsWith(query_id, 'none')",
  "SELECT count() FROM system.mutations WHERE database = 'streamgauge' AND NOT is_done",
  "SELECT count() FROM system.tables WHERE database = 'streamgauge'",
  "SELECT name FROM system.databases WHERE name = 'streamgauge'",
];

/** A row of today: older ones would go by their age. */
function insertOf(table: string, project: string): string {
  const { columns } = tables.find(({ name }) => name === table)!;
  const time = columns.find(({ name }) => name === 'at' || name === 'window')?.name;
  return time === undefined
    ? `INSERT INTO ${table} (project) VALUES ('${project}')`
    : `INSERT INTO ${table} (project, ${time}) VALUES ('${project}', now())`;
}

let written: Outcome[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgauge-users-'));
  const rows = readable.flatMap((table) => PROJECTS.map((project) => insertOf(table, project)));
  written = await asWriter([
    'CREATE DATABASE IF NOT EXISTS streamgauge',
    'USE streamgauge',
    ...migrations.flatMap(({ statements }) => statements),
    ...rows,
    ...UPKEEP,
  ]);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const errorsOf = (outcomes: readonly Outcome[]): string[] =>
  outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]));

describe('the program’s user', () => {
  it('may do everything that the program does', () => {
    expect(errorsOf(written)).toEqual([]);
  });

  it('may do nothing outside of its database', async () => {
    const outcomes = await asWriter([
      'CREATE DATABASE another',
      'SELECT count() FROM system.users',
      'CREATE USER intruder',
      "SELECT count() FROM file('/etc/passwd', 'LineAsString')",
    ]);
    expect(errorsOf(outcomes)).toHaveLength(outcomes.length);
    for (const { error } of outcomes) expect(error).toContain('Not enough privileges');
  });

  it('sees every project, whoever else has a filter', async () => {
    const [seen] = await asWriter(['SELECT project FROM streamgauge.views ORDER BY project']);
    expect(seen).toEqual({ rows: PROJECTS.join('\n') });
  });
});

describe('a direct reader', () => {
  it('sees rows of its project only, in every table that it may read', async () => {
    const seen = await asReader(
      readable.map((table) => `SELECT project FROM streamgauge.${table} ORDER BY project`),
    );
    expect(seen).toEqual(readable.map(() => ({ rows: 'default' })));
    const counted = await asReader([
      "SELECT count() FROM streamgauge.views FINAL WHERE project != 'default'",
    ]);
    expect(counted).toEqual([{ rows: '0' }]);
  });

  it('reads no other table, writes none, and leaves files alone', async () => {
    const others = tables.map(({ name }) => name).filter((name) => !readable.includes(name));
    expect(others).toEqual(expect.arrayContaining(['epochs', 'checkpoints', 'forgotten']));
    const outcomes = await asReader([
      ...others.map((name) => `SELECT count() FROM streamgauge.${name}`),
      "INSERT INTO streamgauge.views (project) VALUES ('default')",
      'ALTER TABLE streamgauge.views DELETE WHERE 1',
      'DROP TABLE streamgauge.views',
      "SELECT count() FROM file('/etc/passwd', 'LineAsString')",
    ]);
    expect(errorsOf(outcomes)).toHaveLength(outcomes.length);
    for (const { error } of outcomes) expect(error).toMatch(/Not enough privileges|readonly mode/);
  });

  it('cannot lift its limits', async () => {
    const [within, ...beyond] = await asReader([
      'SELECT 1 SETTINGS max_execution_time = 45',
      'SELECT 1 SETTINGS max_execution_time = 0',
      'SELECT 1 SETTINGS max_execution_time = 61',
      'SELECT 1 SETTINGS max_memory_usage = 0',
      'SELECT 1 SETTINGS max_threads = 3',
      'SELECT 1 SETTINGS max_result_rows = 0',
      'SELECT 1 SETTINGS max_concurrent_queries_for_user = 0',
      'SELECT 1 SETTINGS readonly = 0',
    ]);
    expect(within).toEqual({ rows: '1' });
    for (const outcome of beyond) expect(outcome).toHaveProperty('error');
  });
});

describe('reader.sql', () => {
  // The engine has no place to keep users made by statements: their grammar is checked here, and that they say what the
  // file of users says in test/deployment.test.ts.
  it('is in the engine’s language', async () => {
    const outcomes = await asWriter(readerStatements('default').map((one) => `EXPLAIN AST ${one}`));
    expect(errorsOf(outcomes)).toEqual([]);
    expect(outcomes.map(({ rows }) => rows?.split(/\W/, 1)[0])).toEqual([
      'CreateSettingsProfileQuery',
      'CreateUserQuery',
      ...readable.map(() => 'CREATE'),
      ...readable.map(() => 'GrantQuery'),
    ]);
  });
});
