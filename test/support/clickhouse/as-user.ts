/**
 * Statements run by the embedded engine under a user of a users file, in a process of its own: an engine reads its users
 * once. The engine's only user is called `default`, so the file's user is given that name, and no password.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Session } from 'chdb';

/** What became of a statement: lines of tab-separated values, or the engine's message. */
export interface Outcome {
  readonly rows?: string;
  readonly error?: string;
}

export interface UserRun {
  /** Where the engine's data lies; the files of users are written beside it. */
  readonly directory: string;
  /** Text of a users file, and the user in it. */
  readonly users: string;
  readonly user: string;
  readonly statements: readonly string[];
}

export async function runAs({ directory, users, user, statements }: UserRun): Promise<Outcome[]> {
  const usersFile = `${directory}-users.xml`;
  const configFile = `${directory}-config.xml`;
  await writeFile(usersFile, asDefault(users, user));
  await writeFile(configFile, `<clickhouse><users_config>${usersFile}</users_config></clickhouse>`);
  const statementsFile = `${directory}-statements.json`;
  await writeFile(statementsFile, JSON.stringify(statements));
  const args = [
    '--import',
    'tsx',
    fileURLToPath(import.meta.url),
    directory,
    configFile,
    statementsFile,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout) as Outcome[];
}

/** A server adds the files to a profile and a quota of its own, both called `default`. */
function asDefault(users: string, user: string): string {
  const profiles = users.includes('<profiles>')
    ? users
    : users.replace('<users>', '<profiles></profiles><users>');
  return profiles
    .replace('<profiles>', '<profiles><default/>')
    .replace('<default remove="remove"/>', '')
    .replaceAll(`${user}>`, 'default>')
    .replace(/<password from_env="\w+"\/>/, '<password></password>')
    .replace('<quota>default</quota>', '');
}

async function main([directory = '', config = '', file = '']: readonly string[]): Promise<void> {
  const session = new Session(directory, { connectionArgs: [`--config-file=${config}`] });
  const statements = JSON.parse(await readFile(file, 'utf8')) as string[];
  const outcomes = statements.map((statement): Outcome => {
    try {
      return { rows: String(session.query(statement, 'TSV')).trimEnd() };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  });
  process.stdout.write(JSON.stringify(outcomes));
  session.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
