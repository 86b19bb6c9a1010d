/** Asks a running server to run a command. */
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import type { ControlLine, Print } from './server.ts';
import { controlSocketPath } from './socket-path.ts';

/** Nobody listens: no server runs on this directory, or one that was killed left its socket. */
const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);

/**
 * Runs a command in the server that has the data directory open. Resolves to its exit code; undefined when there is no
 * such server, and the caller may open the directory itself.
 */
export async function askControl(
  dataDirectory: string,
  command: string,
  args: unknown,
  print: Print,
): Promise<number | undefined> {
  const path = controlSocketPath(dataDirectory);
  try {
    return await ask(path, command, JSON.stringify(args), print);
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOBODY.has(String(error.code)))
      return undefined;
    throw error;
  }
}

function ask(socketPath: string, command: string, body: string, print: Print): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath,
        path: `/${command}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        let exit: number | undefined;
        const lines = createInterface({ input: answer });
        lines.on('line', (text) => {
          const said = JSON.parse(text) as ControlLine;
          if ('exit' in said) exit = said.exit;
          else if ('line' in said) print(said.line);
        });
        lines.once('close', () => {
          if (exit === undefined) reject(new Error('the server ended before the command did'));
          else resolve(exit);
        });
        answer.on('error', reject);
        lines.on('error', reject);
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}
