/** What the stream asks the store: which epochs were committed, and what each left in `viewers_now`. */

import { NEWEST_TOPIC } from './monitoring-watermark.ts';
import { bindTime, createBinder, type Statement } from './statement.ts';

/** An epoch that was committed. */
export interface Commit {
  readonly partition: number;
  readonly epoch: number;
  /** Log time at its end, ms since 1970. */
  readonly at: number;
}

export interface HeadRow extends Commit {
  readonly topic: string;
}

/** The newest epoch of each partition, of the topic that was written last. */
export function planHeads(): Statement {
  return {
    sql: `SELECT topic, _partition AS partition, max(_epoch) AS epoch,
  toUnixTimestamp64Milli(argMax(log_time, _epoch)) AS at
FROM epochs WHERE topic = ${NEWEST_TOPIC} GROUP BY topic, _partition ORDER BY partition`,
    params: {},
  };
}

/** Commits after those known of each partition, oldest first, at most `limit`. */
export function planCommitsAfter(
  topic: string,
  known: ReadonlyMap<number, number>,
  limit: number,
): Statement {
  const newer =
    'transform(toInt64(_partition), {partitions:Array(Int64)}, {epochs:Array(Int64)}, toInt64(0))';
  // The smallest is said apart: the table is ordered by it, so that the look reads little.
  return {
    sql: `SELECT _partition AS partition, _epoch AS epoch, toUnixTimestamp64Milli(log_time) AS at
FROM epochs WHERE topic = {topic:String} AND _epoch > {least:Int64} AND toInt64(_epoch) > ${newer}
ORDER BY log_time, _partition, _epoch LIMIT {limit:Int64}`,
    params: {
      topic,
      partitions: [...known.keys()],
      epochs: [...known.values()],
      least: known.size === 0 ? 0 : Math.min(...known.values()),
      limit,
    },
  };
}

/** Views of a project in each state at the end of an epoch. */
export interface StateCounts {
  readonly starting: number;
  readonly playing: number;
  readonly rebuffering: number;
  readonly seeking: number;
  readonly paused: number;
}

export interface CountsRow extends StateCounts {
  readonly partition: number;
  readonly epoch: number;
}

/** Counts of some epochs. One that left no rows held no viewers, and is not answered. */
export function planEpochCounts(project: string, commits: readonly Commit[]): Statement {
  const binder = createBinder();
  const times = commits.map(({ at }) => at);
  const owner = binder.bind('String', project);
  const from = bindTime(binder, Math.min(...times));
  const to = bindTime(binder, Math.max(...times));
  const sums = ['starting', 'playing', 'rebuffering', 'seeking', 'paused'].map(
    (name) => `sum(${name}) AS ${name}`,
  );
  return {
    sql: `SELECT _partition AS partition, _epoch AS epoch, ${sums.join(', ')} FROM viewers_now
WHERE project = ${owner} AND at >= ${from} AND at <= ${to}
  AND has(arrayZip({partitions:Array(Int64)}, {epochs:Array(Int64)}), (toInt64(_partition), toInt64(_epoch)))
GROUP BY partition, epoch`,
    params: {
      ...binder.params,
      partitions: commits.map(({ partition }) => partition),
      epochs: commits.map(({ epoch }) => epoch),
    },
  };
}
