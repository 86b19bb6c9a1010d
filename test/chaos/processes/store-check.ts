/** Looks into the store of a program that has ended, and alters it. It runs in a process of its own: see `inStore`. */
import { join } from 'node:path';
import { openStore } from '../../../platform/store/open.ts';
import type { Site } from './site.ts';

/** One thing that is asked of the store: a SELECT gives rows, anything else gives none. */
type Statement = string;

/**
 * Runs statements in the store of a data directory, one after the other, and gives the rows of each.
 *
 * In a child, because the embedded engine takes one directory in the life of a process.
 */
export async function inStore(
  { children, dataDirectory }: Site,
  statements: readonly Statement[],
): Promise<readonly (readonly Record<string, unknown>[])[]> {
  const words = [process.execPath, '--import', 'tsx', import.meta.filename, dataDirectory];
  const child = children.spawn([...words, ...statements], ['ignore', 'pipe', 'inherit']);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the store answered nothing: exit code ${code}`);
  return JSON.parse(text) as Record<string, unknown>[][];
}

async function runStatements([dataDirectory = '', ...statements]: readonly string[]) {
  const directory = join(dataDirectory, 'store');
  const store = await openStore({ directory, database: 'streamgauge' });
  const answers: unknown[][] = [];
  for (const statement of statements) {
    const selects = /^\s*SELECT/i.test(statement);
    if (!selects) await store.command(statement);
    answers.push(selects ? await store.query<unknown>(statement) : []);
  }
  await store.close();
  process.stdout.write(JSON.stringify(answers));
}

if (process.argv[1] === import.meta.filename) await runStatements(process.argv.slice(2));
