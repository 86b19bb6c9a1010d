/** Stage 5: rows into the embedded engine. */
import { compare, type StageResult } from '../result.ts';
import { type StageDeps, takeTurns } from '../stage.ts';

const PARSED = 'into a Null table';

export async function storeStage(deps: StageDeps): Promise<StageResult> {
  const { sizes, recordFile, freshDirectory, open } = deps;
  const input = { file: recordFile(), directory: freshDirectory(), rows: sizes.storeRows };
  const store = await open('store', input);
  try {
    const samples = await takeTurns(
      [
        { name: PARSED, unit: 'rows', repeat: () => store.call('repeatNull') },
        { name: 'into view_events', unit: 'rows', repeat: () => store.call('repeatTable') },
      ],
      sizes.repetitions,
    );
    return {
      stage: 'store',
      title: 'Store: RowBinary inserts of view_events into chDB',
      baseline: PARSED,
      variants: compare(samples, PARSED),
      facts: await store.call<Record<string, number>>('facts'),
      notes: [
        'The same inserts both times, an epoch each; a Null table keeps nothing, so it shows what reading the rows costs.',
        'Merges run in the background of the same process and are counted where they fall.',
      ],
      warnings: [],
    };
  } finally {
    await store.close();
  }
}
