/** Stage 1: bytes of records to something that can be folded. */
import { compare, type StageResult } from '../result.ts';
import { type StageDeps, takeTurns } from '../stage.ts';

export async function decodeStage(deps: StageDeps): Promise<StageResult> {
  const { sizes, recordFile, open } = deps;
  const file = recordFile();
  const objects = await open('decode-objects', file);
  const cursor = await open('decode-cursor', file);
  try {
    const samples = await takeTurns(
      [
        { name: 'avsc objects', repeat: () => objects.call('repeat') },
        { name: 'cursor over the bytes', repeat: () => cursor.call('repeat') },
      ],
      sizes.repetitions,
    );
    return {
      stage: 'decode',
      title: 'Decode: record bytes in memory to events',
      baseline: 'avsc objects',
      variants: compare(samples, 'avsc objects'),
      facts: {},
      notes: ['The cursor finds every part of every event and decodes no text.'],
      warnings: [],
    };
  } finally {
    await Promise.all([objects.close(), cursor.close()]);
  }
}
