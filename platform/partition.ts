/**
 * Which partition of the log a view's records go to: XXH32 (seed 0) of the UTF-8 bytes of project, NUL, view,
 * modulo the partition count.
 *
 * Guarantee: the same view always lands in the same partition, on every machine and version. Beats, edge requests and
 * rejects of a view must meet in one partition, so this function never changes; fixed vectors in its test hold it.
 */
import createXxhash from 'xxhash-wasm';

const { h32 } = await createXxhash();

/** Partition, from 0, of a view of a project. Records without a view use the empty view id. */
export function partitionOf(project: string, view: string, partitions: number): number {
  return h32(`${project}\0${view}`) % partitions;
}
