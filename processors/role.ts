/**
 * The role `processor` of a process: partitions of the log, every one or those that its group gives it, and what it
 * tells operators.
 */
import { resultSettings } from '../platform/config/config.ts';
import type { Group, JoinGroup } from '../platform/log/group.ts';
import type { Log } from '../platform/log/log.ts';
import { exportCounters } from '../platform/metrics/registry.ts';
import type { Host } from '../platform/process.ts';
import type { Store } from '../platform/store/store.ts';
import { LagWatch } from './lag-watch.ts';
import { commitSeconds, exportProcessorMetrics } from './metrics.ts';
import { Processor } from './processor.ts';
import { RejectBudgetWatch } from './reject-budget-watch.ts';
import { createRejectBudget } from './shell/reject-budget.ts';

const MS_PER_SECOND = 1_000;

export interface ProcessorRoleDeps {
  readonly log: Log;
  readonly store: Store;
  /** Joins the group that shares the partitions; without one this process has them all. */
  readonly joinGroup?: JoinGroup | undefined;
}

/** Starts it. @throws RunnerError when a process alone cannot go on with a partition. */
export async function startProcessor(host: Host, deps: ProcessorRoleDeps): Promise<Processor> {
  const { options, logger, registry, checks, onStop } = host;
  const { log, store, joinGroup } = deps;
  const { checkpointMs, checkpointEventsMax, lagMsMax } = options;
  const observeCommit = commitSeconds(registry);
  let group: Group | undefined;
  const processor = new Processor({
    log,
    store,
    settings: resultSettings(options),
    limits: { checkpointMs, checkpointEventsMax },
    logger,
    onCommit: ({ partition, nextOffset }, tookMs) => {
      observeCommit(tookMs);
      group?.commitHint(partition, nextOffset);
    },
    mayBeTaken: () => group !== undefined && isAway(group),
  });
  const lags = new LagWatch(processor, log);
  exportProcessorMetrics(registry, processor, lags);
  checks.push(() => notReady(processor, lags, lagMsMax));
  onStop(() => (group === undefined ? processor.stop() : group.leave()));
  if (joinGroup === undefined) await processor.start();
  else {
    group = await joinGroup({
      onAssigned: (partitions) => {
        logger.info({ partitions }, 'partitions come to this process');
        processor.take(partitions);
      },
      onRevoked: async (partitions, why) => {
        logger.info({ partitions, why }, 'partitions leave this process');
        await processor.release(partitions, why);
      },
    });
  }
  lags.start();
  onStop(() => lags.close());
  watchRejects(host, deps, processor);
  return processor;
}

function watchRejects(
  { options, registry, logger, onStop }: Host,
  { store, log }: ProcessorRoleDeps,
  processor: Processor,
): void {
  const enforce = createRejectBudget({ store, log, bytesMax: options.rejectedBytesMax });
  const watch = new RejectBudgetWatch({ enforce, processor, logger });
  const about = 'Rejects beyond their budget';
  exportCounters(registry, { prefix: 'streamgauge_rejected', about }, watch.counters);
  watch.start();
  onStop(() => watch.close());
}

/** The group may have given this member up, and its partitions to others. */
function isAway({ lastContactMs, sessionTimeoutMs }: Group): boolean {
  return Date.now() - lastContactMs > sessionTimeoutMs / 2;
}

function notReady(processor: Processor, lags: LagWatch, lagMsMax: number): string | undefined {
  const { failure, caughtUp, partitions } = processor;
  if (failure !== undefined) return `a partition stopped: ${failure.message}`;
  if (!caughtUp) return 'the log is folded from the last checkpoint';
  for (const runner of partitions) {
    const { ms } = lags.of(runner, Date.now());
    if (ms <= lagMsMax) continue;
    return `partition ${runner.partition} is ${Math.round(ms / MS_PER_SECOND)} s behind the log`;
  }
  return undefined;
}
