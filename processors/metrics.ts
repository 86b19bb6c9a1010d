/**
 * What the processor tells Prometheus: of each partition where it stands and what its fold counts, of the process how
 * epochs and checkpoints are written. A partition's counts travel with its state: they go on where the last owner was.
 */
import {
  exportCounters,
  exportNumbers,
  type Registry,
  secondsHistogram,
} from '../platform/metrics/registry.ts';
import type { LagWatch } from './lag-watch.ts';
import { PartitionFold } from './partition.ts';
import type { Processor } from './processor.ts';
import type { PartitionRunner } from './shell/runner.ts';

const MS_PER_SECOND = 1_000;
const labelNames = ['partition'];

/** Seconds that commits took; to be told by `onCommit`. */
export function commitSeconds(registry: Registry): (tookMs: number) => void {
  const histogram = secondsHistogram(registry, {
    name: 'streamgauge_epoch_commit_seconds',
    help: 'Time to write an epoch, its commit included.',
  });
  return (tookMs) => histogram.observe(tookMs / MS_PER_SECOND);
}

export function exportProcessorMetrics(
  registry: Registry,
  processor: Processor,
  lags: LagWatch,
): void {
  const eachPartition = (values: (runner: PartitionRunner) => object) => () =>
    processor.partitions.map((runner) => ({
      labels: { partition: String(runner.partition) },
      values: values(runner) as Record<string, number>,
    }));
  const empty = new PartitionFold(0);
  exportNumbers(registry, {
    ...{ prefix: 'streamgauge_fold', about: 'The fold', kind: 'counter', labelNames },
    names: Object.keys(empty.counters()),
    read: eachPartition(({ fold }) => fold.counters()),
  });
  exportNumbers(registry, {
    ...{ prefix: 'streamgauge_fold', about: 'The fold, now', kind: 'gauge', labelNames },
    names: Object.keys(empty.gauges()),
    read: eachPartition(({ fold }) => fold.gauges()),
  });
  const standing = (runner: PartitionRunner) => standingOf(runner, lags);
  exportNumbers(registry, {
    ...{ prefix: 'streamgauge_partition', about: 'A partition', kind: 'gauge', labelNames },
    names: [
      'committedEpoch',
      'foldedOffset',
      'lagRecords',
      'lagSeconds',
      'freshnessSeconds',
      'stopped',
    ],
    read: eachPartition(standing),
  });
  exportCounters(
    registry,
    { prefix: 'streamgauge_sink', about: 'Writing epochs' },
    processor.sink.counters,
  );
  exportCounters(
    registry,
    { prefix: 'streamgauge_checkpoints', about: 'Checkpoints' },
    processor.checkpoints.counters,
  );
}

function standingOf(runner: PartitionRunner, lags: LagWatch): Record<string, number> {
  const { records, ms, freshnessMs } = lags.of(runner, Date.now());
  return {
    committedEpoch: runner.committedEpoch,
    foldedOffset: runner.foldedTo,
    lagRecords: records,
    lagSeconds: ms / MS_PER_SECOND,
    freshnessSeconds: freshnessMs / MS_PER_SECOND,
    stopped: runner.failure === undefined ? 0 : 1,
  };
}
