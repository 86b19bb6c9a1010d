/**
 * Appends to an embedded log until it is killed, and prints the number of each record once it is acknowledged.
 * Arguments: directory, partitions. Prints `open` first.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openEmbeddedLog } from '../../platform/log/embedded.ts';

const [directory = '', partitionsText = '1'] = process.argv.slice(2);
const partitions = Number(partitionsText);
const log = await openEmbeddedLog({ directory, topic: 'test.v1', partitions });
await print('open');

/** Written at once, not through a stream: what is printed has been acknowledged before the kill. */
async function print(line: string): Promise<void> {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The reader is slower than this: its pipe is full.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await delay(1);
    }
  }
}

async function appendForEver(first: number, step: number): Promise<void> {
  for (let number = first; ; number += step) {
    const value = Buffer.from(`${number} `.padEnd(400, 'x'));
    const { offset } = await log.append(number % partitions, value);
    await print(`${number} ${offset}`);
  }
}

const lanes = 64;
await Promise.all(Array.from({ length: lanes }, (_, lane) => appendForEver(lane, lanes)));
