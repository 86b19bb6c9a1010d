/**
 * Runs a command on the engines that the options name: a running server runs it where engines are its own, else they are
 * opened here, and closed again.
 */
import type { Options } from '../config/config.ts';
import { type CountingLog, checkDataDirectory, isShared, openLog, openTables } from '../engines.ts';
import { createLogger, type Logger } from '../logging.ts';
import type { OpenStore } from '../store/store.ts';
import { askControl } from './client.ts';
import type { Print } from './server.ts';

/** Engines that are opened when they are asked for. */
export interface Engines {
  readonly logger: Logger;
  log(): Promise<CountingLog>;
  store(): Promise<OpenStore>;
}

export interface CommandToRun {
  readonly options: Options;
  /** As the running server knows it. */
  readonly name: string;
  readonly args: unknown;
  readonly print: Print;
  /** Resolves to the exit code. */
  readonly runHere: (engines: Engines, signal: AbortSignal) => Promise<number>;
}

/** Resolves to the exit code. */
export async function runCommand(command: CommandToRun): Promise<number> {
  const { options, name, args, print } = command;
  if (!isShared(options)) {
    checkDataDirectory(options);
    const asked = await askControl(options.dataDir, name, args, print);
    if (asked !== undefined) return asked;
  }
  return runHere(command);
}

async function runHere({ options, runHere: run }: CommandToRun): Promise<number> {
  const logger = createLogger(options.logLevel, process.stderr.isTTY === true);
  const interrupted = new AbortController();
  const onInterrupt = (): void => interrupted.abort();
  process.once('SIGINT', onInterrupt);
  let log: Promise<CountingLog> | undefined;
  let store: Promise<OpenStore> | undefined;
  const engines: Engines = {
    logger,
    log: () => {
      log ??= openLog(options, logger);
      return log;
    },
    store: () => {
      store ??= openTables(options);
      return store;
    },
  };
  try {
    return await run(engines, interrupted.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
    for (const opened of [log, store]) {
      await opened?.then(
        (engine) => engine.close(),
        () => undefined,
      );
    }
  }
}
