/**
 * Schemathesis, which asks every operation of an OpenAPI document what it says it takes, and much that it does not:
 * from PyPI, installed once for this machine.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from './installed.ts';

const run = promisify(execFile);
const VERSION = '4.32.5';
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

/** How bodies of types that it does not know are written: as they are. */
const HOOKS = `import json
import schemathesis

@schemathesis.serializer("application/cmcd")
def lines(ctx, value):
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", errors="surrogatepass")
`;

export interface Asked {
  readonly url: string;
  /** Further arguments: credentials, which operations. */
  readonly args: readonly string[];
  readonly examplesMax: number;
}

/** Asks; the result is what it printed when it found something, else undefined. */
export async function findFaults({ url, args, examplesMax }: Asked): Promise<string | undefined> {
  const home = await installed(`schemathesis-${VERSION}`, makeEnvironment);
  const folder = await mkdtemp(join(tmpdir(), 'streamgauge-schemathesis-'));
  try {
    await writeFile(join(folder, 'hooks.py'), HOOKS);
    const checks =
      'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
    const all = [
      ...['-m', 'schemathesis.cli', 'run', `${url}/openapi.json`],
      ...['--checks', checks, '--seed', '7', '--generation-deterministic'],
      ...['--max-examples', String(examplesMax), '--suppress-health-check', 'all', '--no-color'],
      ...args,
    ];
    const env = { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: folder };
    await run(join(home, 'bin/python'), all, { cwd: folder, env, maxBuffer: OUTPUT_BYTES_MAX });
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) {
      return `${String(error.stdout)}\n${'stderr' in error ? String(error.stderr) : ''}`;
    }
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeEnvironment(folder: string): Promise<string> {
  await run('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', `schemathesis==${VERSION}`];
  await run(join(folder, 'bin/python'), pip);
  return folder;
}
