/** `streamgauge verify`: compares what the log says with what the store holds, and prints what differs. */
import { randomUUID } from 'node:crypto';
import { setImmediate as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Options } from '../platform/config/config.ts';
import type { Engines } from '../platform/control/run-command.ts';
import type { Command } from '../platform/control/server.ts';
import { retentionOf } from '../platform/engines.ts';
import { firstEpochOf } from '../platform/log/generation.ts';
import type { Log } from '../platform/log/log.ts';
import { daysKept, type TableRetention } from '../platform/store/retention.ts';
import type { RowObject } from '../platform/store/row-reader.ts';
import type { Store } from '../platform/store/store.ts';
import { PartitionFold } from './partition.ts';
import { type Checkpoints, createCheckpoints } from './shell/checkpoints.ts';
import { createCheckpointStore } from './shell/clickhouse-checkpoints.ts';
import { createEpochStore } from './shell/clickhouse-epochs.ts';
import { declaredExpiry, type ExpiresAtMs } from './verify/expiry.ts';
import type { FoldStart } from './verify/fold-epochs.ts';
import { formatFinding, formatSummary } from './verify/summary.ts';
import { createSqlTableSource } from './verify/table-source.ts';
import { verify } from './verify/verify.ts';

const DAY_MS = 86_400_000;
const EXIT_DIFFERENT = 1;

export interface VerifyArgs {
  /** Log time, ms, both included. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

export interface VerifyCommandDeps {
  readonly log: Log;
  readonly store: Store;
  readonly retention: readonly TableRetention[];
}

/** Exit code 0 when there is no difference. */
export function createVerifyCommand({
  log,
  store,
  retention,
}: VerifyCommandDeps): Command<VerifyArgs> {
  return async (args, print, signal) => {
    const engine = { store, topic: log.topic, owner: randomUUID() };
    const logger = { info: () => undefined, error: (_: object, message: string) => print(message) };
    const checkpoints = createCheckpoints({
      store: createCheckpointStore(engine),
      logger,
      pause,
      turns: pLimit(1),
    });
    const run = verify(
      {
        log,
        tables: createSqlTableSource({ store, topic: log.topic, signal }),
        startFold: (partition, fromMs) => startFold(log, checkpoints, partition, fromMs),
        lastCommit: createEpochStore(engine).lastCommit,
        now: Date.now,
        pause: () => pause(),
        expiresAtMs: expiryOf(retention),
      },
      { ...args, signal },
    );
    for (;;) {
      const step = await run.next();
      if (step.done === true) {
        print(formatSummary(step.value));
        return step.value.findingsTotal === 0 ? 0 : EXIT_DIFFERENT;
      }
      print(formatFinding(step.value));
    }
  };
}

/** The command where no server runs it. */
export function verifyWith(engines: Engines, options: Options): Command<VerifyArgs> {
  return async (args, print, signal) => {
    const deps = { log: await engines.log(), store: await engines.store() };
    return createVerifyCommand({ ...deps, retention: retentionOf(options) })(args, print, signal);
  };
}

/** Where folding begins: the nearest checkpoint, or the beginning of the log where that is still there. */
async function startFold(
  log: Log,
  checkpoints: Checkpoints,
  partition: number,
  fromMs: number | undefined,
): Promise<FoldStart> {
  const offsetMin = await log.earliest(partition);
  const fresh = {
    fold: PartitionFold.begin(partition, log.topic),
    fromOffset: offsetMin,
    epoch: firstEpochOf(log.topic) - 1,
    isFresh: true,
  };
  if (fromMs === undefined && offsetMin === 0) return fresh;
  const wanted = { epochMax: Number.POSITIVE_INFINITY, offsetMin };
  const fold = await checkpoints.load(
    partition,
    fromMs === undefined ? { ...wanted, oldest: true } : { ...wanted, logTimeMaxMs: fromMs },
  );
  if (fold === undefined && offsetMin === 0) return fresh;
  if (fold === undefined) {
    throw new Error(
      `partition ${partition}: the log begins at offset ${offsetMin} and no kept checkpoint leads there; verify a later --from`,
    );
  }
  return { fold, fromOffset: fold.nextOffset, epoch: fold.epoch - 1, isFresh: false };
}

/** When rows go: by the day they belong to, or as the tables are declared. */
function expiryOf(retention: readonly TableRetention[]): ExpiresAtMs {
  const byTable = new Map(retention.map((each) => [each.table, each]));
  return (table, row) => {
    const own = byTable.get(table.name);
    if (own === undefined) return declaredExpiry(table, row);
    const kept = daysKept(own, String(row.project));
    return kept === 0 ? undefined : (dayOf(row) + kept) * DAY_MS;
  };
}

/** Days since 1970; a row says its day, its moment in ms, or its window in seconds. */
function dayOf({ start_day: startDay, at, window }: RowObject): number {
  if (startDay !== undefined) return Number(startDay);
  return Math.floor((at === undefined ? Number(window) * 1_000 : Number(at)) / DAY_MS);
}
