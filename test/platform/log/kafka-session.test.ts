import { describe, expect, it } from 'vitest';
import type { KafkaCluster } from '../../../platform/log/kafka-cluster.ts';
import { decodeAssignment, decodeClaim } from '../../../platform/log/kafka-group-codec.ts';
import { GroupSession } from '../../../platform/log/kafka-session.ts';

const options = {
  ...{ groupId: 'group', topic: 'test.v1', partitions: 2 },
  ...{ sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, requestTimeoutMs: 1_000 },
};

describe('a member that leaves', () => {
  it('does not begin to wait for others once its broker is found', async () => {
    const asked: string[] = [];
    let found = (_: unknown): void => undefined;
    const connection = {
      ask: async (name: string) => {
        asked.push(name);
        return new Promise(() => undefined);
      },
    };
    const cluster = {
      askAny: () =>
        new Promise((resolve) => {
          found = resolve;
        }),
      refresh: async () => undefined,
      connectionTo: async () => connection,
    } as unknown as KafkaCluster;
    const session = new GroupSession(cluster, options);
    const round = session.round([]);
    session.interrupt();
    found({ errorCode: 0, coordinator: { nodeId: 1 } });
    await expect(round).rejects.toThrow('Leaving the group');
    expect(asked).toEqual([]);
  });
});

describe('what members tell each other', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a whole', Buffer.from([0, 0, 0, 0, 0, 1, 0, 9, 65])],
  ])('is a claim to nothing when it is %s', (_, bytes) => {
    expect(decodeClaim(bytes)).toEqual({ owned: [], generation: -1 });
  });

  it('assigns nothing when there is no assignment', () => {
    expect(decodeAssignment(Buffer.alloc(0), 'test.v1')).toEqual([]);
  });
});
