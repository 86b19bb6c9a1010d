/** Stage 4: durable appends. */
import { compare, type StageResult } from '../result.ts';
import { type StageDeps, takeTurns } from '../stage.ts';

const RAW = 'LMDB alone';

export async function logStage(deps: StageDeps): Promise<StageResult> {
  const { sizes, recordFile, freshDirectory, open } = deps;
  const input = { file: recordFile(), records: sizes.logRecords, directory: freshDirectory() };
  const raw = await open('log-raw', input);
  const embedded = await open('log-embedded', input);
  try {
    const samples = await takeTurns(
      [
        { name: RAW, unit: 'records', repeat: () => raw.call('repeat') },
        { name: 'embedded log', unit: 'records', repeat: () => embedded.call('repeat') },
      ],
      sizes.repetitions,
    );
    return {
      stage: 'log',
      title: 'Log: durable appends of beats',
      baseline: RAW,
      variants: compare(samples, RAW),
      facts: {},
      notes: [
        'LMDB alone: flushed transactions of 1,000 records. Embedded log: 1,000 appends under way, each answered when it is durable.',
        'A record is a beat of ten events. kafkajs is left out until there is a Kafka log.',
      ],
      warnings: [],
    };
  } finally {
    await Promise.all([raw.close(), embedded.close()]);
  }
}
