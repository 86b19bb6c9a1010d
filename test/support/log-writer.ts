/**
 * Appends to an embedded log until it is killed, and prints the number of each record once it is acknowledged.
 * Arguments: directory, partitions. Prints `open` first.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';

const [directory = '', partitionsText = '1'] = process.argv.slice(2);
const partitions = Number(partitionsText);
const log = await openEmbeddedLog({ directory, topic: 'test.v1', partitions });
writeSync(1, 'open\n');

async function appendForEver(first: number, step: number): Promise<void> {
  for (let number = first; ; number += step) {
    const value = Buffer.from(`${number} `.padEnd(400, 'x'));
    const { offset } = await log.append(number % partitions, value);
    // Written at once, not through a stream: what is printed has been acknowledged before the kill.
    writeSync(1, `${number} ${offset}\n`);
  }
}

const lanes = 64;
await Promise.all(Array.from({ length: lanes }, (_, lane) => appendForEver(lane, lanes)));
