/** Stage 2: record bytes to row bytes, one partition, no engine. */
import { compare, type StageResult } from '../result.ts';
import { type StageDeps, takeTurns } from '../stage.ts';

const NAIVE = 'naive fold';

export async function foldStage(deps: StageDeps): Promise<StageResult> {
  const { sizes, recordFile, open } = deps;
  const file = recordFile();
  const naive = await open('fold-naive', file);
  const partition = await open('fold-partition', file);
  try {
    const samples = await takeTurns(
      [
        { name: NAIVE, repeat: () => naive.call('repeat') },
        { name: 'PartitionFold', repeat: () => partition.call('repeat') },
      ],
      sizes.repetitions,
    );
    return {
      stage: 'fold',
      title: `Fold: record bytes to row bytes, ${sizes.foldViewers} views interleaved`,
      baseline: NAIVE,
      variants: compare(samples, NAIVE),
      facts: await partition.call<Record<string, number>>('facts'),
      notes: [
        'The naive fold (bench/naive-fold.ts) decodes objects with avsc, sums in Maps keyed by joined strings and writes JSON rows. It does less: no reordering, clocks, waiting for a place in time, closing by silence, scores or viewers_now, and fewer columns.',
        'Beats of ten native events in the order in which they were sent; a fresh partition each repetition.',
      ],
      warnings: [],
    };
  } finally {
    await Promise.all([naive.close(), partition.close()]);
  }
}
