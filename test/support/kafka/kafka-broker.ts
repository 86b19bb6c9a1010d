/**
 * One broker process of the tests, which can be stopped, killed, frozen and started again at the same address.
 *
 * Guarantee: it does not outlive the process that started it, even when that is killed: a shell stands between them
 * whose standard input ends with its parent, and which then kills the broker and removes its folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, HOST } from './free-ports.ts';
import { until } from './until.ts';

const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk';
/** Starts fast and stays small: tests need no speed that comes with time. */
const JVM = [
  ...['-Xms64m', '-Xmx320m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  ...['-XX:-UsePerfData', '-Djava.awt.headless=true'],
];

/**
 * Prepares the disk before the first start. Prints the broker's pid. Ends with its exit code, or kills it when its own
 * standard input ends.
 */
const WATCHER = `
folder=$1; properties=$2; format=$3; shift 3
exec 3<&0 0</dev/null
if [ ! -e "$folder/data" ]; then
  java "$@" kafka.tools.StorageTool format -t ${CLUSTER_ID} -c "$properties" $format >>"$folder/out.log" 2>&1 3<&-
fi
java "$@" kafka.Kafka "$properties" >>"$folder/out.log" 2>&1 3<&- &
broker=$!
echo "$broker"
(cat <&3 >/dev/null; trap '' TERM; kill -9 "$broker"; rm -rf "$folder") >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$broker"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
`;

export interface BrokerPlan {
  readonly id: number;
  readonly folder: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly signInPort: number;
}

/** Chooses where a broker will be. */
export async function planBroker(id: number): Promise<BrokerPlan> {
  const folder = await mkdtemp(join(tmpdir(), 'streamgauge-kafka-'));
  const [port = 0, controllerPort = 0, signInPort = 0] = await freePorts(3);
  return { id, folder, port, controllerPort, signInPort };
}

export class KafkaBroker {
  readonly id: number;
  readonly address: string;
  /** Where a name and a password are asked for, if users were given. */
  readonly signInAddress: string;
  readonly #plan: BrokerPlan;
  readonly #classPath: string;
  readonly #properties: string;
  readonly #format: string;
  #watcher: ChildProcess | undefined;
  #pid = 0;

  /** `format` is what the disk's preparation is told beside its usual, parted by spaces. */
  constructor(
    plan: BrokerPlan,
    classPath: string,
    properties: ReadonlyMap<string, string>,
    format = '',
  ) {
    this.id = plan.id;
    this.address = `${HOST}:${plan.port}`;
    this.signInAddress = `${HOST}:${plan.signInPort}`;
    this.#plan = plan;
    this.#classPath = classPath;
    this.#format = format;
    this.#properties = [...properties].map(([name, value]) => `${name}=${value}\n`).join('');
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const { folder } = this.#plan;
    const properties = join(folder, 'server.properties');
    await writeFile(properties, this.#properties);
    const java = [...JVM, '-cp', this.#classPath];
    const args = ['-c', WATCHER, 'sh', folder, properties, this.#format, ...java];
    const watcher = spawn('sh', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#watcher = watcher;
    const [printed] = (await once(watcher.stdout, 'data')) as [Buffer];
    this.#pid = Number(printed.toString());
    await until(() => this.#listens(), Boolean);
  }

  /** Lets it hand over its partitions and end. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Keeps it from doing anything. Its connections stay, and new ones seem to work. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** Whatever was done to it, it runs after this. */
  async heal(): Promise<void> {
    if (this.#watcher === undefined) await this.start();
    else this.thaw();
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#plan.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const watcher = this.#watcher;
    if (watcher === undefined) return;
    const ended = watcher.exitCode === null ? once(watcher, 'exit') : undefined;
    this.#signal(signal);
    await ended;
    this.#watcher = undefined;
    this.#pid = 0;
  }

  /** Nothing happens when it runs no more. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#pid > 0 && this.#watcher?.exitCode === null) process.kill(this.#pid, signal);
  }

  async #listens(): Promise<boolean> {
    if (this.#watcher?.exitCode !== null) {
      const printed = await readFile(join(this.#plan.folder, 'out.log'), 'utf8');
      throw new Error(`Kafka ended at its start: ${printed.slice(-2_000)}`);
    }
    const socket = connect(this.#plan.port, HOST);
    const connected = new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    return connected.finally(() => socket.destroy());
  }
}
