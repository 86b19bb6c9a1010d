/**
 * Runs seeds from the command line until told otherwise, and tells of each that fails:
 * `npx tsx test/chaos/simulation/main.ts FROM [COUNT]`. With a COUNT of 1 it tells what happens, line by line.
 */
import { addCounters, newCounters } from './counters.ts';
import { simulate } from './simulation.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const [from = 1, count = Number.POSITIVE_INFINITY] = process.argv.slice(2).map(Number);
  const counters = newCounters();
  let failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    const report = await simulate(seed, count === 1 ? { trace: say } : {});
    addCounters(counters, report.counters);
    for (const failure of report.failures) say(`seed ${seed}: ${failure}`);
    if (report.failures.length > 0) failed++;
    if ((seed - from + 1) % 1_000 === 0) say(`${seed - from + 1} seeds, ${failed} failed`);
  }
  for (const [name, value] of Object.entries(counters)) say(`${name}: ${value}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
