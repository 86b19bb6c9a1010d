/**
 * Commands to a running server: the embedded engines belong to its process, so it runs them itself and sends what they
 * print. Whoever may open the socket may run them: it lies in the data directory, for its owner only.
 */
import { chmodSync, rmSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import fastify from 'fastify';
import { controlSocketPath } from './socket-path.ts';

/** Prints one line to whoever gave the command. */
export type Print = (line: string) => void;

/** A command: prints what it finds and resolves to its exit code. The signal ends when nobody listens any more. */
export type Command<Args = unknown> = (
  args: Args,
  print: Print,
  signal: AbortSignal,
) => Promise<number>;

/** The other end is this program too, so that arguments are what the command takes. */
type AnyCommand = Command<never>;

export interface ControlServer {
  readonly path: string;
  close(): Promise<void>;
}

export interface ControlDeps {
  readonly dataDirectory: string;
  readonly commands: Readonly<Record<string, AnyCommand>>;
  readonly logger: { error(fields: object, message: string): void };
}

/** One line of an answer: what is printed, or how it ended. */
export type ControlLine = { readonly line: string } | { readonly exit: number };

/** Listens for commands. Call it only as the owner of the data directory: a socket that is there is a dead one's. */
export async function serveControl({
  dataDirectory,
  commands,
  logger,
}: ControlDeps): Promise<ControlServer> {
  const path = controlSocketPath(dataDirectory);
  const server = fastify({ forceCloseConnections: true });
  for (const [name, command] of Object.entries(commands)) {
    server.post(`/${name}`, (request, reply) => {
      const left = new AbortController();
      const out = new PassThrough();
      const say = (line: ControlLine): void => {
        if (!left.signal.aborted) out.write(`${JSON.stringify(line)}\n`);
      };
      reply.raw.once('close', () => left.abort());
      command(request.body as never, (line) => say({ line }), left.signal)
        .catch((error: unknown) => {
          logger.error({ error, command: name }, 'a command failed');
          say({ line: error instanceof Error ? error.message : String(error) });
          return 1;
        })
        .then((exit) => say({ exit }))
        .finally(() => out.end());
      return reply.type('application/x-ndjson').send(out);
    });
  }
  rmSync(path, { force: true });
  await server.listen({ path });
  chmodSync(path, 0o600);
  return {
    path,
    close: async () => {
      await server.close();
      rmSync(path, { force: true });
    },
  };
}
