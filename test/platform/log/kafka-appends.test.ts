import { describe, expect, it } from 'vitest';
import { KafkaAppends } from '../../../platform/log/kafka-appends.ts';
import type { KafkaCluster } from '../../../platform/log/kafka-cluster.ts';
import { CODE } from '../../../platform/log/kafka-errors.ts';
import { kafkaLogLimits } from '../../../platform/log/kafka-options.ts';

const TIMED_OUT = 7;

/** Two brokers: the first leads until somebody asks again, and from then on the second does, and takes everything. */
function appendsTo(firstAnswers: number) {
  const asked: number[] = [];
  let leader = 1;
  const exchangeWith = (nodeId: number) => async () => {
    asked.push(nodeId);
    const errorCode = nodeId === 1 ? firstAnswers : 0;
    const baseOffset = errorCode === 0 ? asked.length : -1;
    return { outcomes: [{ partition: 0, errorCode, baseOffset, logAppendTimeMs: 5 }] };
  };
  const cluster = {
    topic: 'test.v1',
    leaderOf: () => leader,
    connectionTo: async (nodeId: number) => ({ exchange: exchangeWith(nodeId) }),
    recover: async () => {
      leader = 2;
    },
  } as unknown as KafkaCluster;
  const counters = {
    ...{ appendedRecords: 0, appendedBytes: 0, overloaded: 0 },
    ...{ produceRequests: 0, retriedBatches: 0, failedBatches: 0 },
  };
  const limits = { ...kafkaLogLimits, gatherMs: 0 };
  const appends = new KafkaAppends({ cluster, limits, compression: 'none', counters });
  const append = (text: string) => appends.push(0, Buffer.from(text));
  return { append, asked, counters };
}

describe('a batch that the leader did not acknowledge', () => {
  it('is sent to the new leader when it was certainly not written', async () => {
    const { append, asked, counters } = appendsTo(CODE.notLeader);
    expect(await append('once')).toEqual({ offset: 2, appendTimeMs: 5 });
    expect(asked).toEqual([1, 2]);
    expect(counters).toMatchObject({ retriedBatches: 1, failedBatches: 0, appendedRecords: 1 });
  });

  it('fails when it may be written, is not sent again, and the next goes to who leads then', async () => {
    const { append, asked, counters } = appendsTo(TIMED_OUT);
    const [failed, next] = [append('perhaps'), append('perhaps too')];
    await expect(failed).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(failed).rejects.toThrow('perhaps written');
    await expect(next).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(await append('after')).toMatchObject({ offset: 2 });
    expect(asked).toEqual([1, 2]);
    expect(counters).toMatchObject({ retriedBatches: 0, failedBatches: 1, appendedRecords: 1 });
  });
});
