/** The README's own commands, run as they stand against a running server. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer, until } from './support/running.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server?.close());

/** Runs a block of the README in bash, against the test's server and without a build. */
async function run(block: string): Promise<string> {
  const script = block
    .replaceAll('http://127.0.0.1:8080', server.url)
    .replaceAll('npm start --', 'node --import tsx main.ts')
    .replace(/(replay \S+)/, `$1 --url ${server.url}`);
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
  });
  return stdout;
}

it('begins with the two commands', () => {
  expect(blocks[0]?.trim().split('\n')).toEqual(['npm ci && npm start', 'npm ci && npm test']);
});

it('replays the recordings and answers about them', async () => {
  const block = blocks.find((text) => text.includes('replay')) ?? '';
  const out = await run(block);
  expect(out).toMatch(/cmcd\s+614\s+1697/);
  expect(out).toContain('"total_row_count"');
});

it('takes a first beat and shows its view', async () => {
  const block = blocks.find((text) => text.includes('my-first-view')) ?? '';
  // The view appears within seconds: only what sends it must succeed at once.
  const send = block.slice(0, block.lastIndexOf('curl -u'));
  expect(await run(send)).toContain('"accepted":3');
  const view = await until(
    () =>
      server
        .get<{ data: { playing_time: number } }>('/data/v1/video-views/my-first-view')
        .catch(() => undefined),
    (answer) => answer !== undefined,
  );
  expect(view?.data.playing_time).toBe(4_400);
});
