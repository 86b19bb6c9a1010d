/**
 * The jars of Kafka, from Maven's registry, copied once for this machine.
 *
 * Several test files may ask at the same time: each copies to a folder of its own, and the first to rename it wins.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '4.1.1';
/** Outside of node_modules, which `npm ci` empties. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'streamgauge');
const JARS = join(CACHE, `kafka-${VERSION}`);

/** Class path of the broker. */
export async function kafkaClassPath(): Promise<string> {
  if (!(await exists(JARS))) await download();
  return join(JARS, '*');
}

async function download(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'kafka-'));
  try {
    await copyFile(new URL('pom.xml', import.meta.url), join(folder, 'pom.xml'));
    const jars = join(folder, 'jars');
    const args = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
    await run('mvn', args, { cwd: folder });
    await rename(jars, JARS).catch(async (error: unknown) => {
      if (!(await exists(JARS))) throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
