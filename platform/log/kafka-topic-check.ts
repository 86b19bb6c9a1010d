/**
 * What a topic's settings mean for the log, looked at whenever it is opened, because anyone may have changed them.
 *
 * Guarantee: a topic whose records could not be read again is refused; what weakens a guarantee of the log is told, one
 * sentence each, with what to do.
 */
import { TIMESTAMP_TYPE, type TopicConfig } from './kafka-topic.ts';
import { LogError } from './log.ts';

/** Compressions that the broker may do by itself; `producer` leaves batches as they were sent. */
const READABLE: readonly string[] = ['producer', 'uncompressed', 'gzip'];

export interface CheckedTopic {
  readonly topic: string;
  /** Brokers that hold each partition. */
  readonly replicas: number;
  readonly config: TopicConfig;
}

/** @throws LogError `log_format_unknown` when the broker would compress records in a way that is not known here. */
export function topicWarnings({ topic, replicas, config }: CheckedTopic): string[] {
  const compression = config.get('compression.type') ?? 'producer';
  if (!READABLE.includes(compression)) {
    const message =
      `The topic ${topic} has compression.type=${compression}: its records could not be read. ` +
      'Set it to producer with kafka-configs.sh';
    throw new LogError('log_format_unknown', message);
  }
  const weak = weaknesses(replicas).filter(({ name, isWeak }) => {
    const value = config.get(name);
    return value !== undefined && isWeak(value);
  });
  return weak.map(
    ({ name, meaning, wanted }) =>
      `The topic ${topic} has ${name}=${config.get(name)}: ${meaning}. Set it to ${wanted} with kafka-configs.sh`,
  );
}

function weaknesses(replicas: number) {
  return [
    {
      name: TIMESTAMP_TYPE,
      isWeak: (value: string) => value !== 'LogAppendTime',
      meaning: "times are those of the writers' clocks",
      wanted: 'LogAppendTime',
    },
    {
      name: 'cleanup.policy',
      isWeak: (value: string) => value !== 'delete',
      meaning: 'records without a key are refused',
      wanted: 'delete',
    },
    {
      name: 'unclean.leader.election.enable',
      isWeak: (value: string) => value !== 'false',
      meaning: 'records that were acknowledged may be lost',
      wanted: 'false',
    },
    {
      // With one replica there is nothing to wait for: that choice was made when the topic was.
      name: 'min.insync.replicas',
      isWeak: (value: string) => replicas > 1 && Number(value) < 2,
      meaning: 'a record is acknowledged when one broker has it, and lost with that one',
      wanted: '2',
    },
  ] as const;
}
