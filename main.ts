#!/usr/bin/env node
/**
 * The command line: all roles in one process by default, or a command. Options are those of `platform/config`, as flags
 * or as environment variables; a wrong one is one clear line and exit 2.
 */
import { realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { addApi } from './api/role.ts';
import { type ReplayCommandArgs, runReplayCommand } from './ingest/clients/replay-command.ts';
import { runSimulateCommand } from './ingest/clients/simulate-command.ts';
import type { SimulateArgs } from './ingest/clients/simulate-options.ts';
import { GeoFileError } from './ingest/enrichment/geo-file.ts';
import { replayRejects } from './ingest/replay-rejects.ts';
import { addIngest } from './ingest/role.ts';
import { type Environment, ingestLimits, type Options } from './platform/config/config.ts';
import {
  optionsOf,
  positiveNumber,
  timeOf,
  UsageError,
  withOptions,
} from './platform/control/command-line.ts';
import { createMigrateCommand } from './platform/control/migrate-command.ts';
import {
  addRejects,
  type RejectsActions,
  type RejectsReplayArgs,
} from './platform/control/rejects-program.ts';
import { type CommandToRun, runCommand } from './platform/control/run-command.ts';
import { type Command as ControlCommand, serveControl } from './platform/control/server.ts';
import { createTopics } from './platform/control/topics-command.ts';
import {
  type CountingLog,
  checkDataDirectory,
  groupOf,
  hasKafka,
  isShared,
  openLog,
  openTables,
  prepareTables,
  retentionOf,
  tablesAreThere,
} from './platform/engines.ts';
import { registerOperators } from './platform/http/operators.ts';
import { registerReference } from './platform/http/reference.ts';
import type { Log } from './platform/log/log.ts';
import { createLogger, type Logger } from './platform/logging.ts';
import {
  exportLogMetrics,
  exportStoreMetrics,
  logAnswers,
  storeAnswers,
} from './platform/metrics/engines.ts';
import { exportCounters } from './platform/metrics/registry.ts';
import {
  openPriceBook,
  PriceBookError,
  type PriceBookFile,
} from './platform/prices/price-book-file.ts';
import { type Host, startHost, stopOnSignal } from './platform/process.ts';
import { openProjects, type Projects, ProjectsError } from './platform/projects.ts';
import type { OpenStore, Store } from './platform/store/store.ts';
import { createForgetCommand, type ForgetArgs, forgetWith } from './processors/forget-command.ts';
import type { Processor } from './processors/processor.ts';
import { everyReject } from './processors/rejects/reject-source.ts';
import {
  createRejectsListCommand,
  createRejectsShowCommand,
} from './processors/rejects-command.ts';
import { startProcessor } from './processors/role.ts';
import { createVerifyCommand, verifyWith } from './processors/verify-command.ts';

const EXIT_WRONG_USE = 2;

/** How often the files of projects and prices are looked at, ms. */
const FILES_LOOK_MS = 2_000;

/** The parts of a process. */
export const ROLES = ['ingest', 'processor', 'api'] as const;
export type Role = (typeof ROLES)[number];

const ROLE_DESCRIPTIONS: Readonly<Record<Role, string>> = {
  ingest: 'takes telemetry over HTTP into Kafka; add as many as it needs',
  processor: 'from Kafka into ClickHouse; processes share the partitions',
  api: 'answers queries from ClickHouse, and serves the page',
};

/** Everything of one running process. */
export interface Running {
  /** Where it listens. */
  readonly url: string;
  /** Stops accepting, drains, finishes the epoch, closes. */
  stop(): Promise<void>;
}

/** Everything of a process with every role. */
export interface RunningAll extends Running {
  readonly processor: Processor;
  readonly store: Store;
  readonly log: Log;
}

/** What is not an option of the operator. */
export interface StartParts {
  /** Where the build of the dashboard lies; without one the page at `/` is text. */
  readonly pageDirectory?: string;
}

/** The build is made beside the compiled program, whichever of the two runs. */
function builtPage(): string {
  const here = import.meta.dirname;
  return join(basename(here) === 'dist' ? here : join(here, 'dist'), 'dashboards/web');
}

/** Runs every role in this process, on the engines that the options name. */
export function startAll(
  options: Options,
  logger: Logger,
  { pageDirectory = builtPage() }: StartParts = {},
): Promise<RunningAll> {
  return startHost(options, logger, async (host) => {
    checkDataDirectory(options);
    const projects = projectsOf(host);
    const prices = watchPrices(host);
    const log = await logOf(host);
    const store = await storeOf(host);
    await prepareTables(store, options, logger);
    // Before the routes: what was there earlier is not in the reference.
    await registerReference(host.server);
    await addIngest(host, { log, projects });
    await addApi(host, { store, projects, prices, pageDirectory });
    const joinGroup = groupOf(options, logger);
    const processor = await startProcessor(host, { log, store, joinGroup });
    await serveCommands(host, { log, store, projects });
    return { url: await host.listen(), processor, store, log, stop: () => host.stop() };
  });
}

/** Runs one role, on engines that it shares with other processes. */
export function startRole(role: Role, options: Options, logger: Logger): Promise<Running> {
  return startHost(options, logger, async (host) => {
    const { server, registry, checks } = host;
    if (role === 'ingest') {
      await addIngest(host, { log: await logOf(host), projects: projectsOf(host) });
    }
    if (role === 'processor') {
      const store = await storeOf(host);
      await prepareTables(store, options, logger);
      await startProcessor(host, {
        log: await logOf(host),
        store,
        joinGroup: groupOf(options, logger),
      });
    }
    if (role === 'api') {
      const prices = watchPrices(host);
      const store = await storeOf(host);
      checks.push(tablesAreThere(store));
      const projects = projectsOf(host);
      await addApi(host, { store, projects, prices, pageDirectory: builtPage() });
    } else registerOperators(server, { registry, checks });
    return { url: await host.listen(), stop: () => host.stop() };
  });
}

function projectsOf({ options, logger, registry, onStop }: Host): Projects {
  const projects = openProjects({
    file: options.projectsFile,
    host: options.host,
    logger,
    now: Date.now,
    watchIntervalMs: FILES_LOOK_MS,
  });
  onStop(() => projects.close());
  const named = { prefix: 'streamgauge_projects', about: 'The projects file' };
  exportCounters(registry, named, projects.counters);
  return projects;
}

/** The price book of projects that name none: a bad one does not start, and is counted later. */
function watchPrices({ options, logger, registry, onStop }: Host): PriceBookFile {
  const prices = openPriceBook({
    file: options.pricesFile,
    logger,
    watchIntervalMs: FILES_LOOK_MS,
  });
  onStop(() => prices.close());
  const named = { prefix: 'streamgauge_prices', about: 'The price book' };
  exportCounters(registry, named, prices.counters);
  return prices;
}

async function logOf({ options, logger, registry, checks, onStop }: Host): Promise<CountingLog> {
  const log = await openLog(options, logger);
  onStop(() => log.close());
  exportLogMetrics(registry, log);
  checks.push(logAnswers(log));
  return log;
}

async function storeOf({ options, registry, checks, onStop }: Host): Promise<OpenStore> {
  const store = await openTables(options);
  onStop(() => store.close());
  exportStoreMetrics(registry, store);
  checks.push(storeAnswers(store));
  return store;
}

/** Commands to the process itself: while it runs, embedded engines are its own. */
async function serveCommands(
  { options, logger, onStop }: Host,
  { log, store, projects }: { log: Log; store: Store; projects: Projects },
): Promise<void> {
  if (isShared(options)) return;
  const control = await serveControl({
    dataDirectory: options.dataDir,
    commands: {
      verify: createVerifyCommand({ log, store, retention: retentionOf(options) }),
      forget: createForgetCommand({ log, store, projects }),
      migrate: createMigrateCommand(store),
      'rejects-list': createRejectsListCommand(store),
      'rejects-show': createRejectsShowCommand({ store, rejectBytesMax: options.rejectBytesMax }),
      'rejects-replay': createRejectsReplayCommand({ log, store, projects }, options),
    },
    logger,
  });
  onStop(() => control.close());
}

/** Rows of the store go to ingest, which knows how to read them. */
function createRejectsReplayCommand(
  { log, store, projects }: { log: Log; store: Store; projects: Pick<Projects, 'list'> },
  options: Options,
): ControlCommand<RejectsReplayArgs> {
  const deps = { log, projects, limits: ingestLimits(options) };
  return ({ filter, query, dryRun }, print, signal) => {
    const rows = everyReject(store, filter, signal);
    return replayRejects(deps, { rows, query, dryRun }, print);
  };
}

/** Runs a process until a signal ends it. */
async function runProcess(
  options: Options,
  start: (options: Options, logger: Logger) => Promise<Running>,
): Promise<void> {
  const logger = createLogger(options.logLevel, process.stderr.isTTY === true);
  const running = start(options, logger);
  stopOnSignal(running, logger);
  const { url } = await running;
  process.stdout.write(`Streamgauge listens on ${url}\n`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One role alone shares its engines with the others, which are other processes. */
function checkShared(role: Role, options: Options): Options {
  const needs: readonly (readonly [role: Role, variable: string, isSet: boolean])[] = [
    ['ingest', 'KAFKA_BROKERS', hasKafka(options)],
    ['processor', 'KAFKA_BROKERS', hasKafka(options)],
    ['processor', 'CLICKHOUSE_URL', options.clickhouseUrl !== ''],
    ['api', 'CLICKHOUSE_URL', options.clickhouseUrl !== ''],
  ];
  const missing = needs.find(([name, , isSet]) => name === role && !isSet);
  if (missing === undefined) return options;
  throw new UsageError(
    `${role} alone needs ${missing[1]}: embedded engines belong to one process, which is \`all\``,
  );
}

/** Runs a command; its exit code is the process's. */
async function run(
  options: Options,
  name: string,
  args: unknown,
  runHere: CommandToRun['runHere'],
): Promise<void> {
  process.exitCode = await runCommand({ options, name, args, print, runHere });
}

/** Where no server runs them. */
const rejectsActions: RejectsActions = {
  list: (args, options) =>
    run(options, 'rejects-list', args, async (engines, signal) =>
      createRejectsListCommand(await engines.store())(args, print, signal),
    ),
  show: (args, options) =>
    run(options, 'rejects-show', args, async (engines, signal) => {
      const deps = { store: await engines.store(), rejectBytesMax: options.rejectBytesMax };
      return createRejectsShowCommand(deps)(args, print, signal);
    }),
  replay: (args, options) =>
    run(options, 'rejects-replay', args, async (engines, signal) => {
      const { projectsFile: file, host } = options;
      const { logger } = engines;
      const projects = openProjects({ file, host, logger, now: Date.now, watchIntervalMs: 0 });
      const deps = { log: await engines.log(), store: await engines.store(), projects };
      return createRejectsReplayCommand(deps, options)(args, print, signal);
    }),
};

function createProgram(env: Environment): Command {
  const program = new Command('streamgauge')
    .description(
      'Open streaming-QoS analytics: player and edge telemetry in, true quality figures out',
    )
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ outputError: () => undefined });
  withOptions(program.command('all', { isDefault: true }))
    .description('ingest, processor, api and dashboards in one process on one port (default)')
    .action((flags: Record<string, unknown>) => runProcess(optionsOf(flags, env), startAll));
  for (const role of ROLES) {
    withOptions(program.command(role))
      .description(ROLE_DESCRIPTIONS[role])
      .action((flags: Record<string, unknown>) =>
        runProcess(checkShared(role, optionsOf(flags, env)), (options, logger) =>
          startRole(role, options, logger),
        ),
      );
  }
  withOptions(program.command('topics'))
    .description('creates the topic, or says how the one that is there differs')
    .action(async (flags: Record<string, unknown>) => {
      const options = optionsOf(flags, env);
      if (!hasKafka(options)) throw new UsageError('topics needs KAFKA_BROKERS');
      process.exitCode = await createTopics(options, print);
    });
  withOptions(program.command('migrate'))
    .description('creates or upgrades the tables')
    .option('--dry-run', 'prints the statements without running them')
    .action(({ dryRun, ...flags }: Record<string, unknown>) => {
      const args = { dryRun: dryRun === true };
      return run(optionsOf(flags, env), 'migrate', args, async (engines, signal) =>
        createMigrateCommand(await engines.store())(args, print, signal),
      );
    });
  withOptions(program.command('verify'))
    .description('recomputes from the log and compares with the store; exit 1 if they differ')
    .option('--from <time>', 'log time from which epochs are compared, ISO 8601 (default: all)')
    .option('--to <time>', 'log time up to which they are compared')
    .action(({ from, to, ...flags }: Record<string, unknown>) => {
      const args = { fromMs: timeOf('--from', from), toMs: timeOf('--to', to) };
      const options = optionsOf(flags, env);
      return run(options, 'verify', args, (engines, signal) =>
        verifyWith(engines, options)(args, print, signal),
      );
    });
  withOptions(program.command('forget'))
    .description('removes a viewer: views, timelines, rejects, saved state')
    .requiredOption('--project <id>', 'project of the viewer')
    .option('--viewer-id <id>', "the viewer's id as players say it")
    .option('--viewer <id>', 'or as it is stored: viewer_user_id of the api')
    .action(({ project, viewerId, viewer, ...flags }: Record<string, unknown>) => {
      const args = { project, viewerId, viewer } as ForgetArgs;
      const options = optionsOf(flags, env);
      return run(options, 'forget', args, (engines, signal) =>
        forgetWith(engines, options)(args, print, signal),
      );
    });
  program
    .command('replay')
    .argument('<path...>', 'folders or files of recorded telemetry')
    .description('sends recorded telemetry to a running ingest')
    .option('--url <url>', 'where ingest listens (default: http://127.0.0.1:8080)')
    .option('--key <key>', 'write key (default: dev)')
    .option(
      '--form <form...>',
      'what of a recording is sent: cmcd, epas, edge (default: cmcd and edge)',
    )
    .option(
      '--speed <times>',
      'keeps the recorded gaps, divided by this (default: as fast as it goes)',
      positiveNumber,
    )
    .option('--concurrency <count>', 'recordings sent side by side (default: 4)', positiveNumber)
    .action(async (paths: string[], { form, ...flags }: Record<string, unknown>) => {
      const args = { ...flags, forms: form, paths } as ReplayCommandArgs;
      process.exitCode = await runReplayCommand(args, process);
    });
  program
    .command('simulate')
    .description('plays synthetic viewers and their edges against an ingest')
    .option('--url <url>', 'where ingest listens (default: http://127.0.0.1:8080)')
    .option('--key <key>', 'write key (default: dev; dev-trusted at any speed but 1)')
    .option('--viewers <count>', 'viewers watching at the same time')
    .option('--duration <seconds>', 'simulated time (default: until interrupted)')
    .option('--seed <number>', 'the same seed plays the same viewers')
    .option('--speed <times>', 'times real time, or max (default: 1)')
    .option('--truth <file>', 'writes what it knows to be true, as JSON')
    .option('--storm <n/seconds>', 'so many starts of a live event within so many seconds')
    .option('--cdns <file>', 'CDNs and troubles, as JSON: docs/simulate.md (default: three CDNs)')
    .option('--edge-delay <seconds>', 'edge lines are late by up to this (default: 0)')
    .option('--edge-duplicates <share>', 'share of edge lines that are sent twice (default: 0)')
    .option('--edge-shuffle', 'edge lines of a batch come in any order')
    .action(async (flags: SimulateArgs) => {
      process.exitCode = await runSimulateCommand(flags, process);
    });
  addRejects(program, env, rejectsActions);
  return program;
}

/** Runs the command line; the exit code is the process's. */
async function main(argv: readonly string[], env: Environment): Promise<void> {
  try {
    await createProgram(env).parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const wrongUse =
      error instanceof CommanderError ||
      error instanceof UsageError ||
      error instanceof ProjectsError ||
      error instanceof PriceBookError ||
      error instanceof GeoFileError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message.replace(/^error: /, '')}\n`);
    process.exit(wrongUse ? EXIT_WRONG_USE : 1);
  }
}

const entry = process.argv[1];
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url)) {
  await main(process.argv.slice(2), process.env);
}
