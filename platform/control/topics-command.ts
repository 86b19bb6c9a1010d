/** `streamgauge topics`: creates the topic in Kafka, or says how the one that is there differs. */
import type { Options } from '../config/config.ts';
import { createTopic } from '../engines.ts';
import type { Print } from './server.ts';

/** Resolves to the exit code: 1 when the topic is there and differs from what is wanted. @throws LogError */
export async function createTopics(options: Options, print: Print): Promise<number> {
  const { created, differences } = await createTopic(options);
  print(`${options.topic} ${created ? 'is created' : 'was there'}`);
  for (const difference of differences) print(difference);
  return differences.length === 0 ? 0 : 1;
}
