import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BATCH } from '../../../platform/log/kafka-batch.ts';
import { BatchWriter } from '../../../platform/log/kafka-batch-writer.ts';
import type { KafkaCluster } from '../../../platform/log/kafka-cluster.ts';
import { CODE, refused } from '../../../platform/log/kafka-errors.ts';
import type { FetchLanes } from '../../../platform/log/kafka-fetch.ts';
import type { KafkaOffsets } from '../../../platform/log/kafka-offsets.ts';
import { kafkaLogLimits } from '../../../platform/log/kafka-options.ts';
import { PartitionReader } from '../../../platform/log/kafka-reader.ts';

interface Answers {
  fetch(offset: number): Promise<Buffer | undefined>;
  range?(): Promise<readonly [number, number]>;
  recover?(): Promise<void>;
}

/** A reader of partition 3 that follows, and brokers that answer as told. */
function readerOf({ fetch, range, recover }: Answers, readTimeoutMs = 30_000) {
  const warnings: string[] = [];
  const cluster = { topic: 'test.v1', partitions: 4, recover: recover ?? (() => nextTurn()) };
  const lanes = { reader: () => ({ fetch, close: () => undefined }) };
  const offsets = { range: range ?? (async () => [0, 100]) };
  const reader = new PartitionReader(
    3,
    { fromOffset: 0, follow: true },
    {
      cluster: cluster as unknown as KafkaCluster,
      lanes: lanes as unknown as FetchLanes,
      offsets: offsets as unknown as KafkaOffsets,
      limits: { ...kafkaLogLimits, readTimeoutMs },
      onWarning: (message) => warnings.push(message),
    },
  );
  return { reader, warnings };
}

async function batchOf(text: string, baseOffset: number): Promise<Buffer> {
  const writer = new BatchWriter();
  writer.add(Buffer.from(text));
  const batch = await writer.finish('none', 1);
  batch.writeBigInt64BE(BigInt(baseOffset), BATCH.baseOffset);
  return batch;
}

const never = () => new Promise<never>(() => undefined);
const leaderless = () => refused('Partition 3', CODE.leaderNotAvailable);

describe('a reader of a partition', () => {
  it.each([
    ['a batch of the format before', 30, 18],
    ['a batch that says it is shorter than its own header', 80, 20],
    ['a batch that says it is longer than all there is', 80, 1_000_000],
  ])('does not ask for ever for %s', async (_, bytes, length) => {
    const records = Buffer.alloc(bytes);
    records.writeInt32BE(length, BATCH.length);
    const { reader } = readerOf({ fetch: async () => records });
    const reading = reader.batches().next();
    await expect(reading).rejects.toMatchObject({ code: 'log_format_unknown' });
    await expect(reading).rejects.toThrow('Partition 3 of test.v1 has no whole batch at offset 0');
  });

  it.each<[string, Answers]>([
    ['an answer', { fetch: never }],
    ['the ends of the partition', { fetch: never, range: never }],
    [
      'leaders',
      {
        fetch: async () => {
          throw leaderless();
        },
        recover: never,
      },
    ],
  ])('ends at once when it is stopped while it waits for %s', async (_, answers) => {
    const { reader } = readerOf(answers);
    const reading = reader.batches().next();
    await nextTurn();
    reader.stop();
    expect(await reading).toEqual({ done: true, value: undefined });
  });

  it('warns once of a partition that nobody leads, and again when that happens again', async () => {
    let left = 50;
    const { reader, warnings } = readerOf(
      {
        fetch: async (offset) => {
          left -= 1;
          if (left > 0) throw leaderless();
          left = 50;
          return batchOf('a record', offset);
        },
        recover: () => new Promise((resolve) => setTimeout(resolve, 1)),
      },
      1,
    );
    const batches = reader.batches();
    for (const times of [1, 2]) {
      expect((await batches.next()).done).toBe(false);
      expect(warnings.length).toBeGreaterThanOrEqual(times);
      expect(warnings.length).toBeLessThanOrEqual(times + 1);
    }
    expect(warnings[0]).toContain('Partition 3 of test.v1');
    reader.stop();
  });
});
