import { describe, expect, it } from 'vitest';
import { topicWarnings } from '../../../platform/log/kafka-topic-check.ts';

const safe = new Map([
  ['message.timestamp.type', 'LogAppendTime'],
  ['cleanup.policy', 'delete'],
  ['compression.type', 'producer'],
  ['min.insync.replicas', '2'],
  ['unclean.leader.election.enable', 'false'],
]);
const check = (name?: string, value = '', replicas = 3) =>
  topicWarnings({
    topic: 'test.v1',
    replicas,
    config: name === undefined ? safe : new Map([...safe, [name, value]]),
  });

describe('the settings of a topic', () => {
  it('are not spoken of when they are right, or not told', () => {
    expect(check()).toEqual([]);
    expect(topicWarnings({ topic: 'test.v1', replicas: 3, config: new Map() })).toEqual([]);
  });

  it.each([
    ['message.timestamp.type', 'CreateTime'],
    ['cleanup.policy', 'compact'],
    ['unclean.leader.election.enable', 'true'],
    ['min.insync.replicas', '1'],
  ])('are told when %s=%s weakens the log', (name, value) => {
    expect(check(name, value)).toEqual([expect.stringContaining(`${name}=${value}`)]);
  });

  it('let a topic on one broker have one replica in sync', () => {
    expect(check('min.insync.replicas', '1', 1)).toEqual([]);
  });

  it.each(['snappy', 'lz4', 'zstd'])('are refused when the broker compresses with %s', (codec) => {
    expect(() => check('compression.type', codec)).toThrow('could not be read');
  });

  it.each(['uncompressed', 'gzip'])('are right when the broker makes batches %s', (codec) => {
    expect(check('compression.type', codec)).toEqual([]);
  });
});
