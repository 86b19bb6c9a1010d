/**
 * Fills an embedded log's disk, as far as it can tell, removes and opens while it is full, and frees it again; prints what happened as one line of JSON.
 * The disk is a limit on file size, set on this process by prlimit(1). Argument: directory.
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedLogOptions, openEmbeddedLog } from '../../platform/log/embedded.ts';
import { LogError } from '../../platform/log/log.ts';

const [directory = ''] = process.argv.slice(2);
// The kernel's signal for the limit would end the process; the write then fails instead.
process.on('SIGXFSZ', () => undefined);

function limitFileSize(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

let told = 0;
const options: EmbeddedLogOptions = {
  directory,
  topic: 'test.v1',
  partitions: 1,
  // Everything goes but the newest record.
  limits: { retentionBytesMax: 1 },
  onError: () => {
    told += 1;
  },
};
let log = await openEmbeddedLog(options);
await log.append(0, Buffer.from('old'));
const before = await log.append(0, Buffer.from('before'));
limitFileSize(statSync(join(directory, 'data.mdb')).size);
const appends = Array.from({ length: 20 }, () => log.append(0, Buffer.alloc(100_000)));
const results = await Promise.allSettled(appends);
const latestWhileFull = await log.latest(0);
const { removedRecords } = await log.enforceRetention();
const { failedTransactions } = log.counters;
await log.close();
log = await openEmbeddedLog(options);
limitFileSize('unlimited');
const after = await log.append(0, Buffer.from('after'));
const texts: string[] = [];
for await (const batch of log.read(0, { fromOffset: before.offset, follow: false })) {
  for (const { value } of batch) texts.push(value.toString());
}
const reasons = results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
process.stdout.write(
  JSON.stringify({
    codes: [...new Set(reasons.map((reason) => (reason instanceof LogError ? reason.code : '')))],
    causes: reasons.every((reason) => reason instanceof LogError && reason.cause instanceof Error),
    latestWhileFull,
    offsetsGrow: after.offset > before.offset,
    texts,
    removedRecords,
    failedTransactions,
    told,
  }),
);
await log.close();
