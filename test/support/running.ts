/** A whole Streamgauge on the embedded engines, in this process, on a free port, in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningAll, startAll } from '../../main.ts';
import { type Flags, loadOptions } from '../../platform/config/config.ts';
import { createLogger } from '../../platform/logging.ts';

export interface TestServer extends RunningAll {
  /** Answer of a query route, parsed. */
  get<Body>(path: string): Promise<Body>;
  post(path: string, body: string | Buffer, headers?: Record<string, string>): Promise<Response>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

const READ_TOKEN = `Basic ${Buffer.from('dev:dev').toString('base64')}`;

export async function startTestServer(flags: Flags = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'streamgauge-'));
  const loaded = loadOptions({ dataDir: directory, port: 0, logLevel: 'warn', ...flags }, {});
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  const running = await startAll(loaded.options, createLogger(loaded.options.logLevel, false));
  return {
    ...running,
    get: async <Body>(path: string): Promise<Body> => {
      const answer = await fetch(running.url + path, { headers: { authorization: READ_TOKEN } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Body;
    },
    post: (path, body, headers = {}) =>
      fetch(running.url + path, {
        method: 'POST',
        headers: { authorization: 'Bearer dev', ...headers },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      }),
    close: async () => {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until a condition holds, or fails at the deadline with what was seen last. */
export async function until<Value>(
  look: () => Promise<Value>,
  holds: (value: Value) => boolean,
  deadlineMs = 120_000,
): Promise<Value> {
  const endsMs = Date.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() > endsMs)
      throw new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
