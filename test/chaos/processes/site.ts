/**
 * Where a run takes place: a folder of its own, a port that stays, projects with their keys.
 *
 * Guarantee: `clear` removes everything; who keeps it, after a failure, is told where it is.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../../ingest/clients/simulation/random.ts';
import { Children } from './children.ts';
import { type CommandResult, Program, type ProgramOptions, runProgram } from './program.ts';

/** The program waits so long for what is missing before a report, ms of log time: longer than it takes to start. */
export const REORDER_MS = 12_000;
const SILENCE_MS = 10_000;

/** Options with which everything happens often. */
export const RESTLESS = [
  ['--epoch-ms', 500],
  ['--checkpoint-ms', 2_000],
  ['--reorder-ms', REORDER_MS],
  ['--view-timeout-ms', SILENCE_MS],
  ['--paused-timeout-ms', SILENCE_MS],
  ['--log-level', 'warn'],
]
  .flat()
  .map(String);

/** One project of a run, with the key that writes and the token that reads it. */
export interface SiteProject {
  readonly id: string;
  readonly key: string;
  /** Value of the Authorization header of its questions. */
  readonly authorization: string;
}

export interface Site {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly url: string;
  /** Of the synthetic viewers, whose clocks are the server's. */
  readonly simulated: SiteProject;
  /** Of the load that is counted independently, whose clocks are wrong. */
  readonly tallied: SiteProject;
  /** Processes of the site. */
  readonly children: Children;
  start(more?: Partial<ProgramOptions>): Program;
  /** Runs a command on the data directory. */
  run(command: string): Promise<CommandResult>;
  /** Ends what still runs and removes everything. */
  clear(): Promise<void>;
}

export interface SiteOptions {
  readonly seed: number;
  /** Instead of a folder below the site's own: a small disk. */
  readonly dataDirectory?: string;
  readonly onSelfEnded?: (error: Error) => void;
}

/** Makes a site. Nothing of it is there but the folder and the file of projects. */
export async function createSite(options: SiteOptions): Promise<Site> {
  const { seed, onSelfEnded } = options;
  const directory = await mkdtemp(join(tmpdir(), 'streamgauge-chaos-'));
  const dataDirectory = options.dataDirectory ?? join(directory, 'data');
  await mkdir(dataDirectory, { recursive: true });
  const { projectsFile, simulated, tallied } = await writeProjects(directory);
  const port = await freePort(new Random(seed, PORT_STREAM));
  const logFile = join(directory, 'program.log');
  const children = new Children();
  const place = { children, dataDirectory, port, logFile };
  return {
    directory,
    dataDirectory,
    logFile,
    url: `http://127.0.0.1:${port}`,
    simulated,
    tallied,
    start: (more = {}) =>
      new Program({
        ...place,
        ...(onSelfEnded === undefined ? {} : { onSelfEnded }),
        ...more,
        flags: ['--projects-file', projectsFile, ...RESTLESS, ...(more.flags ?? [])],
      }),
    children,
    run: (command) => runProgram(children, [command, '--data-dir', dataDirectory]),
    clear: async () => {
      await children.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Writes the file of projects of a run. */
export async function writeProjects(directory: string) {
  const projectsFile = join(directory, 'projects.json');
  const simulated = project('simulated');
  const tallied = project('tallied');
  const projects = [projectEntry(simulated, true), projectEntry(tallied, false)];
  await writeFile(projectsFile, JSON.stringify({ projects }));
  return { projectsFile, simulated, tallied };
}

function project(id: string): SiteProject {
  const authorization = `Basic ${Buffer.from(`${id}-reader:secret`).toString('base64')}`;
  return { id, key: `${id}-key`, authorization };
}

function projectEntry({ id, key }: SiteProject, trustClock: boolean): object {
  const readTokens = [{ id: `${id}-reader`, secret: 'secret' }];
  return { id, writeKeys: [{ key, trustClock }], readTokens, viewerSecret: id };
}

const PORT_MIN = 10_000;
const PORT_TRIES_MAX = 100;
const PORT_STREAM = 0x9047;

/**
 * A free port below those that the system gives to clients. Clients that try one of those while nobody listens can be
 * connected to themselves, and hold it.
 */
export async function freePort(random: Random): Promise<number> {
  const portMax = await clientPortMin();
  for (let tries = 0; tries < PORT_TRIES_MAX; tries++) {
    // The process has a part in it, because runs of the same seed may go side by side.
    const drawn = random.below(portMax - PORT_MIN) + process.pid;
    const port = PORT_MIN + (drawn % (portMax - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${PORT_MIN} to ${portMax}`);
}

async function clientPortMin(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  const found = Number.parseInt(range, 10);
  return found > PORT_MIN ? found : 32_768;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
