import { describe, expect, it } from 'vitest';
import type { KafkaCluster } from '../../../platform/log/kafka-cluster.ts';
import { CODE, KafkaError } from '../../../platform/log/kafka-errors.ts';
import type { ProduceOutcome } from '../../../platform/log/kafka-exchanges.ts';
import { ProduceLanes } from '../../../platform/log/kafka-produce.ts';

/** A leader that answers as told; what it is asked is not looked at. */
function lanesTo(answer: (request: number) => Promise<readonly Partial<ProduceOutcome>[]>) {
  let requests = 0;
  const exchange = async () => {
    requests += 1;
    return { outcomes: await answer(requests) };
  };
  const cluster = {
    topic: 'test.v1',
    leaderOf: () => 1,
    connectionTo: async () => ({ exchange }),
  } as unknown as KafkaCluster;
  const limits = { requestBytesMax: 10, requestTimeoutMs: 1_000 };
  return new ProduceLanes(cluster, limits, { produceRequests: 0 });
}

const batch = (partition: number) => ({ partition, bytes: Buffer.alloc(6) });

describe('the outcome of a batch', () => {
  it('is that of its partition, not of the others in its request', async () => {
    const lanes = lanesTo(async () => [
      { partition: 1, errorCode: CODE.notLeader, baseOffset: -1 },
      { partition: 0, errorCode: 0, baseOffset: 7, logAppendTimeMs: 8 },
    ]);
    const bytes = Buffer.alloc(1);
    const [first, second] = await Promise.allSettled(
      [0, 1].map((partition) => lanes.send({ partition, bytes })),
    );
    expect(first).toMatchObject({ value: { baseOffset: 7, logAppendTimeMs: 8 } });
    expect(second).toMatchObject({ reason: { code: CODE.notLeader } });
  });

  it.each([
    ['a leader that was none', CODE.notLeader, -1, false],
    ['a leader that wrote, then stepped down', CODE.notLeader, 40, true],
    ['too few replicas from the start', CODE.notEnoughReplicas, -1, false],
    ['too few replicas in the end', 20, 40, true],
    ['replicas that did not answer in time', 7, 40, true],
    ['an error that nobody knows', 999, -1, true],
  ])('says of %s whether it may be written', async (_, errorCode, baseOffset, mayHaveActed) => {
    const lanes = lanesTo(async () => [{ partition: 0, errorCode, baseOffset }]);
    await expect(lanes.send(batch(0))).rejects.toMatchObject({ code: errorCode, mayHaveActed });
  });

  it('is open when the request fails, and known for those that were not sent', async () => {
    const lanes = lanesTo(async () => {
      throw new KafkaError('lost', { mayHaveActed: true });
    });
    // The second does not fit the first's request.
    const results = await Promise.allSettled(
      [0, 1].map((partition) => lanes.send(batch(partition))),
    );
    expect(results).toMatchObject([
      { reason: { mayHaveActed: true } },
      { reason: { mayHaveActed: false } },
    ]);
  });

  it('is open when the broker leaves it out of its answer', async () => {
    const lanes = lanesTo(async () => []);
    await expect(lanes.send(batch(0))).rejects.toMatchObject({ mayHaveActed: true });
  });
});
