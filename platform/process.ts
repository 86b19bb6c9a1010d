/**
 * A process of the program: one server for all of its roles, what was opened for them, and its end.
 *
 * Guarantee: it ends in the reverse order of its beginning: no request is taken any more and those under way are
 * answered, then the processor finishes its epochs, then the engines close. What fails while it begins is told after all
 * that was open is closed again.
 */
import type { FastifyInstance } from 'fastify';
import type { Options } from './config/config.ts';
import type { ReadyCheck } from './http/operators.ts';
import { createServer } from './http/server.ts';
import type { Logger } from './logging.ts';
import { createRegistry, type Registry } from './metrics/registry.ts';
import { measureRequests } from './metrics/requests.ts';

/** Something of a process that is to be closed with it. */
export type Close = () => Promise<void> | void;

export class Host {
  readonly options: Options;
  readonly logger: Logger;
  readonly server: FastifyInstance;
  readonly registry: Registry = createRegistry();
  /** What makes the process not ready; roles and engines add theirs. */
  readonly checks: ReadyCheck[] = [];
  readonly #closes: Close[] = [];

  constructor(options: Options, logger: Logger) {
    this.options = options;
    this.logger = logger;
    this.server = createServer(logger);
    measureRequests(this.server, this.registry);
  }

  /** Closes something with the process, before what was added earlier. */
  readonly onStop = (close: Close): void => {
    this.#closes.push(close);
  };

  /** Listens; resolves to the address. */
  async listen(): Promise<string> {
    const { host, port } = this.options;
    await this.server.listen({ host, port });
    const address = this.server.server.address();
    const taken = typeof address === 'object' && address !== null ? address.port : port;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`;
    this.logger.info({ url }, 'streamgauge is ready');
    return url;
  }

  async stop(): Promise<void> {
    await this.close();
    this.logger.info('stopped');
  }

  /** The same without a word, for what has not begun. */
  async close(): Promise<void> {
    await this.server.close();
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) {
      await close();
    }
  }
}

/** Begins a process; closes what was opened when that fails. */
export async function startHost<Running>(
  options: Options,
  logger: Logger,
  start: (host: Host) => Promise<Running>,
): Promise<Running> {
  const host = new Host(options, logger);
  try {
    return await start(host);
  } catch (error) {
    await host.close().catch((cause: unknown) => logger.error({ error: cause }, 'closing failed'));
    throw error;
  }
}

/** Stops in order at the first SIGTERM or SIGINT, then exits. */
export function stopOnSignal(
  running: Promise<{ readonly stop: () => Promise<void> }>,
  logger: Logger,
): void {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    // The second signal does not wait: what is not committed is folded again from the log. It ends the process as a signal
    // does that nobody handles, because an orderly exit would take the engine down under its own queries.
    if (++signals > 1) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
      return;
    }
    logger.info({ signal }, 'stopping');
    running
      .then(({ stop }) => stop())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        logger.error({ error }, 'stopping failed');
        process.exit(1);
      });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
