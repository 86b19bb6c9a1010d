/** Commands through the socket of a running server. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askControl } from '../../platform/control/client.ts';
import { type ControlServer, serveControl } from '../../platform/control/server.ts';
import { controlSocketPath } from '../../platform/control/socket-path.ts';

let directory: string;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'streamgauge-'));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function serve(): Promise<void> {
  server = await serveControl({
    dataDirectory: directory,
    logger: { error: () => undefined },
    commands: {
      count: async ({ to }: { to: number }, print) => {
        for (let number = 1; number <= to; number++) print(`line ${number}`);
        return 3;
      },
      fail: () => Promise.reject(new Error('it does not work: do something else')),
      wait: (_: unknown, print, signal) =>
        new Promise((resolve) => {
          print('waiting');
          signal.addEventListener('abort', () => resolve(0));
        }),
    },
  });
}

async function ask(command: string, args: unknown = {}) {
  const lines: string[] = [];
  const exit = await askControl(directory, command, args, (line) => lines.push(line));
  return { exit, lines };
}

describe('a command to a running server', () => {
  it('prints its lines there and gives its exit code', async () => {
    await serve();
    expect(await ask('count', { to: 2 })).toEqual({ exit: 3, lines: ['line 1', 'line 2'] });
  });

  it('that fails says why and exits with 1', async () => {
    await serve();
    const lines = ['it does not work: do something else'];
    expect(await ask('fail')).toEqual({ exit: 1, lines });
  });

  it('finds nobody where no server runs, also behind the socket of one that was killed', async () => {
    expect(await ask('count')).toEqual({ exit: undefined, lines: [] });
    writeFileSync(controlSocketPath(directory), '');
    expect(await ask('count')).toEqual({ exit: undefined, lines: [] });
  });

  it('is for the owner of the directory only', async () => {
    await serve();
    expect(statSync(controlSocketPath(directory)).mode & 0o777).toBe(0o600);
  });

  it('works in a directory whose path is too long for a socket', async () => {
    const deep = join(directory, 'd'.repeat(120));
    const whole = directory;
    directory = deep;
    try {
      await serve();
      expect((await ask('count', { to: 1 })).exit).toBe(3);
    } finally {
      directory = whole;
    }
  });

  it('ends with an error when the server ends before it', async () => {
    await serve();
    let asked: Promise<unknown> | undefined;
    await new Promise<void>((resolve) => {
      asked = askControl(directory, 'wait', {}, () => resolve());
      asked.catch(() => undefined);
    });
    await server?.close();
    await expect(asked).rejects.toThrow();
  });
});
