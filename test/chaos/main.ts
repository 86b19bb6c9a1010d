/**
 * `npm run test:chaos -- --seed N --minutes M [--kills K]`: seeds of the simulation for a third of the time, then the
 * real program under load, killed again and again. Exit code 0 when nothing differs, 1 when something does, 2 for wrong
 * use. What fails names its seed; a run of the real program that fails keeps its data and says where.
 *
 * With `--deployment` instead: Kafka, ClickHouse and every role as processes of their own, disturbed one after the other.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { formatDeployment, runDeployment } from './deployment/deployment-run.ts';
import { runKills } from './processes/kills.ts';
import { formatKills } from './processes/report.ts';
import { simulate } from './simulation/simulation.ts';

const MINUTE_MS = 60_000;
const SIMULATION_SHARE = 1 / 3;
/** Failures of one seed that are printed. */
const FAILURES_MAX = 10;
const EXIT_INTERRUPTED = 130;
const EXIT_WRONG_USE = 2;

interface Flags {
  readonly seed: number;
  readonly minutes: number;
  readonly kills?: number;
  readonly deployment?: boolean;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** True when no seed fails. The first seed is always played to its end. */
async function playSeeds(firstSeed: number, forMs: number, signal: AbortSignal): Promise<boolean> {
  const endsMs = performance.now() + forMs;
  let seed = firstSeed;
  let failed = 0;
  do {
    const { failures } = await simulate(seed);
    if (failures.length > 0) failed++;
    for (const failure of failures.slice(0, FAILURES_MAX)) print(`  seed ${seed}: ${failure}`);
    seed++;
    // A run of models in memory never waits for anything outside: signals need a turn.
    await nextTurn();
  } while (performance.now() < endsMs && !signal.aborted);
  print(`simulation: seeds ${firstSeed} to ${seed - 1}, failed ${failed}`);
  return failed === 0;
}

/** True when nothing differs. */
async function killProcesses(
  { seed, kills: killsMax = Number.POSITIVE_INFINITY }: Flags,
  forMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const report = await runKills({ seed, killsMax, forMs, signal });
    print(formatKills(report));
    return report.differences.length === 0;
  } catch (error) {
    print(`processes: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** True when nothing differs. */
async function disturbDeployment(
  { seed }: Flags,
  forMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const report = await runDeployment({
      ...{ seed, partitions: 12, brokers: 3, signal },
      disturb: (disturbances) => disturbances.go(forMs, signal),
    });
    print(formatDeployment(report));
    return report.differences.length === 0;
  } catch (error) {
    print(`deployment: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function run(flags: Flags): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const totalMs = flags.minutes * MINUTE_MS;
  const simulatedMs = totalMs * SIMULATION_SHARE;
  const { signal } = interrupted;
  if (flags.deployment === true) {
    const held = await disturbDeployment(flags, totalMs, signal);
    process.exit(signal.aborted ? EXIT_INTERRUPTED : held ? 0 : 1);
  }
  const simulated = await playSeeds(flags.seed, simulatedMs, signal);
  const killed = !signal.aborted && (await killProcesses(flags, totalMs - simulatedMs, signal));
  // Clients of a run that broke off would go on asking a server that is gone.
  process.exit(signal.aborted ? EXIT_INTERRUPTED : simulated && killed ? 0 : 1);
}

function wholeFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < min)
      throw new InvalidArgumentError(`Give a whole number from ${min}.`);
    return value;
  };
}

function someMinutes(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

await new Command('test:chaos')
  .description('seeds of the simulation, then the real program killed at random under load')
  .option('--seed <number>', 'the first seed', wholeFrom(0), 1)
  .option('--minutes <number>', 'how long, checks at the end left out', someMinutes, 5)
  .option(
    '--kills <number>',
    'SIGKILLs at most (default: as many as there is time for)',
    wholeFrom(1),
  )
  .option('--deployment', 'Kafka, ClickHouse and each role as processes of their own')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_WRONG_USE))
  .action(run)
  .parseAsync();
