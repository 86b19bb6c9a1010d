/** Where a running server listens for commands: a socket in its data directory. */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest path that every system takes for a socket, bytes; macOS has 104 with the final zero. */
const PATH_BYTES_MAX = 103;

/** The same path for the server and for who asks it, also where the directory's own is too long for a socket. */
export function controlSocketPath(dataDirectory: string): string {
  mkdirSync(dataDirectory, { recursive: true });
  const directory = realpathSync(dataDirectory);
  const path = join(directory, 'control.sock');
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return path;
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  return join(tmpdir(), `streamgauge-${name}.sock`);
}
