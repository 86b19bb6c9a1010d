import { beforeEach, describe, expect, it, vi } from 'vitest';
import { KafkaCluster } from '../../../platform/log/kafka-cluster.ts';
import { KafkaError } from '../../../platform/log/kafka-errors.ts';
import type { KafkaAddress } from '../../../platform/log/kafka-options.ts';

/** What the brokers at these ports say; undefined when they cannot be reached. */
const leaderSaidBy = new Map<number, number | undefined>();
const dialled: number[] = [];

vi.mock('../../../platform/log/kafka-connection.ts', () => ({
  openConnection: async (address: KafkaAddress) => {
    const { port } = address;
    dialled.push(port);
    const leader = leaderSaidBy.get(port);
    if (leader === undefined) throw new KafkaError('not there', { mayHaveActed: false });
    const brokers = [1, 2].map((nodeId) => ({ nodeId, host: 'kafka', port: nodeId }));
    const ask = async () => ({
      brokers,
      topicMetadata: [
        {
          ...{ topic: 'test.v1', topicErrorCode: 0 },
          partitionMetadata: [{ partitionId: 0, leader: leaderSaidBy.get(port), replicas: [1, 2] }],
        },
      ],
    });
    return { address, isOpen: true, ask, close: () => undefined };
  },
}));

function clusterOf(...ports: number[]): KafkaCluster {
  const seeds = ports.map((port) => ({ host: 'kafka', port }));
  const times = { connectTimeoutMs: 1_000, requestTimeoutMs: 1_000, retryMs: 1 };
  return new KafkaCluster({ settings: { seeds, clientId: 'test' }, times, topic: 'test.v1' });
}

beforeEach(() => {
  leaderSaidBy.clear();
  dialled.length = 0;
});

describe('looking for leaders', () => {
  it('asks another broker the next time: one may be cut off, and know only what was', async () => {
    leaderSaidBy.set(1, 1).set(2, 2);
    const cluster = clusterOf(1);
    await cluster.refresh();
    const told = [cluster.leaderOf(0)];
    for (let time = 0; time < 2; time += 1) {
      await cluster.recover();
      told.push(cluster.leaderOf(0));
    }
    expect(new Set(told)).toEqual(new Set([1, 2]));
  });

  it('asks those last that could not be reached', async () => {
    leaderSaidBy.set(1, 1).set(3, 1);
    const cluster = clusterOf(3);
    await cluster.refresh();
    for (let time = 0; time < 6; time += 1) await cluster.recover();
    expect(dialled.filter((port) => port === 2)).toHaveLength(1);
    expect(dialled.filter((port) => port === 1)).toHaveLength(1);
  });

  it('waits for the first broker that answers, as long as it was told', async () => {
    const cluster = clusterOf(1);
    await expect(cluster.reach(5)).rejects.toThrow('not there');
    const reaching = cluster.reach(60_000);
    leaderSaidBy.set(1, 1);
    await reaching;
    expect(cluster.leaderOf(0)).toBe(1);
  });
});
