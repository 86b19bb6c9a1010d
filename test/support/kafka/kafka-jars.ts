/** The jars of Kafka, from Maven's registry, copied once for this machine. */
import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from '../installed.ts';

const run = promisify(execFile);
const VERSION = '4.1.1';

/** Class path of the broker. */
export async function kafkaClassPath(): Promise<string> {
  return join(await installed(`kafka-${VERSION}`, copyJars), '*');
}

async function copyJars(folder: string): Promise<string> {
  await copyFile(new URL('pom.xml', import.meta.url), join(folder, 'pom.xml'));
  const jars = join(folder, 'jars');
  const args = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
  await run('mvn', args, { cwd: folder });
  return jars;
}
