/**
 * Generations of a topic. The number of partitions is fixed when a topic is made, so another number is a new topic,
 * `NAME.g2`, after the old one is drained.
 *
 * Rows name their partition and epoch, not their topic. So epochs of a generation begin above every epoch that the one
 * before can reach: 2^36 epochs of two seconds are four thousand years.
 */
const EPOCHS_PER_GENERATION = 2 ** 36;
/** Epoch numbers stay exact: 2^53 / 2^36. */
const GENERATIONS_MAX = 2 ** 17 - 1;

/** Generation of a topic, from 1: what its name ends in, as in `qos.telemetry.v1.g2`. */
export function generationOf(topic: string): number {
  const number = Number(/\.g(\d{1,6})$/.exec(topic)?.[1] ?? 1);
  return number >= 1 && number <= GENERATIONS_MAX ? number : 1;
}

/** Number of the first epoch of every partition of a topic. */
export function firstEpochOf(topic: string): number {
  return (generationOf(topic) - 1) * EPOCHS_PER_GENERATION + 1;
}
